// What the Norms tab begins with where a value was not finite.
import { html, type TemplateResult } from 'lit';
import type { NonFiniteRow, RunSnapshot } from '../../server/protocol/snapshot.ts';
import { formatCount } from '../text/numbers.ts';
import { changeView } from './view.ts';

export function normFinding(source: EventTarget, snapshot: RunSnapshot, finding: NonFiniteRow): TemplateResult {
  const name = snapshot.prepared?.parameters[finding.parameter]?.name ?? 'a tensor';
  const { step } = finding;
  const { divergence } = snapshot;
  const end = divergence
    ? `Training diverged at step ${formatCount(divergence.step)}. ${divergence.message}`
    : 'Later steps may be finite again.';
  return html`<div class="finding bad" role="alert">
    <b
      >${
        divergence?.quantity === 'loss' && divergence.step === step
          ? `Not finite: the loss of step ${formatCount(step)}, and with it every gradient.`
          : `Not finite first: the ${finding.of} of ${name} at step ${formatCount(step)}.`
      }</b
    >
    <span class="dim">${end}</span>
    <button
      class="link"
      @click=${() => {
        changeView(source, {
          normStep: step,
          normLine: name,
          grouping: 'tensors',
          normView: 'map',
          quantity: finding.of === 'gradient' ? 'gradients' : 'weights',
          foldedBlocks: [],
        });
      }}
    >
      Show the step
    </button>
  </div>`;
}
