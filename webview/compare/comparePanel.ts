// <kaf-compare>: a set of runs side by side: which of them are shown and how they are grouped, their curves, their table.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import type { ComparedRun, FromCompare, ToCompare } from '../../server/protocol/panel.ts';
import { isLive, statusText } from '../../server/protocol/run.ts';
import { FrameGate } from '../charts/frameGate.ts';
import '../controls/face.ts';
import '../controls/tabs.ts';
import { SeriesFeed } from '../state/seriesFeed.ts';
import { formatCount } from '../text/numbers.ts';
import { readPalette, watchTheme, type Palette } from '../theme/palette.ts';
import { baseSheet, findingSheet, toolsSheet } from '../theme/sheets.ts';
import './compareCurvesTab.ts';
import './compareTab.ts';
import { differingSettings, groupRuns, runTitles } from './compareTable.ts';
import { defaultCompareView, groupingOf, keptView, matches, runColor, type CompareView } from './compareView.ts';

@customElement('kaf-compare')
export class ComparePanel extends LitElement {
  static override styles = [
    baseSheet,
    toolsSheet,
    findingSheet,
    css`
      :host {
        padding: 8px 16px 16px;
      }
      h1 {
        font-size: 14px;
        margin: 0 0 6px;
      }
      .runs {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 6px;
        margin: 8px 0 10px;
        max-height: 96px;
        overflow: auto;
      }
      .runs button {
        appearance: none;
        font: inherit;
        font-size: 12px;
        color: var(--kaf-foreground);
        background: transparent;
        border: 1px solid var(--kaf-line);
        border-radius: 10px;
        padding: 1px 9px;
        cursor: pointer;
      }
      .runs button[aria-pressed='false'] {
        color: var(--kaf-faint);
        border-style: dashed;
      }
      .runs svg {
        width: 8px;
        height: 8px;
        margin-right: 5px;
      }
      select {
        font: inherit;
        color: var(--kaf-foreground);
        background: var(--kaf-background);
        border: 1px solid var(--kaf-line);
        max-width: 240px;
      }
      kaf-tabs {
        margin-bottom: 10px;
      }
    `,
  ];

  @state() private runs: readonly ComparedRun[] = [];
  @state() private view: CompareView = defaultCompareView;
  @state() private palette: Palette = readPalette();
  @state() private failure: string | null = null;
  @state() private reading: number | null = null;
  @state() private version = 0;
  /** Of runs, and of the rows of groups, by their keys. */
  private places: ReadonlyMap<string, number> = new Map();
  private post: (message: FromCompare) => void = () => undefined;
  private readonly feed = new SeriesFeed((intent) => {
    this.post(intent);
  });
  private readonly gate = new FrameGate(() => {
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
      case 'runs':
        this.runs = message.runs;
        this.view = keptView(message.view);
        this.failure = null;
        this.feed.forget();
        return;
      case 'run':
        this.runs = message.isDeleted
          ? this.runs.filter(({ run }) => run.id !== message.run.id)
          : this.runs.map((one) => (one.run.id === message.run.id ? { ...one, run: message.run } : one));
        this.feed.grown('compare/');
        return;
      case 'series':
        if (this.feed.receive(message)) {
          this.reading = null;
          this.gate.request();
        }
        return;
      case 'reading':
        this.reading = message.totalBytes > 0 ? message.doneBytes / message.totalBytes : null;
        return;
      case 'connection':
        if (message.connection.status === 'lost') this.failure = message.connection.message;
        return;
      case 'failed':
        this.failure = message.message;
        return;
      default:
        message satisfies never;
    }
  }

  protected override willUpdate(): void {
    const rows = groupRuns(this.runs, groupingOf(this.view));
    this.places = new Map(
      rows.flatMap(({ key, runs }, place) => [key, ...runs.map(({ run }) => run.id)].map((each) => [each, place])),
    );
  }

