// Every line of the norms as a curve, and which of them are shown.
import { html, type TemplateResult } from 'lit';
import { guard } from 'lit/directives/guard.js';
import type { Curve } from '../charts/curve.ts';
import '../charts/lineChart.ts';
import type { Range } from '../curves/decimate.ts';
import { quantityNames, type NormTable } from '../curves/normTable.ts';
import { formatCount } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';
import { changeView, type DashboardView } from './view.ts';

export interface NormLinesOptions {
  readonly view: DashboardView;
  readonly table: NormTable;
  readonly curves: readonly Curve[];
  readonly range: Range | null;
  readonly cursor: number | null;
  readonly palette: Palette;
  colorOf(index: number): string;
}

export function normLinesCard(source: EventTarget, options: NormLinesOptions): TemplateResult {
  const { view, table, curves, range, cursor, palette, colorOf } = options;
  const quantity = quantityNames[view.quantity];
  const hidden = new Set(view.hiddenLines);
  const names = table.lines.map(({ name }) => name);
  return html`<div class="card">
    <h2>
      ${quantity}
      <span
        >every ${view.grouping === 'layers' ? 'layer' : 'tensor'} · log · mean, lowest and highest · blue first, red
        last</span
      >
      <b
        >${formatCount(names.length - names.filter((name) => hidden.has(name)).length)} of
        ${formatCount(names.length)}</b
      >
    </h2>
    <kaf-line-chart
      class="lines"
      zoomable
      .curves=${curves}
      .xUnit=${1}
      .yScale=${'log'}
      .range=${range}
      .cursor=${cursor}
      .palette=${palette}
      label="${quantity} of ${formatCount(curves.length)} lines by step, log scale"
    ></kaf-line-chart>
    <div class="choices" role="group" aria-label="Lines shown">
      <button
        class="link"
        @click=${() => {
          changeView(source, { hiddenLines: hidden.size === 0 ? names : [] });
        }}
      >
        ${hidden.size === 0 ? 'none' : 'all'}
      </button>
      ${guard([table, view.hiddenLines, palette], () =>
        table.lines.map(
          ({ name }, index) =>
            html`<button
              aria-pressed=${hidden.has(name) ? 'false' : 'true'}
              @click=${() => {
                const isShown = hidden.delete(name);
                if (!isShown) hidden.add(name);
                changeView(source, { hiddenLines: [...hidden], ...(isShown ? { normLine: name } : {}) });
              }}
            >
              <svg class="dot" viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill=${colorOf(index)}></circle></svg
              >${name}
            </button>`,
        ),
      )}
    </div>
  </div>`;
}
