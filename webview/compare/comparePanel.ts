// <kaf-compare>: a set of runs side by side: which of them are shown and how they are grouped, their curves, their table. Of a sweep its
// header and its cells, too.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import type { ComparedRun, FromCompare, ToCompare } from '../../server/protocol/panel.ts';
import { isLive, statusText, type RunSummary } from '../../server/protocol/run.ts';
import { countCells, type SweepAsk, type SweepSummary } from '../../server/protocol/sweep.ts';
import { matches } from '../curves/curveView.ts';
import { FrameGate } from '../charts/frameGate.ts';
import '../controls/face.ts';
import '../controls/tabs.ts';
import '../sweep/cellsTab.ts';
import '../sweep/sweepHeader.ts';
import { remainingMs } from '../sweep/sweepTime.ts';
import { OutcomeFeed } from '../state/outcomeFeed.ts';
import { SeriesFeed } from '../state/seriesFeed.ts';
import { formatCount } from '../text/numbers.ts';
import { readPalette, watchTheme, type Palette } from '../theme/palette.ts';
import { baseSheet, findingSheet } from '../theme/sheets.ts';
import './compareCurvesTab.ts';
import './compareOutcomesTab.ts';
import './compareTab.ts';
import './runChoices.ts';
import { areSameRuns, groupRuns, runTitles, usefulGroupings } from './compareTable.ts';
import {
  defaultCompareView,
  defaultSweepView,
  groupingOf,
  keptView,
  runColor,
  type CompareView,
} from './compareView.ts';

@customElement('kaf-compare')
export class ComparePanel extends LitElement {
  static override styles = [
    baseSheet,
    findingSheet,
    css`
      :host {
        padding: 8px 16px 16px;
      }
      h1 {
        font-size: 14px;
        margin: 0 0 6px;
      }
      kaf-tabs {
        margin-bottom: 10px;
      }
    `,
  ];

  @state() private runs: readonly ComparedRun[] = [];
  /** Null where runs were chosen. */
  @state() private sweep: { readonly summary: SweepSummary; readonly bytes: number | null } | null = null;
  @state() private view: CompareView = defaultCompareView;
  @state() private palette: Palette = readPalette();
  @state() private failure: string | null = null;
  @state() private reading: number | null = null;
  @state() private version = 0;
  /** Of runs, and of the rows of groups, by their keys. */
  private colorOf: (key: string) => string = () => '';
  private post: (message: FromCompare) => void = () => undefined;
  private readonly feed = new SeriesFeed((intent) => {
    this.post(intent);
  });
  private readonly outcomes = new OutcomeFeed((intent) => {
    this.post(intent);
  });
  /** What is the same however the runs stand. */
  private settled = {
    runs: [] as readonly ComparedRun[],
    grouping: '',
    titles: [] as readonly string[],
    groupings: [] as readonly string[],
  };
  /** What became of runs since they were drawn, by run: each of them may tell ten times a second. */
  private readonly news = new Map<string, Extract<ToCompare, { type: 'run' }>>();
  private readonly gate = new FrameGate(() => {
    this.runs = this.runs.flatMap((one) => {
      const { run, isDeleted } = this.news.get(one.run.id) ?? { run: one.run };
      return isDeleted ? [] : [run === one.run ? one : { ...one, run }];
    });
    this.news.clear();
    this.version++;
  });

  connect(post: (message: FromCompare) => void): void {
    this.post = post;
    watchTheme(() => {
      this.palette = readPalette();
    });
  }

