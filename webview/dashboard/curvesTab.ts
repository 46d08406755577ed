// <kaf-curves-tab>: the scalars of a run, one card a chart, with one cursor and one range for all.
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { isLive } from '../../server/protocol/run.ts';
import { gradientNormTag, scalarTags, type SeriesTable } from '../../server/protocol/series.ts';
import type { RunSnapshot } from '../../server/protocol/snapshot.ts';
import type { Range } from '../curves/decimate.ts';
import { matches } from '../curves/curveView.ts';
import { OuterRanges } from '../curves/quantiles.ts';
import { deriveCurves, GradientNorms, stepsOf, wholeExtent, type RunCurves } from '../curves/runCurves.ts';
import { cardFrameSheet, pinnedFirst } from '../controls/cardFrame.ts';
import { curveCard } from '../controls/curveCard.ts';
import { curveTools } from '../controls/curveTools.ts';
import '../controls/face.ts';
import type { SeriesFeed } from '../state/seriesFeed.ts';
import type { DashboardState } from '../state/dashboardState.ts';
import { formatCount } from '../text/numbers.ts';
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
    `,
  ];

  @property({ attribute: false }) state!: DashboardState;
  @property({ attribute: false }) view!: DashboardView;
  @property({ attribute: false }) palette!: Palette;
  @property({ attribute: false }) feed: SeriesFeed | null = null;
  @state() private cursor: number | null = null;

  private readonly outerRanges = new OuterRanges();
  private readonly gradientNorms = new GradientNorms();
  private curves: RunCurves | null = null;
  private cards: readonly CurveCard[] = [];
  private extent: Range | null = null;

  protected override willUpdate(changed: PropertyValues): void {
    const { snapshot } = this.state;
    if (!snapshot) return;
    const previous = changed.get('view') as DashboardView | undefined;
    if (previous && previous.axis !== this.view.axis) this.cursor = null;
    // Zoom and frames change nothing of the curves, but of a long run the rows that are asked for.
    const isOfCurves = !previous || curveKeys.some((key) => previous[key] !== this.view[key]);
    const isZoom = previous !== undefined && previous.zoom !== this.view.zoom && isLong(snapshot);
    const isSame = !changed.has('state') && !(changed.has('view') && (isOfCurves || isZoom)) && !changed.has('palette');
    if (isSame && this.curves) return;
    const gradientNorms = this.gradientNorms.of(snapshot.norms.gradients);
    this.curves = deriveCurves(snapshot, gradientNorms, this.wholeTables(snapshot));
    this.cards = buildCards(snapshot, this.curves, this.view, this.palette);
    this.extent = wholeExtent(this.curves, this.view);
  }

  /** Of a run that is too long for its snapshot to have all rows: asked for what is shown of it. */
  private wholeTables(snapshot: RunSnapshot): readonly SeriesTable[] {
    if (!this.feed || !isLong(snapshot)) return [];
    const steps = this.view.zoom && this.curves ? stepsOf(this.curves, this.view.zoom, this.view.axis) : null;
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
    const named = this.cards.filter((card) => matches(`${card.title} ${card.subtitle}`, this.view.filter));
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
    return curveTools({
      ...{ view: this.view, whole: 'whole run', smoothing: 'here' },
      change: (change) => {
        changeView(this, change);
      },
      more: html`<span class="grow"></span>
        <span class="legend"
          ><span><span class="swatch clean-mark"></span>clean</span
          ><span><span class="swatch attacked-mark"></span>attacked</span
          ><span><span class="swatch square non-finite-mark"></span>not finite</span></span
        >`,
    });
  }

  private renderCard({ title, subtitle, curves, yScale, formatY, read }: CurveCard): unknown {
    const values = read(this.cursor);
    const text = values.map(({ name, text: value }) => `${name} ${value}`).join(', ');
    return curveCard({
      ...{ name: title, subtitle, curves, yScale, formatY },
      ...{
        view: this.view,
        outerRanges: this.outerRanges,
        extent: this.extent,
        cursor: this.cursor,
        palette: this.palette,
      },
      values: values.map(
        ({ tone, text: value }, index) => html`${index > 0 ? ' · ' : ''}<span class=${tone}>${value}</span>`,
      ),
      label: `${title}, ${subtitle}: ${text}`,
      change: (change) => {
        changeView(this, change);
      },
    });
  }

  private renderSentence(): unknown {
    const hint = 'drag over a chart to zoom, across or upwards; double-click to reset';
    if (this.cursor === null || !this.curves) return hint;
    return `${cursorSentence(this.curves, this.view.axis, this.cursor)} · ${hint}`;
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
const curveKeys = ['axis', 'xScale', 'yScale', 'smoothing'] as const;

/** Buckets of a long run's curves: at least as many as the pixels of a card. */
const seriesPixels = 700;

function isLong({ steps, norms }: RunSnapshot): boolean {
  return steps.every > 1 || norms.every > 1;
}

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
