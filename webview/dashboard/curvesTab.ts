// <kaf-curves-tab>: the scalars of a run, one card a chart, with one cursor and one range for all.
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import { isLive } from '../../server/protocol/run.ts';
import { gradientNormTag, scalarTags, type SeriesTable } from '../../server/protocol/series.ts';
import type { RunSnapshot } from '../../server/protocol/snapshot.ts';
import type { Range } from '../curves/decimate.ts';
import { deriveCurves, GradientNorms, stepsOf, type RunCurves, type XAxis } from '../curves/runCurves.ts';
import '../charts/lineChart.ts';
import {
  cardClass,
  cardFrameSheet,
  frameButtons,
  frameHandle,
  pinnedFirst,
  type CardFrames,
} from '../controls/cardFrame.ts';
import '../controls/face.ts';
import '../controls/segments.ts';
import type { SeriesFeed } from '../state/seriesFeed.ts';
import type { DashboardState } from '../state/dashboardState.ts';
import { formatClock } from '../text/duration.ts';
import { formatCount, formatTick } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, fillingSheet, toolsSheet } from '../theme/sheets.ts';
import { buildCards, cursorSentence, type CurveCard } from './curveCards.ts';
import { changeView, type DashboardView } from './view.ts';

@customElement('kaf-curves-tab')
export class CurvesTab extends LitElement {
  static override styles = [
    baseSheet,
    cardSheet,
    toolsSheet,
    css`
      :host {
        display: flex;
        flex-direction: column;
      }
      ${fillingSheet}
      ${cardFrameSheet}
      .sentence {
        margin-top: 10px;
        color: var(--kaf-dim);
        min-height: 20px;
      }
      input {
        width: 110px;
      }
      .amount {
        min-width: 2.2em;
      }
    `,
  ];

  @property({ attribute: false }) state!: DashboardState;
  @property({ attribute: false }) view!: DashboardView;
  @property({ attribute: false }) palette!: Palette;
  @property({ attribute: false }) feed: SeriesFeed | null = null;
  @state() private cursor: number | null = null;

  private readonly gradientNorms = new GradientNorms();
  private curves: RunCurves | null = null;
  private cards: readonly CurveCard[] = [];
  private extent: Range | null = null;

  protected override willUpdate(changed: PropertyValues): void {
    const { snapshot } = this.state;
    if (!snapshot) return;
    const previous = changed.get('view') as DashboardView | undefined;
    if (previous && previous.xAxis !== this.view.xAxis) this.cursor = null;
    // Zoom and frames change nothing of the curves, but of a long run the rows that are asked for.
    const isOfCurves = !previous || curveKeys.some((key) => previous[key] !== this.view[key]);
    const isZoom = previous !== undefined && previous.zoom !== this.view.zoom && isLong(snapshot);
    const isSame = !changed.has('state') && !(changed.has('view') && (isOfCurves || isZoom)) && !changed.has('palette');
    if (isSame && this.curves) return;
    const gradientNorms = this.gradientNorms.of(snapshot.norms.gradients);
    this.curves = deriveCurves(snapshot, gradientNorms, this.wholeTables(snapshot));
    this.cards = buildCards(snapshot, this.curves, this.view, this.palette);
    this.extent = this.wholeExtent(snapshot, this.curves);
  }

  /** Of a run that is too long for its snapshot to have all rows: asked for what is shown of it. */
  private wholeTables(snapshot: RunSnapshot): readonly SeriesTable[] {
    if (!this.feed || !isLong(snapshot)) return [];
    const steps = this.view.zoom && this.curves ? stepsOf(this.curves, this.view.zoom, this.view.xAxis) : null;
    const answer = this.feed.want('curves/scalars', {
      runIds: [snapshot.run.id],
      tags: [...scalarTags, gradientNormTag],
      ...{ from: steps?.from ?? null, to: steps?.to ?? null, pixels: seriesPixels },
      ...{ rowsPerBucket: null, smoothing: this.view.smoothing },
    });
    return answer?.runs[0]?.tables ?? [];
  }

  override render(): unknown {
    const { snapshot } = this.state;
    if (!snapshot || !this.curves) return nothing;
    if (this.curves.step.length === 0) {
      return html`<kaf-face
        icon="graph-line"
        heading=${isLive(snapshot.run.status) ? 'No step yet' : 'No step was made'}
        reason=${firstStepReason(snapshot)}
        ?busy=${snapshot.run.status === 'preparing'}
      ></kaf-face>`;
    }
    const filter = this.view.filter.trim().toLowerCase();
    const named = this.cards.filter((card) => `${card.title} ${card.subtitle}`.toLowerCase().includes(filter));
    const shown = pinnedFirst(named, this.view.cards, ({ title }) => title);
    return html`${this.renderTools()}
      <div class="grid filling" @cursor-moved=${this.onCursor} @range-chosen=${this.onRange}>
        ${repeat(
          shown,
          (card) => card.id,
          (card) => this.renderCard(card),
        )}
      </div>
      ${
        shown.length === 0
          ? html`<p class="dim">No curve is named “${this.view.filter}”.</p>`
          : html`<p class="sentence">${this.renderSentence()}</p>`
      }`;
  }