  receive(message: ToCompare): void {
    switch (message.type) {
      case 'sweep':
        this.sweep = { summary: message.sweep, bytes: message.bytes };
        return;
      case 'runs':
        // Those of a sweep become more under the eyes of a person, who may have changed the view meanwhile.
        if (this.runs.length === 0 || !this.sweep) {
          this.view = keptView(message, this.sweep ? defaultSweepView : defaultCompareView);
          this.feed.forget();
          this.outcomes.forget();
        }
        this.runs = message.runs;
        this.news.clear();
        this.failure = null;
        return;
      case 'run':
        this.news.set(message.run.id, message);
        this.feed.grown('compare/');
        this.gate.request();
        return;
      case 'series':
        if (this.feed.receive(message)) {
          this.reading = null;
          this.gate.request();
        }
        return;
      case 'outcomes':
        if (this.outcomes.receive(message)) {
          this.reading = null;
          this.gate.request();
        }
        return;
      case 'reading':
        this.reading = message.totalBytes > 0 ? message.doneBytes / message.totalBytes : null;
        return;
      case 'connection':
        this.failure = message.connection.status === 'lost' ? message.connection.message : null;
        if (message.connection.status === 'connected') {
          this.outcomes.askAnew();
          this.gate.request();
        }
        return;
      case 'failed':
        this.failure = message.message;
        return;
      default:
        message satisfies never;
    }
  }

  protected override willUpdate(): void {
    const compared = this.compared();
    const { grouping } = this.view;
    if (areSameRuns(this.settled.runs, compared) && this.settled.grouping === grouping) return;
    this.settled = { runs: compared, grouping, titles: runTitles(compared), groupings: usefulGroupings(compared) };
    const rows = groupRuns(compared, groupingOf(this.view));
    // By the place in the whole set, so that a colour stays when others are hidden; of a run in a group the group's.
    const places = new Map(
      rows.flatMap(({ key, runs }, place) => [key, ...runs.map(({ run }) => run.id)].map((each) => [each, place])),
    );
    this.colorOf = (key) => runColor(places.get(key) ?? 0, this.palette.isLight);
  }

  override render(): unknown {
    if (this.runs.length === 0 && !this.sweep) return this.renderNone();
    const { view, feed } = this;
    const hidden = new Set(view.hidden);
    const compared = this.compared();
    const shown = compared.filter((one) => !hidden.has(one.run.id) && matches(wordsOf(one), view.runFilter));
    const failure = this.failure ?? feed.failure ?? this.outcomes.failure;
    const live = this.runs.filter(({ run }) => isLive(run.status)).length;
    const tab = this.sweep || view.tab !== 'cells' ? view.tab : defaultCompareView.tab;
    return html`${
        this.sweep
          ? this.renderSweepHeader(this.sweep.summary)
          : html`<h1>
              ${formatCount(shown.length)} of ${formatCount(this.runs.length)}
              runs${live > 0 ? ` · ${formatCount(live)} live` : ''}
            </h1>`
      }
      ${failure === null ? nothing : html`<div class="finding bad" role="alert"><b>${failure}</b></div>`}
      ${
        this.reading === null
          ? nothing
          : html`<div class="finding quiet" role="status">
              <b>Reading long logs, once: ${Math.floor(this.reading * 100).toString()} %</b>
            </div>`
      }
      <kaf-run-choices
        .runs=${compared}
        .titles=${this.settled.titles}
        .groupings=${this.settled.groupings}
        .view=${view}
        .colorOf=${this.colorOf}
        ?isFilterAlone=${tab === 'cells'}
        @view-changed=${this.onViewChanged}
        @open-run=${this.onOpenRun}
      ></kaf-run-choices>
      <kaf-tabs
        .tabs=${[
          ...(this.sweep ? [{ value: 'cells', text: 'Cells', badge: this.failedBadge() }] : []),
          { value: 'curves', text: 'Curves', badge: null },
          { value: 'norms', text: 'Norms', badge: null },
          { value: 'robustness', text: 'Robustness', badge: null },
          { value: 'shift', text: 'Shift', badge: null },
          { value: 'table', text: 'Compare', badge: null },
        ]}
        .value=${tab}
        @chosen=${(event: CustomEvent<{ value: CompareView['tab'] }>) => {
          this.change({ tab: event.detail.value });
        }}
      ></kaf-tabs>
      <main role="tabpanel" @view-changed=${this.onViewChanged} @open-run=${this.onOpenRun}>
        ${this.renderTab(tab, shown)}
      </main>`;
  }

