// The look of <kaf-line-chart>.
import { css } from 'lit';

export const lineChartSheet = css`
  :host {
    display: block;
    height: 150px;
    min-width: 0;
    touch-action: pan-y;
  }
  .frame {
    position: absolute;
    inset: 0;
    overflow: hidden;
  }
  .frame:focus-visible {
    outline: 1px solid var(--kaf-focus);
  }
  :host([zoomable]) .frame {
    cursor: crosshair;
  }
  .cursor {
    position: absolute;
    left: 0;
    width: 0;
    border-left: 1px dashed var(--kaf-faint);
    pointer-events: none;
    display: none;
  }
  .selection {
    position: absolute;
    left: 0;
    top: 0;
    background: var(--kaf-accent);
    opacity: 0.22;
    pointer-events: none;
    display: none;
  }
  .selection.shown,
  .cursor.shown {
    display: block;
  }
`;