  private renderTools(): unknown {
    const { view } = this;
    return html`<div class="tools">
      <vscode-textfield
        placeholder="filter curves"
        label="Filter curves by name"
        .value=${view.filter}
        @input=${(event: Event) => {
          changeView(this, { filter: (event.target as HTMLInputElement).value });
        }}
      ></vscode-textfield>
      <label
        >smoothing
        <input
          type="range"
          min="0"
          max="0.99"
          step="0.01"
          .value=${view.smoothing.toString()}
          @input=${(event: Event) => {
            changeView(this, { smoothing: Number((event.target as HTMLInputElement).value) });
          }}
        />
        <b class="amount">${view.smoothing.toFixed(2)}</b></label
      >
      <kaf-segments
        label="Horizontal axis"
        .segments=${xAxes}
        .value=${view.xAxis}
        @chosen=${(event: CustomEvent<{ value: XAxis }>) => {
          changeView(this, { xAxis: event.detail.value, zoom: null });
        }}
      ></kaf-segments>
      <kaf-segments
        label="Vertical axis"
        .segments=${yScales}
        .value=${view.yScale}
        @chosen=${(event: CustomEvent<{ value: DashboardView['yScale'] }>) => {
          changeView(this, { yScale: event.detail.value });
        }}
      ></kaf-segments>
      <button
        class="link reserved"
        ?disabled=${view.zoom === null}
        @click=${() => {
          changeView(this, { zoom: null });
        }}
      >
        whole run
      </button>
      <span class="grow"></span>
      <span class="legend"
        ><span><span class="swatch clean-mark"></span>clean</span
        ><span><span class="swatch attacked-mark"></span>attacked</span
        ><span><span class="swatch square non-finite-mark"></span>not finite</span></span
      >
    </div>`;
  }

  private renderCard(card: CurveCard): unknown {
    const values = card.read(this.cursor);
    const text = values.map((value) => `${value.name} ${value.text}`).join(', ');
    const { cards } = this.view;
    const frame = cards[card.title] ?? {};
    const change = (changed: CardFrames): void => {
      changeView(this, { cards: changed });
    };
    return html`<div class=${cardClass(frame)}>
      <h2>
        ${card.title} <span>${card.subtitle}</span>
        <b
          >${values.map((value, index) => html`${index > 0 ? ' · ' : ''}<span class=${value.tone}>${value.text}</span>`)}</b
        >
        ${frameButtons(card.title, cards, change)}
      </h2>
      <kaf-line-chart
        zoomable
        .heightPx=${frame.height ?? null}
        .curves=${card.curves}
        .yScale=${card.yScale}
        .formatY=${card.formatY}
        axis=${this.view.xAxis}
        .formatX=${axisFormats[this.view.xAxis]}
        .xUnit=${this.view.xAxis === 'step' ? 1 : 0}
        .range=${this.view.zoom}
        .extent=${this.extent}
        .cursor=${this.cursor}
        .palette=${this.palette}
        label="${card.title}, ${card.subtitle}: ${text}"
      ></kaf-line-chart>
      ${frameHandle(card.title, cards, change)}
    </div>`;
  }

  private renderSentence(): unknown {
    const hint = 'drag over a chart to zoom, double-click to reset';
    if (this.cursor === null || !this.curves) return hint;
    return `${cursorSentence(this.curves, this.view.xAxis, this.cursor)} · ${hint}`;
  }

  /** From the first step to the newest; by step, always from 0. */
  private wholeExtent(snapshot: RunSnapshot, curves: RunCurves): Range {
    const last = curves.step.at(-1) ?? 1;
    switch (this.view.xAxis) {
      case 'step':
        return { from: 0, to: Math.max(last, snapshot.tests.step.at(-1) ?? 0) };
      case 'epoch':
        return { from: 0, to: last / curves.stepsPerEpoch };
      case 'time':
        return { from: 0, to: Math.max(1, curves.elapsedMs.at(-1) ?? 1) };
      default:
        return this.view.xAxis satisfies never;
    }
  }

  private readonly onCursor = (event: Event): void => {
    this.cursor = (event as CustomEvent<{ x: number | null }>).detail.x;
  };

  private readonly onRange = (event: Event): void => {
    const { range } = (event as CustomEvent<{ range: Range | null }>).detail;
    const whole = this.extent;
    const isAll = !range || !whole || (range.from <= whole.from && range.to >= whole.to);
    const zoom = isAll ? null : { from: Math.max(whole.from, range.from), to: Math.min(whole.to, range.to) };
    changeView(this, { zoom });
  };
}

/** Of the view, what curves are made by. */
const curveKeys = ['xAxis', 'yScale', 'smoothing'] as const;

/** Buckets of a long run's curves: at least as many as the pixels of a card. */
const seriesPixels = 700;

function isLong({ steps, norms }: RunSnapshot): boolean {
  return steps.every > 1 || norms.every > 1;
}

const xAxes = [
  { value: 'step', text: 'step' },
  { value: 'epoch', text: 'epoch' },
  { value: 'time', text: 'time' },
];

const yScales = [
  { value: 'linear', text: 'y lin' },
  { value: 'log', text: 'y log' },
];

const axisFormats: Readonly<Record<XAxis, (value: number) => string>> = {
  step: formatTick,
  epoch: formatTick,
  time: formatClock,
};

/** How many, where the plan tells. */
function samplesText(count: number | null): string {
  return count === null ? '' : ` (${formatCount(count)} samples)`;
}

function firstStepReason({ run, plan }: RunSnapshot): string {
  switch (run.status) {
    case 'waiting':
      return 'The run was made and not begun. Resume begins it.';
    case 'queued':
      return 'The run waits for the one before it.';
    case 'preparing':
      return `Reading ${plan.dataset.name}${samplesText(plan.dataset.trainSamples)} and building the network.`;
    case 'training':
      return 'The first step is under way.';
    case 'failed':
    case 'diverged':
    case 'interrupted':
    case 'stopped':
      return 'The run ended before its first step. Resume begins it again as it was; to begin with a changed experiment, press Train there.';
    case 'paused':
    case 'evaluating':
    case 'finished':
    case 'damaged':
      return 'This run holds no training step.';
    default:
      return run.status satisfies never;
  }
}
