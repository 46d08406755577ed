// <kaf-compare-curves>: the curves of several runs, a card a tag, with one cursor and one range for all; who is who is said beside them.
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import type { ComparedRun } from '../../server/protocol/panel.ts';
import type { SeriesResult } from '../../server/protocol/series.ts';
import type { Range } from '../curves/decimate.ts';
import { drawInTurn } from '../charts/drawTurns.ts';
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
import { formatClock } from '../text/duration.ts';
import { formatTick } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, toolsSheet } from '../theme/sheets.ts';
import { compareCard, comparedTags, type CompareCard } from './compareCards.ts';
import { areSameRuns, groupRuns } from './compareTable.ts';
import { changeCompareView, groupingOf, matches, type CompareAxis, type CompareView } from './compareView.ts';
import { sliderOf, smoothingOf } from './smoothingScale.ts';
import { withoutOutliers } from './runGroups.ts';

const pixels = 500;

@customElement('kaf-compare-curves')
export class CompareCurvesTab extends LitElement {
  static override styles = [
    baseSheet,
    cardSheet,
    toolsSheet,
    cardFrameSheet,
    css`
      kaf-line-chart {
        height: 210px;
      }
      input[type='range'] {
        width: 110px;
      }
      .amount {
        min-width: 3em;
      }
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
    `,
  ];

  /** Those shown. */
  @property({ attribute: false }) runs: readonly ComparedRun[] = [];
  @property({ attribute: false }) view!: CompareView;
  @property({ attribute: false }) palette!: Palette;
  @property({ attribute: false }) feed: SeriesFeed | null = null;
  /** Counts answers, which the feed keeps. */
  @property({ attribute: false }) version = 0;
  @property({ attribute: false }) colorOf: (key: string) => string = () => '';
  @state() private cursor: number | null = null;
  @state() private range: Range | null = null;

  /** By tag; null where there is nothing to draw. */
  private readonly cards = new Map<string, CompareCard | null>();
  /** What the cards were made of. */
  private drawn: {
    readonly answer: SeriesResult | null;
    readonly view: CompareView;
    readonly palette: Palette;
    readonly colorOf: (key: string) => string;
    readonly runs: readonly ComparedRun[];
  } | null = null;
  private readonly startMs = new Map<string, number>();
  private hasAnswer = false;

  protected override willUpdate(changed: PropertyValues): void {
    const before = changed.get('view') as CompareView | undefined;
    if (before && before.axis !== this.view.axis) this.range = null;
    if (changed.size === 1 && changed.has('cursor')) return;
    const answer = this.askSeries();
    const { runs, view, palette, colorOf, drawn } = this;
    const isOfSame = drawn?.answer === answer && drawn.view === view && areSameRuns(drawn.runs, runs);
    if (isOfSame && drawn.palette === palette && drawn.colorOf === colorOf) return;
    this.drawn = { answer, view, palette, colorOf, runs };
    const series = new Map((answer?.runs ?? []).map((run) => [run.runId, run]));
    const rows = groupRuns(runs, groupingOf(view));
    const options = { rows, series, startMs: this.startMs, view, colorOf };
    for (const tag of comparedTags) {
      const make = (): void => {
        this.cards.set(tag, matches(tag, view.tagFilter) ? compareCard(tag, options) : null);
      };
      // Hundreds of curves: those of a card in each frame, where there is something to look at meanwhile.
      if (!drawn?.answer) make();
      else {
        drawInTurn(`compared ${tag}`, () => {
          make();
          this.requestUpdate();
        });
      }
    }
  }

  override render(): unknown {
    const cards = comparedTags.flatMap((tag) => this.cards.get(tag) ?? []);
    return html`${this.renderTools()}
    ${
      cards.length > 0
        ? html`<div class="grid" @cursor-moved=${this.onCursor} @range-chosen=${this.onRange}>
            ${repeat(
              pinnedFirst(cards, this.view.cards, ({ tag }) => tag),
              ({ tag }) => tag,
              (card) => this.renderCard(card),
            )}
          </div>`
        : this.renderNone()
    }`;
  }

  private renderNone(): unknown {
    if (!this.hasAnswer)
      return html`<kaf-face
        icon="loading"
        busy
        heading="Reading the runs"
        reason="A long log is read once."
      ></kaf-face>`;
    return html`<kaf-face
      icon="graph-line"
      heading="Nothing to draw"
      reason="None of the runs shown has recorded a step, or the filters leave none."
    ></kaf-face>`;
  }

