// <kaf-compare-curves>: the curves of several runs, a card a tag, or the norms of each layer, with one cursor and one range for all; who is who is
// said beside them.
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { ComparedRun } from '../../server/protocol/panel.ts';
import type { SeriesResult } from '../../server/protocol/series.ts';
import { drawInTurn } from '../charts/drawTurns.ts';
import type { Range } from '../curves/decimate.ts';
import { OuterRanges } from '../curves/quantiles.ts';
import { quantityNames } from '../curves/normTable.ts';
import { cardFrameSheet, pinnedFirst } from '../controls/cardFrame.ts';
import { curveCard } from '../controls/curveCard.ts';
import { curveTools, segments } from '../controls/curveTools.ts';
import { matches, withoutChosenY } from '../curves/curveView.ts';
import '../controls/face.ts';
import type { SeriesFeed } from '../state/seriesFeed.ts';
import { formatCount } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, toolsSheet } from '../theme/sheets.ts';
import { answeredTags, cardName, compareCard, comparedTags, type CompareCard } from './compareCards.ts';
import { bands, readingFace, toldCurves, toldSheet } from './compareFace.ts';
import { areSameRuns, groupRuns } from './compareTable.ts';
import { changeCompareView, groupingOf, type CompareView } from './compareView.ts';

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
    `,
    toldSheet,
  ];

  /** Those shown. */
  @property({ attribute: false }) runs: readonly ComparedRun[] = [];
  @property({ attribute: false }) view!: CompareView;
  @property({ attribute: false }) palette!: Palette;
  @property({ attribute: false }) feed: SeriesFeed | null = null;
  /** Counts answers, which the feed keeps. */
  @property({ attribute: false }) version = 0;
  @property({ attribute: false }) colorOf: (key: string) => string = () => '';
  @property({ type: Boolean }) isOfNorms = false;
  @state() private cursor: number | null = null;

  /** Of which there are cards, in their order. */
  private tags: readonly string[] = [];
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
  private readonly outerRanges = new OuterRanges();
  private readonly startMs = new Map<string, number>();
  private hasAnswer = false;

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.size === 1 && changed.has('cursor')) return;
    const answer = this.askSeries();
    const { runs, view, palette, colorOf, drawn } = this;
    const isOfSame = drawn?.answer === answer && drawn.view === view && areSameRuns(drawn.runs, runs);
    if (isOfSame && drawn.palette === palette && drawn.colorOf === colorOf) return;
    const drawing = { answer, view, palette, colorOf, runs };
    this.drawn = drawing;
    const series = new Map((answer?.runs ?? []).map((run) => [run.runId, run]));
    const tags = this.isOfNorms ? answeredTags(series) : comparedTags;
    this.tags = tags.filter((tag) => matches(cardName(tag), view.filter));
    const options = { rows: groupRuns(runs, groupingOf(view)), series, startMs: this.startMs, view, colorOf };
    for (const tag of this.tags) {
      const make = (): void => {
        this.cards.set(tag, compareCard(tag, options));
      };
      // Hundreds of curves: those of a card in each frame, where there is something to look at meanwhile.
      if (!drawn?.answer || !this.cards.has(tag)) make();
      else {
        drawInTurn(`compared ${tag}`, () => {
          if (this.drawn !== drawing) return; // what came meanwhile has made its own
          make();
          this.requestUpdate();
        });
      }
    }
  }

  override render(): unknown {
    const made = this.tags.flatMap((tag) => this.cards.get(tag) ?? []);
    const cards = pinnedFirst(made, this.view.cards, ({ tag }) => cardName(tag));
    const left = cards.length - mostCards;
    return html`${this.renderTools()}
    ${
      cards.length > 0
        ? html`<div class="grid" @cursor-moved=${this.onCursor} @range-chosen=${this.onRange}>
              ${repeat(
                cards.slice(0, mostCards),
                ({ tag }) => tag,
                (card) => this.renderCard(card),
              )}
            </div>
            ${left > 0 ? html`<p class="dim">and ${formatCount(left)} more layers: filter them by name</p>` : nothing}`
        : this.renderNone()
    }`;
  }

  private renderNone(): unknown {
    if (!this.hasAnswer) return readingFace;
    return html`<kaf-face
      icon="graph-line"
      heading="Nothing to draw"
      reason="None of the runs shown has recorded a step, or the filters leave none."
    ></kaf-face>`;
  }

  private renderTools(): unknown {
    const { view, isOfNorms } = this;
    const change = (changed: Partial<CompareView>): void => {
      changeCompareView(this, changed);
    };
    return curveTools({
      ...{ view, change, whole: 'whole runs', smoothing: isOfNorms ? 'none' : 'elsewhere', isLogOnly: isOfNorms },
      more: [
        isOfNorms
          ? segments('Quantity', quantities, view.quantity, (quantity) => {
              change({ quantity: quantity as CompareView['quantity'], cards: withoutChosenY(view.cards) });
            })
          : nothing,
        view.grouping === 'run'
          ? nothing
          : segments('Band', bands, view.band, (band) => {
              change({ band: band as CompareView['band'] });
            }),
      ],
    });
  }

  private renderCard({ tag, curves, formatY, read }: CompareCard): unknown {
    const told = read(this.cursor);
    const names = told.map(({ name, text }) => `${name} ${text}`).join(', ');
    return curveCard({
      ...{
        name: cardName(tag),
        curves,
        formatY,
        view: this.view,
        outerRanges: this.outerRanges,
        cursor: this.cursor,
        palette: this.palette,
      },
      yScale: this.isOfNorms || tag === 'gradientNorm' ? 'log' : this.view.yScale,
      label: `${cardName(tag)} of ${told.length.toString()} curves: ${names}`,
      below: toldCurves(told),
      change: (change) => {
        changeCompareView(this, change);
      },
    });
  }

  private askSeries(): SeriesResult | null {
    if (!this.feed || this.runs.length === 0) return null;
    // By time each run has its own steps in a stretch, so the whole of each is asked for.
    const range = this.view.axis === 'step' ? this.view.zoom : null;
    const answer = this.feed.want('compare/curves', {
      runIds: this.runs.map(({ run }) => run.id),
      tags: this.isOfNorms ? [`${this.view.quantity}/`] : comparedTags,
      ...{ from: range?.from ?? null, to: range?.to ?? null, pixels: this.runs.length > 20 ? pixels / 2 : pixels },
      // An average over every row of every layer of every run would be long in coming.
      ...(this.isOfNorms ? { smoothing: 0, means: true } : { smoothing: this.view.smoothing }),
      rowsPerBucket: null,
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
    changeCompareView(this, { zoom: (event as CustomEvent<{ range: Range | null }>).detail.range });
  };
}

const mostCards = 24;

const quantities = Object.entries(quantityNames).map(([value, text]) => ({ value, text }));
