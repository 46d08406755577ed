// Histograms of one tensor's weights or gradients over the steps, and the norms of the gradients that attacks took.
import { html, nothing, type TemplateResult } from 'lit';
import { histogramBins, type HistogramsRecord } from '../../server/protocol/records.ts';
import type { NormColumns, RunSnapshot } from '../../server/protocol/snapshot.ts';
import type { Curve } from '../charts/curve.ts';
import type { HistogramColumn } from '../charts/histogramMap.ts';
import '../charts/histogramMap.ts';
import '../charts/lineChart.ts';
import type { NormLine } from '../curves/normTable.ts';
import { formatCount, formatNumber } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';
import type { DashboardView } from './view.ts';

/** Of one tensor by its place in `prepared.parameters`. */
export function histogramColumns(
  records: readonly HistogramsRecord[],
  of: 'weights' | 'gradients',
  tensor: number,
): HistogramColumn[] {
  return records.map(({ step, [of]: { ranges, bins } }) => ({
    step,
    low: ranges[2 * tensor] ?? Number.NaN,
    high: ranges[2 * tensor + 1] ?? Number.NaN,
    bins: bins.subarray(histogramBins * tensor, histogramBins * (tensor + 1)),
  }));
}

export function histogramsCard(
  snapshot: RunSnapshot,
  line: NormLine,
  { view, palette }: { readonly view: DashboardView; readonly palette: Palette },
): TemplateResult | typeof nothing {
  const { histograms, prepared, plan } = snapshot;
  const [tensor] = line.members;
  if (tensor === undefined || plan.observe.histogramsEverySteps === 0) return nothing;
  const of = view.quantity === 'weights' || view.quantity === 'update' ? 'weights' : 'gradients';
  const name = prepared?.parameters[tensor]?.name ?? '';
  const columns = histogramColumns(histograms, of, tensor);
  const shown = view.normStep === null ? undefined : columns.findLast(({ step }) => step <= view.normStep!);
  const last = shown ?? columns.at(-1);
  return html`<div class="card">
    <h2>${name} <span>${of}, histogram by step · log colours</span></h2>
    ${
      last
        ? html`<kaf-histogram-map
            .columns=${columns}
            .chosenStep=${shown?.step ?? null}
            .palette=${palette}
            label="Histograms of the ${of} of ${name} at ${formatCount(columns.length)} steps; at step ${formatCount(
              last.step,
            )} between ${formatNumber(last.low, 3)} and ${formatNumber(last.high, 3)}"
          ></kaf-histogram-map>`
        : html`<p class="dim">They come every ${formatCount(plan.observe.histogramsEverySteps)} steps.</p>`
    }
  </div>`;
}

/** One curve for each gradient that the attack of a step takes, the first and the last of many. */
export function attackCurves({ step, attack }: NormColumns, palette: Palette): Curve[] {
  const nPasses = Math.max(0, ...attack.map(({ length }) => length));
  const passes = nPasses > 1 ? [0, nPasses - 1] : nPasses === 1 ? [0] : [];
  return passes.map((pass, index) => ({
    name: nPasses === 1 ? 'attack gradient' : index === 0 ? 'first step' : 'last step',
    x: step,
    y: attack.map((norms) => norms[pass] ?? Number.NaN),
    color: palette.attacked,
    isDashed: nPasses > 1 && index === 0,
    hasNoMarks: true,
  }));
}

export function attackCard(
  { norms }: RunSnapshot,
  { palette, cursor }: { readonly palette: Palette; readonly cursor: number | null },
): TemplateResult | typeof nothing {
  const curves = attackCurves(norms, palette);
  if (curves.length === 0) return nothing;
  const last = norms.attack.findLast(({ length }) => length > 0)?.at(-1) ?? Number.NaN;
  return html`<div class="card">
    <h2>
      attack gradient
      <span
        >mean ‖∇ₓ ℓ‖₂ of an image, apart from the gradients
        above${curves.length > 1 ? ' · dashed the first step of the attack' : ''}</span
      >
      <b>${formatNumber(last, 3)}</b>
    </h2>
    <kaf-line-chart
      class="single"
      .curves=${curves}
      .xUnit=${1}
      .yScale=${'log'}
      .cursor=${cursor}
      .palette=${palette}
      label="Norm of the loss's gradient with respect to the attacked images by step, log scale; last ${formatNumber(
        last,
        3,
      )}"
    ></kaf-line-chart>
  </div>`;
}