  private renderTools(): unknown {
    const { view } = this;
    return html`<div class="tools">
      <vscode-textfield
        placeholder="filter curves (regex)"
        label="Filter curves by a regular expression"
        .value=${view.tagFilter}
        @input=${(event: Event) => {
          changeCompareView(this, { tagFilter: (event.target as HTMLInputElement).value });
        }}
      ></vscode-textfield>
      <label
        >smoothing
        <input
          type="range"
          min="0"
          max="1"
          step="0.01"
          .value=${sliderOf(view.smoothing).toString()}
          @change=${(event: Event) => {
            changeCompareView(this, { smoothing: smoothingOf(Number((event.target as HTMLInputElement).value)) });
          }}
        />
        <b class="amount">${view.smoothing.toString()}</b></label
      >
      ${this.segments('Horizontal axis', axes, view.axis, (axis) => ({ axis: axis as CompareAxis }))}
      ${this.segments('Scale of x', xScales, view.xScale, (xScale) => ({ xScale: xScale as CompareView['xScale'] }))}
      ${this.segments('Scale of y', yScales, view.yScale, (yScale) => ({ yScale: yScale as CompareView['yScale'] }))}
      <label
        ><input
          type="checkbox"
          .checked=${view.isWithoutOutliers}
          @change=${(event: Event) => {
            changeCompareView(this, { isWithoutOutliers: (event.target as HTMLInputElement).checked });
          }}
        />y without outliers</label
      >
      ${
        view.grouping === 'run'
          ? nothing
          : this.segments('Band', bands, view.band, (band) => ({ band: band as CompareView['band'] }))
      }
      ${
        this.range
          ? html`<button
              class="link"
              @click=${() => {
                this.range = null;
              }}
            >
              whole runs
            </button>`
          : nothing
      }
    </div>`;
  }

  private segments(
    label: string,
    choices: readonly { value: string; text: string }[],
    value: string,
    change: (value: string) => Partial<CompareView>,
  ): unknown {
    return html`<kaf-segments
      label=${label}
      .segments=${choices}
      .value=${value}
      @chosen=${(event: CustomEvent<{ value: string }>) => {
        changeCompareView(this, change(event.detail.value));
      }}
    ></kaf-segments>`;
  }

  private renderCard(card: CompareCard): unknown {
    const told = card.read(this.cursor);
    const isLog = this.view.yScale === 'log' || card.tag === 'gradientNorm';
    const names = told.map(({ name, text }) => `${name} ${text}`).join(', ');
    const { cards } = this.view;
    const frame = cards[card.tag] ?? {};
    const change = (changed: CardFrames): void => {
      changeCompareView(this, { cards: changed });
    };
    return html`<div class=${cardClass(frame)}>
      <h2>${card.tag} ${frameButtons(card.tag, cards, change)}</h2>
      <kaf-line-chart
        zoomable
        .curves=${card.curves}
        .xScale=${this.view.xScale}
        .yScale=${isLog ? 'log' : 'linear'}
        .fixedY=${this.view.isWithoutOutliers && !isLog ? withoutOutliers(card.curves) : null}
        axis=${this.view.axis}
        .formatX=${axisFormats[this.view.axis]}
        .xUnit=${this.view.axis === 'step' ? 1 : 0}
        .range=${this.range}
        .cursor=${this.cursor}
        .palette=${this.palette}
        .heightPx=${frame.height ?? null}
        label="${card.tag} of ${told.length.toString()} curves: ${names}"
      ></kaf-line-chart>
      ${frameHandle(card.tag, cards, change)}
      <div class="told">
        ${told.slice(0, mostTold).map(
          ({ name, color, text }) =>
            html`<span
              ><svg viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill=${color}></circle></svg>${name}
              <b>${text}</b></span
            >`,
        )}
        ${told.length > mostTold ? html`<span class="dim">and ${(told.length - mostTold).toString()} more</span>` : nothing}
      </div>
    </div>`;
  }

  private askSeries(): SeriesResult | null {
    if (!this.feed || this.runs.length === 0) return null;
    // By time each run has its own steps in a stretch, so the whole of each is asked for.
    const range = this.view.axis === 'step' ? this.range : null;
    const answer = this.feed.want('compare/curves', {
      runIds: this.runs.map(({ run }) => run.id),
      tags: comparedTags,
      ...{ from: range?.from ?? null, to: range?.to ?? null, pixels: this.runs.length > 20 ? pixels / 2 : pixels },
      ...{ rowsPerBucket: null, smoothing: this.view.smoothing },
    });
    this.hasAnswer = answer !== null;
    for (const { runId, tables } of answer?.runs ?? []) {
      const [table] = tables;
      if (table?.firstRow === 0 && table.firstMs.length > 0) this.startMs.set(runId, table.firstMs[0]!);
    }
    return answer;
  }

  private readonly onCursor = (event: Event): void => {
    this.cursor = (event as CustomEvent<{ x: number | null }>).detail.x;
  };

  private readonly onRange = (event: Event): void => {
    this.range = (event as CustomEvent<{ range: Range | null }>).detail.range;
  };
}

const mostTold = 12;

const axes = ['step', 'epoch', 'relative', 'wall'].map((value) => ({ value, text: value }));
const xScales = [
  { value: 'linear', text: 'x lin' },
  { value: 'log', text: 'x log' },
];
const yScales = [
  { value: 'linear', text: 'y lin' },
  { value: 'log', text: 'y log' },
];
const bands = [
  { value: 'std', text: 'mean ± std' },
  { value: 'quantile', text: 'quartiles' },
];

const axisFormats: Readonly<Record<CompareAxis, (value: number) => string>> = {
  step: formatTick,
  epoch: formatTick,
  relative: formatClock,
  wall: (value) => new Date(value).toISOString().slice(11, 16),
};
