// <kaf-compare-table>: runs or groups as rows, final figures and differing settings as columns; accuracy against robustness as a picture.
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { ComparedRun } from '../../server/protocol/panel.ts';
import '../controls/face.ts';
import { formatNumber } from '../text/numbers.ts';
import { baseSheet, cardSheet, tableSheet, toolsSheet } from '../theme/sheets.ts';
import {
  bestRows,
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
import { parallelAxes } from './parallelAxes.ts';
import './parallelChart.ts';
import type { ParallelLine } from './parallelChart.ts';
import './paretoChart.ts';
import type { ParetoPoint } from './paretoChart.ts';
import { tableText } from './tableText.ts';
import { copyButtons, hiddenColumnsLink, sortableHead, sortableSheet } from './tableTools.ts';

@customElement('kaf-compare-table')
export class CompareTab extends LitElement {
  static override styles = [
    baseSheet,
    cardSheet,
    tableSheet,
    toolsSheet,
    sortableSheet,
    css`
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
      td button {
        all: unset;
        cursor: pointer;
      }
      td button:focus-visible {
        outline: 1px solid var(--kaf-focus);
      }
      td b {
        font-weight: 700;
      }
      .pictures {
        grid-template-columns: repeat(auto-fit, minmax(min(520px, 100%), 1fr));
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
  /** Of each column shown, the rows that are the best. */
  private best: readonly ReadonlySet<number>[] = [];

  protected override willUpdate(_changed: PropertyValues): void {
    const { view, runs } = this;
    this.columns = compareColumns(runs);
    const hidden = new Set(view.hiddenColumns);
    this.shown = this.columns.filter(({ key }) => !hidden.has(key));
    const by = this.columns.find(({ key }) => key === view.sortKey);
    this.rows = sortRows(groupRuns(runs, groupingOf(view)), by, view);
    this.best = this.shown.map((column) => bestRows(this.rows, column));
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
            ${this.rows.map((row, index) => this.renderRow(row, index))}
          </tbody>
        </table>
      </div>
      <div class="grid pictures">${this.renderScatter()}${this.renderParallel()}</div>`;
  }

  private renderTools(): unknown {
    const hidden = this.view.hiddenColumns.filter((key) => this.columns.some((column) => column.key === key));
    return html`<div class="tools">
      ${copyButtons((form) => {
        const titles = [this.view.grouping === 'run' ? 'run' : 'group', ...this.shown.map(({ title }) => title)];
        const cells = this.rows.map((row) => [row.title, ...this.shown.map((column) => cellText(row, column))]);
        return tableText(titles, cells, form, (row, column) => this.best[column - 1]?.has(row) === true);
      })}
      ${hiddenColumnsLink(hidden.length, () => {
        changeCompareView(this, { hiddenColumns: [] });
      })}
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

  private renderHead(column: CompareColumn): unknown {
    return sortableHead(column, this.view, {
      choose: (choice) => {
        changeCompareView(this, choice);
      },
      hide: () => {
        changeCompareView(this, { hiddenColumns: [...this.view.hiddenColumns, column.key] });
      },
    });
  }

  private renderRow(row: CompareRow, index: number): unknown {
    const isBaseline = row.key === this.view.baseline;
    return html`<tr
      aria-selected=${isBaseline ? 'true' : 'false'}
      @click=${() => {
        changeCompareView(this, { baseline: isBaseline ? null : row.key });
      }}
    >
      <td>
        <svg viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill=${this.colorOf(row.key)}></circle></svg
        ><button aria-pressed=${isBaseline ? 'true' : 'false'} title="test the others against it">${row.title}</button>
      </td>
      ${this.view.grouping === 'run' ? nothing : html`<td>${row.runs.length.toString()}</td>`}
      ${this.shown.map((column, place) => {
        const text = cellText(row, column);
        const isBest = this.best[place]?.has(index) === true;
        return html`<td>
          ${isBest ? html`<b title="the best of the column">${text}</b>` : text}${this.renderTest(row, column)}
        </td>`;
      })}
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

  private renderParallel(): unknown {
    const axes = parallelAxes(this.rows, this.columns);
    if (axes.length < 2 || this.rows.length < 2) return nothing;
    const told = this.columns.filter(({ key }) => axes.some((axis) => axis.key === key));
    const lines = this.rows.map((row): ParallelLine => {
      const parts = told.map((column) => `${column.title.split('.').at(-1)!} ${cellText(row, column)}`);
      return { name: row.title, color: this.colorOf(row.key), said: `${row.title}: ${parts.join(', ')}` };
    });
    return html`<div class="card">
      <h2>settings and figures <span>a line a ${this.view.grouping === 'run' ? 'run' : 'group'}</span></h2>
      <kaf-parallel-chart .axes=${axes} .lines=${lines}></kaf-parallel-chart>
    </div>`;
  }
}

function formatP(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}