  private renderTab(tab: CompareView['tab'], shown: readonly ComparedRun[]): unknown {
    const { view, sweep } = this;
    if (tab === 'cells')
      return html`<kaf-sweep-cells
        .cells=${sweep?.summary.cells ?? []}
        .runs=${this.runsById()}
        .view=${view}
      ></kaf-sweep-cells>`;
    if (this.runs.length === 0)
      return html`<kaf-face
        icon="watch"
        heading="No cell has a run yet"
        reason="The first are shown here as soon as they begin."
      ></kaf-face>`;
    if (tab === 'robustness' || tab === 'shift')
      return html`<kaf-compare-outcomes
        of=${tab === 'shift' ? 'shifts' : 'attacks'}
        .runs=${shown}
        .view=${view}
        .palette=${this.palette}
        .outcomes=${this.outcomes.want(shown.map(({ run }) => run))}
        ?hasFailed=${(this.failure ?? this.outcomes.failure) !== null}
        .colorOf=${this.colorOf}
      ></kaf-compare-outcomes>`;
    return tab !== 'table'
      ? html`<kaf-compare-curves
          ?isOfNorms=${tab === 'norms'}
          .runs=${shown}
          .view=${view}
          .palette=${this.palette}
          .feed=${this.feed}
          .version=${this.version}
          .colorOf=${this.colorOf}
        ></kaf-compare-curves>`
      : html`<kaf-compare-table .runs=${shown} .view=${view} .colorOf=${this.colorOf}></kaf-compare-table>`;
  }

  private renderSweepHeader(sweep: SweepSummary): unknown {
    return html`<kaf-sweep-header
      .sweep=${sweep}
      .bytes=${this.sweep?.bytes ?? null}
      .remainingMs=${remainingMs(sweep.cells, this.runsById())}
      @ask-sweep=${(event: CustomEvent<{ ask: SweepAsk }>) => {
        this.post({ type: 'askSweep', ...event.detail });
      }}
      @open-experiment=${() => {
        this.post({ type: 'openExperiment' });
      }}
    ></kaf-sweep-header>`;
  }

  private failedBadge(): string | null {
    const { failed } = countCells(this.sweep?.summary.cells ?? []);
    return failed > 0 ? failed.toString() : null;
  }

  /** Without parts of evaluations: what they find their wholes have. */
  private compared(): readonly ComparedRun[] {
    const parts = new Set(this.sweep?.summary.cells.flatMap(({ isPart, runId }) => (isPart && runId) || []));
    return this.runs.filter(({ run }) => !parts.has(run.id));
  }

  private runsById(): ReadonlyMap<string, RunSummary> {
    return new Map(this.runs.map(({ run }) => [run.id, run]));
  }

  private renderNone(): unknown {
    if (this.failure !== null)
      return html`<kaf-face tone="bad" icon="error" heading="Nothing can be shown" reason=${this.failure}></kaf-face>`;
    return html`<kaf-face icon="loading" busy heading="Opening the runs" reason="Reading what they are."></kaf-face>`;
  }

  private change(change: Partial<CompareView>): void {
    this.view = { ...this.view, ...change };
    this.post({ type: 'keepView', view: this.view });
  }

  private readonly onViewChanged = (event: CustomEvent<Partial<CompareView>>): void => {
    this.change(event.detail);
  };

  private readonly onOpenRun = (event: CustomEvent<{ runId: string }>): void => {
    this.post({ type: 'openDashboard', ...event.detail });
  };
}

/** What a filter of runs looks at. */
function wordsOf({ run, cell }: ComparedRun): string {
  const { title = '', tags = [], note = '' } = run.mark ?? {};
  const marks = [title, ...tags.map((tag) => `#${tag}`), note];
  return [cell ?? run.name, `seed ${String(run.seed)}`, ...marks, run.description, statusText(run), run.id].join(' ');
}
