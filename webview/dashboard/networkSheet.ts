// Styles of the network tab.
import { css } from 'lit';

export const networkSheet = css`
  .columns {
    align-items: start;
    --wide: 1.7fr;
    --narrow: 260px;
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
    .chosen {
      position: static;
      order: -1;
    }
  }
`;
