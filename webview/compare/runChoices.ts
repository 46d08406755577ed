// <kaf-run-choices>: which of the compared runs are shown and how they are grouped. Event `open-run` {runId}.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import type { ComparedRun } from '../../server/protocol/panel.ts';
import { statusText } from '../../server/protocol/run.ts';
import { baseSheet, selectSheet, toolsSheet } from '../theme/sheets.ts';
import { changeCompareView, type CompareView } from './compareView.ts';

@customElement('kaf-run-choices')
export class RunChoices extends LitElement {
  static override styles = [
    baseSheet,
    toolsSheet,
    selectSheet,
    css`
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
    `,
  ];

  @property({ attribute: false }) runs: readonly ComparedRun[] = [];
  /** Of each run. */
  @property({ attribute: false }) titles: readonly string[] = [];
  /** What to group by. */
  @property({ attribute: false }) groupings: readonly string[] = [];
  @property({ attribute: false }) view!: CompareView;
  @property({ attribute: false }) colorOf: (key: string) => string = () => '';
  /** Cells are filtered alone: how runs are grouped and which are hidden is no matter of theirs. */
  @property({ type: Boolean }) isFilterAlone = false;

  override render(): unknown {
    return html`<div class="tools">
        <vscode-textfield
          placeholder="filter ${this.isFilterAlone ? 'cells' : 'runs'} (regex)"
          label="Filter ${this.isFilterAlone ? 'cells' : 'runs'} by a regular expression"
          .value=${this.view.runFilter}
          @input=${(event: Event) => {
            changeCompareView(this, { runFilter: (event.target as HTMLInputElement).value });
          }}
        ></vscode-textfield>
        ${this.isFilterAlone ? nothing : this.renderGrouping()}
      </div>
      ${this.isFilterAlone ? nothing : this.renderRuns()}`;
  }

  private renderGrouping(): unknown {
    const { view, runs } = this;
    const isAnyHidden = view.hidden.length > 0;
    return html`<label
        >group by
        <select
          aria-label="Group runs by"
          @change=${(event: Event) => {
            changeCompareView(this, { grouping: (event.target as HTMLSelectElement).value, baseline: null });
          }}
        >
          ${this.groupings.map(
            (value) =>
              html`<option value=${value} ?selected=${value === view.grouping}>
                ${groupingTexts[value] ?? value}
              </option>`,
          )}
        </select></label
      >
      <button
        class="link"
        @click=${() => {
          changeCompareView(this, { hidden: isAnyHidden ? [] : runs.map(({ run }) => run.id) });
        }}
      >
        ${isAnyHidden ? 'show all' : 'hide all'}
      </button>`;
  }

  private renderRuns(): unknown {
    const { view, runs } = this;
    const hidden = new Set(view.hidden);
    return html`<div class="runs" role="group" aria-label="Runs shown">
      ${runs.map(
        ({ run }, index) =>
          html`<button
            aria-pressed=${hidden.has(run.id) ? 'false' : 'true'}
            title="${run.description} · ${statusText(run)} · double-click opens its dashboard"
            @click=${() => {
              changeCompareView(this, {
                hidden: hidden.has(run.id) ? view.hidden.filter((id) => id !== run.id) : [...view.hidden, run.id],
              });
            }}
            @dblclick=${() => {
              this.dispatchEvent(new CustomEvent('open-run', { detail: { runId: run.id }, bubbles: true }));
            }}
          >
            <svg viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill=${this.colorOf(run.id)}></circle></svg
            >${this.titles[index]}
          </button>`,
      )}
    </div>`;
  }
}

const groupingTexts: Readonly<Record<string, string>> = {
  run: 'none: each run',
  seeds: 'seeds: all else the same',
  experiment: 'experiment',
  tag: 'tag',
};
