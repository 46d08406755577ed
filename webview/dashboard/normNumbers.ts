// The norms of one line in figures: at the start, at the step that is shown, and by how much they changed.
import { html, nothing, type TemplateResult } from 'lit';
import type { ParameterInfo } from '../../server/protocol/records.ts';
import type { NormColumns } from '../../server/protocol/snapshot.ts';
import { normAt, quantityNames, type NormLine } from '../curves/normTable.ts';
import { formatCount, formatNumber } from '../text/numbers.ts';
import { countNonFinite } from './normCurves.ts';

/** Norms at one step. */
export interface NormMoment {
  readonly norms: NormColumns;
  readonly row: number;
}

export function numbersCard(
  line: NormLine,
  parameters: readonly ParameterInfo[],
  {
    first,
    shown,
    shownText,
  }: { readonly first: NormMoment; readonly shown: NormMoment; readonly shownText: string | null },
): TemplateResult {
  const step = formatCount(shown.norms.step[shown.row] ?? 0);
  const hasUpdate = [first, shown].some(({ norms, row }) => (norms.updates[row]?.length ?? 0) > 0);
  const quantities = (['weights', 'gradients', 'ratio', 'update'] as const).filter(
    (quantity) => quantity !== 'update' || hasUpdate,
  );
  const values = line.members.reduce(
    (sum, member) => sum + (parameters[member]?.shape ?? []).reduce((a, b) => a * b, 1),
    0,
  );
  return html`<div class="card">
    <h2>${line.name} <span>step ${step}</span><b>${formatCount(values)} values</b></h2>
    <table>
      <tr>
        <th>L2 norm</th>
        <th>at start</th>
        <th>${shownText ?? `step ${step}`}</th>
        <th>change</th>
      </tr>
      ${quantities.map((quantity) => {
        const start = normAt(first.norms, quantity, line, first.row);
        const value = normAt(shown.norms, quantity, line, shown.row);
        return html`<tr title=${quantity === 'update' ? 'Usual: about 10⁻³' : nothing}>
          <td>${quantityNames[quantity]}</td>
          <td class="dim">${formatNumber(start, 3)}</td>
          <td>${formatNumber(value, 3)}</td>
          <td class="dim">${Number.isFinite(value / start) ? `×${formatNumber(value / start, 2)}` : ''}</td>
        </tr>`;
      })}
      <tr>
        <td>not finite</td>
        <td class="dim">${formatCount(countNonFinite(first.norms, line, first.row))}</td>
        <td>${formatCount(countNonFinite(shown.norms, line, shown.row))}</td>
        <td></td>
      </tr>
    </table>
  </div>`;
}
