// What the tabs of a comparison have alike: who is who, below a chart, and the bands of groups.
import { css, html, nothing } from 'lit';
import '../controls/face.ts';

export const toldSheet = css`
  .told {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 12px;
    margin-top: 4px;
    font-size: 11px;
  }
  .told svg {
    width: 8px;
    height: 8px;
    margin-right: 4px;
  }
`;

const mostTold = 12;

/** Each curve's name with a value of it. */
export function toldCurves(
  told: readonly { readonly name: string; readonly color: string; readonly text: string }[],
): unknown {
  return html`<div class="told">
    ${told.slice(0, mostTold).map(
      ({ name, color, text }) =>
        html`<span
          ><svg viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill=${color}></circle></svg>${name} <b>${text}</b></span
        >`,
    )}
    ${told.length > mostTold ? html`<span class="dim">and ${(told.length - mostTold).toString()} more</span>` : nothing}
  </div>`;
}

export const bands = [
  { value: 'std', text: 'mean ± std' },
  { value: 'quantile', text: 'quartiles' },
];

export const readingFace = html`<kaf-face
  icon="loading"
  busy
  heading="Reading the runs"
  reason="A long log is read once."
></kaf-face>`;
