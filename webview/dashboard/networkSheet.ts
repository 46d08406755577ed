// Styles of the network tab.
import { css } from 'lit';

export const networkSheet = css`
  .columns {
    align-items: start;
    grid-template-columns: minmax(0, 1.7fr) minmax(260px, 1fr);
  }
  .chosen {
    position: sticky;
    top: 92px;
  }
  .scale {
    display: inline-block;
    width: 110px;
    height: 9px;
    border-radius: 2px;
    background: var(--scale);
  }
  .ways-on {
    display: flex;
    flex-wrap: wrap;
    gap: 4px 14px;
    margin-top: 8px;
  }
  @media (max-width: 860px) {
    .columns {
      grid-template-columns: minmax(0, 1fr);
    }
    .chosen {
      position: static;
      order: -1;
    }
  }
`;
