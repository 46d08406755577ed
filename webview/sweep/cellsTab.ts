// <kaf-sweep-cells>: every cell of a sweep as a row, those that failed first with their reason. Event `open-run` {runId}.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { RunSummary } from '../../server/protocol/run.ts';
import type { SweepCell } from '../../server/protocol/sweep.ts';
import { matches } from '../curves/curveView.ts';
import { changeCompareView, type CompareView } from '../compare/compareView.ts';
import { tableText } from '../compare/tableText.ts';
import { copyButtons, hiddenColumnsLink, sortableHead, sortableSheet } from '../compare/tableTools.ts';
import '../controls/face.ts';
import { statusTone } from '../state/progress.ts';
import { baseSheet, cardSheet, chipSheet, tableSheet, toolsSheet } from '../theme/sheets.ts';
import {
  bestCells,
  cellColumns,
  cellReason,
  nameColumn,
  sortCells,
  statusColumn,
  wordsOfCell,
  type CellColumn,
} from './cellTable.ts';

@customElement('kaf-sweep-cells')
export class CellsTab extends LitElement {
  static override styles = [
    baseSheet,
    cardSheet,
    chipSheet,
    tableSheet,
    toolsSheet,
    sortableSheet,
    css`
      td:nth-child(2),
      th:nth-child(2) {
        text-align: left;
      }
      .why td {
        text-align: left;
        white-space: normal;
        padding-top: 0;
      }
      .why div {
        position: sticky;
        left: 2px;
        width: fit-content;
        max-width: min(900px, calc(100vw - 48px));
        color: var(--kaf-dim);
        overflow-wrap: anywhere;
      }
      .why .bad {
        color: var(--kaf-alarm);
      }
      tr.has-why td {
        border-bottom-color: transparent;
      }
    `,
  ];

  @property({ attribute: false }) cells: readonly SweepCell[] = [];
  @property({ attribute: false }) runs: ReadonlyMap<string, RunSummary> = new Map();
  @property({ attribute: false }) view!: CompareView;

  override render(): unknown {
    const { cells, runs, view } = this;
    const columns = cellColumns(cells);
    const hidden = new Set(view.hiddenCellColumns);
    const shown = columns.filter(({ key }) => !hidden.has(key));
    const by = [statusColumn, nameColumn, ...columns].find(({ key }) => key === view.cellSortKey) ?? statusColumn;
    const filtered = cells.filter((cell) => matches(wordsOfCell(cell), view.runFilter));
    const rows = sortCells(filtered, runs, by, { isDescending: view.isCellDescending });
    const best = new Map(shown.map((column) => [column, bestCells(rows, column)]));
    return html`<div class="tools">
        ${copyButtons((form) => {
          const all = [nameColumn, statusColumn, ...shown];
          const titles = all.map(({ title }) => title);
          const texts = rows.map((cell) => all.map((column) => this.textOf(cell, column)));
          return tableText(titles, texts, form, (row, column) => best.get(all[column]!)?.has(row) === true);
        })}
        ${hiddenColumnsLink(columns.length - shown.length, () => {
          changeCompareView(this, { hiddenCellColumns: [] });
        })}
        <span class="grow"></span>
        <span class="dim">click a cell to open its run</span>
      </div>
      ${
        rows.length === 0
          ? html`<kaf-face
              icon="list-unordered"
              heading="No cell is shown"
              reason="The filter leaves none."
            ></kaf-face>`
          : html`<div class="scroll">
              <table>
                <thead>
                  <tr>
                    ${this.head(statusColumn, by)}${this.head(nameColumn, by)}
                    ${shown.map((column) => this.head(column, by))}
                  </tr>
                </thead>
                <tbody>
                  ${rows.map((cell, row) => this.renderRow(cell, shown, (column) => best.get(column)?.has(row) === true))}
                </tbody>
              </table>
            </div>`
      }`;
  }

  private head(column: CellColumn, by: CellColumn): unknown {
    const { view } = this;
    const isFixed = column === statusColumn || column === nameColumn;
    const isFigure = !isFixed && !column.key.startsWith('value/');
    return sortableHead(
      column,
      { sortKey: by.key, isDescending: view.isCellDescending },
      {
        isFirstDescending: isFigure,
        choose: ({ sortKey, isDescending }) => {
          changeCompareView(this, { cellSortKey: sortKey, isCellDescending: isDescending });
        },
        hide: isFixed
          ? null
          : () => {
              changeCompareView(this, { hiddenCellColumns: [...view.hiddenCellColumns, column.key] });
            },
      },
    );
  }

  private renderRow(cell: SweepCell, shown: readonly CellColumn[], isBest: (column: CellColumn) => boolean): unknown {
    const reason = cellReason(cell);
    const { runId } = cell;
    return html`<tr class=${reason === null ? '' : 'has-why'}>
        <td><span class="chip ${statusTone(cell.status)}">● ${this.textOf(cell, statusColumn)}</span></td>
        <td>
          ${
            runId === null
              ? html`<span class="dim">${cell.name}</span>`
              : html`<button
                  class="link"
                  title="Open its dashboard"
                  @click=${() => {
                    this.dispatchEvent(new CustomEvent('open-run', { detail: { runId }, bubbles: true }));
                  }}
                >
                  ${cell.name}
                </button>`
          }
        </td>
        ${shown.map((column) => {
          const text = this.textOf(cell, column);
          return html`<td>${isBest(column) ? html`<b title="the best of the column">${text}</b>` : text}</td>`;
        })}
      </tr>
      ${
        reason === null
          ? nothing
          : html`<tr class="why">
              <td colspan=${shown.length + 2}>
                <div class=${statusTone(cell.status) === 'bad' ? 'bad' : ''}>${reason}</div>
              </td>
            </tr>`
      }`;
  }

  private textOf(cell: SweepCell, column: CellColumn): string {
    return column.text(cell, cell.runId === null ? undefined : this.runs.get(cell.runId));
  }
}
