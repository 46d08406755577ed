// <kaf-compare-table>: runs or groups as rows, final figures and differing settings as columns; accuracy against robustness as a picture.
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { ComparedRun } from '../../server/protocol/panel.ts';
import '../controls/face.ts';
import { formatNumber } from '../text/numbers.ts';
import { baseSheet, cardSheet, tableSheet, toolsSheet } from '../theme/sheets.ts';
import {
  cellText,
  cellValue,
  compareColumns,
  compareRows,
  groupRuns,
  sortRows,
  type CompareColumn,
  type CompareRow,
} from './compareTable.ts';
import { changeCompareView, groupingOf, type CompareView } from './compareView.ts';
import './paretoChart.ts';
import type { ParetoPoint } from './paretoChart.ts';
import { tableText, type TableForm } from './tableText.ts';

@customElement('kaf-compare-table')
export class CompareTab extends LitElement {
  static override styles = [
    baseSheet,
    cardSheet,
    tableSheet,
    toolsSheet,
    css`
      .scroll {
        overflow-x: auto;
        margin-bottom: 12px;
      }
      th button {
        all: unset;
        cursor: pointer;
        white-space: nowrap;
      }
      th button:focus-visible {
        outline: 1px solid var(--kaf-focus);
      }
      td,
      th {
        white-space: nowrap;
      }
      td:first-child svg {
        width: 8px;
        height: 8px;
        margin-right: 6px;
      }
      tr[aria-selected='true'] td {
        background: var(--kaf-hover);
      }
      .test {
        display: block;
        font-size: 11px;
      }
    `,
  ];

  @property({ attribute: false }) runs: readonly ComparedRun[] = [];
  @property({ attribute: false }) view!: CompareView;
  @property({ attribute: false }) colorOf: (key: string) => string = () => '';

  private columns: readonly CompareColumn[] = [];
  private shown: readonly CompareColumn[] = [];
  private rows: readonly CompareRow[] = [];

  protected override willUpdate(_changed: PropertyValues): void {
    const { view, runs } = this;
    this.columns = compareColumns(runs);
    const hidden = new Set(view.hiddenColumns);
    this.shown = this.columns.filter(({ key }) => !hidden.has(key));
    const by = this.columns.find(({ key }) => key === view.sortKey);
    this.rows = sortRows(groupRuns(runs, groupingOf(view)), by, view);
  }

  override render(): unknown {
    if (this.rows.length === 0)
      return html`<kaf-face
        icon="list-unordered"
        heading="No run is shown"
        reason="The filter leaves none."
      ></kaf-face>`;
    return html`${this.renderTools()}
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>${this.view.grouping === 'run' ? 'run' : 'group'}</th>
              ${this.view.grouping === 'run' ? nothing : html`<th>runs</th>`}
              ${this.shown.map((column) => this.renderHead(column))}
            </tr>
          </thead>
          <tbody>
            ${this.rows.map((row) => this.renderRow(row))}
          </tbody>
        </table>
      </div>
      ${this.renderScatter()}`;
  }

  private renderTools(): unknown {
    const hidden = this.view.hiddenColumns.filter((key) => this.columns.some((column) => column.key === key));
    return html`<div class="tools">
      <span class="dim">Copy as</span>
      ${(['markdown', 'latex', 'csv'] as const).map(
        (form) =>
          html`<button
            class="link"
            @click=${() => {
              this.copy(form);
            }}
          >
            ${{ markdown: 'Markdown', latex: 'LaTeX', csv: 'CSV' }[form]}
          </button>`,
      )}
      ${
        hidden.length === 0
          ? nothing
          : html`<button
              class="link"
              @click=${() => {
                changeCompareView(this, { hiddenColumns: [] });
              }}
            >
              show ${hidden.length.toString()} hidden ${hidden.length === 1 ? 'column' : 'columns'}
            </button>`
      }
      <span class="grow"></span>
      <span class="dim"
        >${
          this.view.baseline === null
            ? 'click a row to test the others against it, seed by seed'
            : 'paired t test over common seeds; click the row again to end it'
        }</span
      >
    </div>`;
  }

  private renderHead({ key, title }: CompareColumn): unknown {
    const { sortKey, isDescending } = this.view;
    const isSorted = sortKey === key;
    return html`<th aria-sort=${isSorted ? (isDescending ? 'descending' : 'ascending') : 'none'}>
      <button
        title="sort by ${title}"
        @click=${() => {
          changeCompareView(this, { sortKey: key, isDescending: isSorted ? !isDescending : true });
        }}
      >
        ${title}${isSorted ? (isDescending ? ' ↓' : ' ↑') : ''}
      </button>
      <button
        class="dim"
        title="hide this column"
        aria-label="Hide ${title}"
        @click=${() => {
          changeCompareView(this, { hiddenColumns: [...this.view.hiddenColumns, key] });
        }}
      >
        ×
      </button>
    </th>`;
  }

  private renderRow(row: CompareRow): unknown {
    const isBaseline = row.key === this.view.baseline;
    return html`<tr
      aria-selected=${isBaseline ? 'true' : 'false'}
      @click=${() => {
        changeCompareView(this, { baseline: isBaseline ? null : row.key });
      }}
    >
      <td>
        <svg viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill=${this.colorOf(row.key)}></circle></svg>${row.title}
      </td>
      ${this.view.grouping === 'run' ? nothing : html`<td>${row.runs.length.toString()}</td>`}
      ${this.shown.map((column) => html`<td>${cellText(row, column)}${this.renderTest(row, column)}</td>`)}
    </tr>`;
  }

  private renderTest(row: CompareRow, column: CompareColumn): unknown {
    const baseline = this.rows.find(({ key }) => key === this.view.baseline);
    if (!baseline || baseline === row || column.kind === 'setting' || column.key === 'step') return nothing;
    const { nPairs, difference, p } = compareRows(row, baseline, column);
    if (nPairs === 0) return nothing;
    const sign = difference > 0 ? '+' : '−';
    const size = Math.abs(difference);
    const shown = column.isProportion ? (size * 100).toFixed(1) : formatNumber(size, 3);
    return html`<span class="test dim">${sign}${shown}${Number.isNaN(p) ? '' : ` · p ${formatP(p)}`}</span>`;
  }

  private renderScatter(): unknown {
    const robust = this.columns.find(({ key }) => key.startsWith('attack/'));
    const clean = this.columns.find(({ key }) => key === 'clean');
    if (!robust || !clean) return nothing;
    const points = this.rows.map((row): ParetoPoint => ({
      ...{ name: row.title, color: this.colorOf(row.key) },
      ...{ x: 100 * Number(cellValue(row, clean)), y: 100 * Number(cellValue(row, robust)) },
    }));
    return html`<div class="card">
      <h2>clean against robust <span>${robust.title} · per cent · the line joins what none beats in both</span></h2>
      <kaf-pareto-chart .points=${points}></kaf-pareto-chart>
    </div>`;
  }

  private copy(form: TableForm): void {
    const titles = [this.view.grouping === 'run' ? 'run' : 'group', ...this.shown.map(({ title }) => title)];
    const cells = this.rows.map((row) => [row.title, ...this.shown.map((column) => cellText(row, column))]);
    const text = tableText(titles, cells, form);
    this.dispatchEvent(new CustomEvent('copy-asked', { detail: { text }, bubbles: true, composed: true }));
  }
}

function formatP(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}
