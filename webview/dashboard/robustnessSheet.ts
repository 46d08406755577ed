// The look of <kaf-robustness-tab>.
import { css } from 'lit';

export const robustnessSheet = css`
  .columns {
    --wide: 1.7fr;
  }
  .filling {
    display: flex;
    flex-direction: column;
  }
  .steps {
    height: auto;
    min-height: 300px;
    flex: 1;
  }
  .restarts {
    height: 150px;
  }
  .stack {
    display: grid;
    gap: 12px;
    min-width: 0;
  }
  kaf-evaluate-form {
    margin-bottom: 12px;
  }
  .certified,
  .certified-mark {
    color: var(--kaf-good);
  }
  .tools b.running {
    color: var(--kaf-good);
  }
`;
