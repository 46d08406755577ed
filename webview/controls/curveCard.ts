// A card of curves: its heading, its chart with what a person has chosen of it, and below it what else is to be said.
import { html, nothing, type TemplateResult } from 'lit';
import type { Curve, YScale } from '../charts/curve.ts';
import '../charts/lineChart.ts';
import type { CurveAxis, CurveView } from '../curves/curveView.ts';
import type { Range } from '../curves/decimate.ts';
import type { OuterRanges } from '../curves/quantiles.ts';
import { formatClock } from '../text/duration.ts';
import { formatTick } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';
import { cardClass, frameButtons, frameHandle, type CardFrames } from './cardFrame.ts';

export interface CurveCardOptions {
  readonly name: string;
  readonly subtitle?: string;
  /** Its newest values, in the heading. */
  readonly values?: unknown;
  readonly curves: readonly Curve[];
  readonly yScale: YScale;
  readonly formatY?: ((value: number) => string) | null;
  readonly label: string;
  readonly view: CurveView;
  readonly outerRanges: OuterRanges;
  /** All of x; null for what the curves have. */
  readonly extent?: Range | null;
  readonly cursor: number | null;
  readonly palette: Palette;
  readonly below?: unknown;
  readonly change: (change: { readonly cards: CardFrames }) => void;
}

export function curveCard(options: CurveCardOptions): TemplateResult {
  const { name, curves, yScale, view, change } = options;
  const frame = view.cards[name] ?? {};
  const changeCards = (cards: CardFrames): void => {
    change({ cards });
  };
  const outer = view.isWithoutOutliers ? options.outerRanges.of(curves, { range: view.zoom, scale: yScale }) : null;
  return html`<div class=${cardClass(frame)}>
    <h2>
      ${name} ${options.subtitle === undefined ? nothing : html`<span>${options.subtitle}</span>`}
      ${options.values === undefined ? nothing : html`<b>${options.values}</b>`}
      ${frameButtons(name, view.cards, changeCards)}
    </h2>
    <kaf-line-chart
      zoomable
      zoomableY
      .curves=${curves}
      .xScale=${view.xScale}
      .yScale=${yScale}
      .fixedY=${frame.y ?? outer}
      .formatY=${options.formatY ?? null}
      axis=${view.axis}
      .formatX=${axisFormats[view.axis]}
      .xUnit=${view.axis === 'step' ? 1 : 0}
      .range=${view.zoom}
      .extent=${options.extent ?? null}
      .cursor=${options.cursor}
      .palette=${options.palette}
      .heightPx=${frame.height ?? null}
      label=${options.label}
      @y-chosen=${(event: CustomEvent<{ range: Range | null }>) => {
        const { y: _, ...others } = frame;
        const { range } = event.detail;
        changeCards({ ...view.cards, [name]: { ...others, ...(range && { y: range }) } });
      }}
    ></kaf-line-chart>
    ${frameHandle(name, view.cards, changeCards)} ${options.below}
  </div>`;
}

const axisFormats: Readonly<Record<CurveAxis, (value: number) => string>> = {
  step: formatTick,
  epoch: formatTick,
  relative: formatClock,
  wall: (value) => new Date(value).toISOString().slice(11, 16),
};
