// A finding of the inspector, with links to the tensors that it is about.
import { css, html, nothing } from 'lit';
import type { CheckpointFinding } from '../state/checkpointFindings.ts';
import { formatCount } from '../text/numbers.ts';

export const namedFindingSheet = css`
  .names {
    display: flex;
    flex-wrap: wrap;
    gap: 0 10px;
  }
  .names .link {
    overflow-wrap: anywhere;
    text-align: left;
  }
  .finding .dim {
    flex-basis: 100%;
  }
`;

export function findingPart(
  { tone, heading, text, tensors, nMore }: CheckpointFinding,
  show: (tensor: string) => void,
): unknown {
  const links = tensors.map(
    (name) =>
      html`<button
        class="link"
        title="Show ${name}"
        @click=${() => {
          show(name);
        }}
      >
        ${name}
      </button>`,
  );
  return html`<div class="finding ${tone}" role=${tone === 'bad' ? 'alert' : 'status'}>
    <b>${heading}</b>
    ${links.length > 0 ? html`<span class="names">${links}${nMore > 0 ? `and ${formatCount(nMore)} more` : nothing}</span>` : nothing}
    <span class="dim">${text}</span>
  </div>`;
}