  override render(): unknown {
    if (this.runs.length === 0) return this.renderNone();
    const { view, palette, feed } = this;
    const hidden = new Set(view.hidden);
    const shown = this.runs.filter((one) => !hidden.has(one.run.id) && matches(wordsOf(one), view.runFilter));
    const failure = this.failure ?? feed.failure;
    const live = this.runs.filter(({ run }) => isLive(run.status)).length;
    return html`<h1>
        ${formatCount(shown.length)} of ${formatCount(this.runs.length)}
        runs${live > 0 ? ` · ${formatCount(live)} live` : ''}
      </h1>
      ${failure === null ? nothing : html`<div class="finding bad" role="alert"><b>${failure}</b></div>`}
      ${
        this.reading === null
          ? nothing
          : html`<div class="finding quiet" role="status">
              <b>Reading long logs, once: ${Math.floor(this.reading * 100).toString()} %</b>
            </div>`
      }
      ${this.renderChoices()}
      <kaf-tabs
        .tabs=${[
          { value: 'curves', text: 'Curves', badge: null },
          { value: 'table', text: 'Compare', badge: null },
        ]}
        .value=${view.tab}
        @chosen=${(event: CustomEvent<{ value: CompareView['tab'] }>) => {
          this.change({ tab: event.detail.value });
        }}
      ></kaf-tabs>
      <main
        role="tabpanel"
        @view-changed=${(event: CustomEvent<Partial<CompareView>>) => {
          this.change(event.detail);
        }}
        @copy-asked=${(event: CustomEvent<{ text: string }>) => {
          this.post({ type: 'copy', ...event.detail });
        }}
        @save-asked=${(event: CustomEvent<{ name: string; content: string | Uint8Array }>) => {
          this.post({ type: 'saveFile', ...event.detail });
        }}
      >
        ${
          view.tab === 'curves'
            ? html`<kaf-compare-curves
                .runs=${shown}
                .view=${view}
                .palette=${palette}
                .feed=${feed}
                .version=${this.version}
                .colorOf=${this.colorOf}
              ></kaf-compare-curves>`
            : html`<kaf-compare-table .runs=${shown} .view=${view} .colorOf=${this.colorOf}></kaf-compare-table>`
        }
      </main>`;
  }

  private renderNone(): unknown {
    if (this.failure !== null)
      return html`<kaf-face
        tone="bad"
        icon="error"
        heading="The runs can’t be compared"
        reason=${this.failure}
      ></kaf-face>`;
    return html`<kaf-face icon="loading" busy heading="Opening the runs" reason="Reading what they are."></kaf-face>`;
  }

  private renderChoices(): unknown {
    const { view } = this;
    const hidden = new Set(view.hidden);
    const titles = runTitles(this.runs);
    return html`<div class="tools">
        <vscode-textfield
          placeholder="filter runs (regex)"
          label="Filter runs by a regular expression"
          .value=${view.runFilter}
          @input=${(event: Event) => {
            this.change({ runFilter: (event.target as HTMLInputElement).value });
          }}
        ></vscode-textfield>
        <label
          >group by
          <select
            aria-label="Group runs by"
            @change=${(event: Event) => {
              this.change({ grouping: (event.target as HTMLSelectElement).value, baseline: null });
            }}
          >
            ${[
              ['run', 'none: each run'],
              ['seeds', 'seeds: all else the same'],
              ...differingSettings(this.runs).map((path) => [path, path]),
            ].map(
              ([value, text]) => html`<option value=${value!} ?selected=${value === view.grouping}>${text}</option>`,
            )}
          </select></label
        >
        <button
          class="link"
          @click=${() => {
            this.change({ hidden: hidden.size === 0 ? this.runs.map(({ run }) => run.id) : [] });
          }}
        >
          ${hidden.size === 0 ? 'hide all' : 'show all'}
        </button>
      </div>
      <div class="runs" role="group" aria-label="Runs shown">
        ${this.runs.map(
          ({ run }, index) =>
            html`<button
              aria-pressed=${hidden.has(run.id) ? 'false' : 'true'}
              title="${run.description} · ${statusText(run)} · double-click opens its dashboard"
              @click=${() => {
                this.change({
                  hidden: hidden.has(run.id) ? view.hidden.filter((id) => id !== run.id) : [...view.hidden, run.id],
                });
              }}
              @dblclick=${() => {
                this.post({ type: 'openDashboard', runId: run.id });
              }}
            >
              <svg viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill=${this.colorOf(run.id)}></circle></svg
              >${titles[index]}
            </button>`,
        )}
      </div>`;
  }

  private change(change: Partial<CompareView>): void {
    this.view = { ...this.view, ...change };
    this.post({ type: 'keepView', view: this.view });
  }

  /** By the place in the whole set, so that a colour stays when others are hidden; of a run in a group the group's. */
  private readonly colorOf = (key: string): string => runColor(this.places.get(key) ?? 0, this.palette.isLight);
}

/** What a filter of runs looks at. */
function wordsOf({ run }: ComparedRun): string {
  return [run.name, `seed ${String(run.seed)}`, run.description, statusText(run), run.id].join(' ');
}
