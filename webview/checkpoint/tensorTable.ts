// <kaf-tensor-table>: tensors with their statistics. Events: `order-chosen` {order}, `tensor-chosen` {name}.
import { css, html, LitElement, nothing, svg } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { TensorContents } from '../../server/protocol/checkpoint.ts';
import type { TensorOrder } from '../state/checkpointTable.ts';
import { formatCount, formatNumber, formatShape } from '../text/numbers.ts';
import { baseSheet, tableSheet } from '../theme/sheets.ts';

const columns: readonly { order: TensorOrder | null; text: string; importance: 1 | 2 | 3 }[] = [
  { order: 'name', text: 'tensor', importance: 1 },
  { order: null, text: 'shape', importance: 1 },
  { order: 'values', text: 'values', importance: 3 },
  { order: 'l2', text: 'L2', importance: 1 },
  { order: 'mean', text: 'mean', importance: 3 },
  { order: 'std', text: 'std', importance: 3 },
  { order: 'min', text: 'min', importance: 2 },
  { order: 'max', text: 'max', importance: 2 },
  { order: 'nonFinite', text: 'not finite', importance: 2 },
  { order: null, text: 'distribution', importance: 1 },
];

@customElement('kaf-tensor-table')
export class TensorTable extends LitElement {
  static override styles = [
    baseSheet,
    tableSheet,
    css`
      :host {
        overflow-x: auto;
      }
      th button {
        appearance: none;
        border: 0;
        background: none;
        padding: 0;
        font: inherit;
        color: inherit;
        cursor: pointer;
      }
      th button:hover {
        color: var(--kaf-foreground);
      }
      tbody tr {
        cursor: pointer;
      }
      tbody tr:hover td,
      tr.chosen td {
        background: var(--kaf-hover);
      }
      tr.chosen td:first-child {
        box-shadow: inset 2px 0 0 var(--kaf-accent);
      }
      td:first-child {
        padding-left: 6px;
        overflow-wrap: anywhere;
      }
      svg {
        width: 92px;
        height: 16px;
        display: block;
        margin-left: auto;
      }
      rect {
        fill: var(--kaf-clean);
      }
      .bad {
        color: var(--kaf-non-finite);
        font-weight: 600;
      }
      @media (max-width: 1100px) {
        .importance-3 {
          display: none;
        }
      }
      @media (max-width: 620px) {
        .importance-2 {
          display: none;
        }
        svg {
          width: 60px;
        }
        td,
        th {
          padding: 3px 5px;
        }
      }
    `,
  ];

  @property({ attribute: false }) tensors: readonly TensorContents[] = [];
  @property() order: TensorOrder = 'file';
  @property({ type: Boolean }) isDescending = false;
  @property({ attribute: false }) chosen: string | null = null;

  override render(): unknown {
    return html`<table>
      <thead>
        <tr>
          ${columns.map(
            ({ order, text, importance }) =>
              html`<th
                class="importance-${importance}"
                aria-sort=${order !== null && order === this.order ? (this.isDescending ? 'descending' : 'ascending') : 'none'}
              >
                ${
                  order === null
                    ? text
                    : html`<button
                        @click=${() => {
                          this.send('order-chosen', { order });
                        }}
                      >
                        ${text}${order === this.order ? (this.isDescending ? ' ↓' : ' ↑') : nothing}
                      </button>`
                }
              </th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${this.tensors.map((tensor) => this.renderRow(tensor))}
      </tbody>
    </table>`;
  }

  private renderRow(tensor: TensorContents): unknown {
    const choose = (): void => {
      this.send('tensor-chosen', { name: tensor.name });
    };
    return html`<tr
      tabindex="0"
      class=${tensor.name === this.chosen ? 'chosen' : ''}
      aria-selected=${tensor.name === this.chosen ? 'true' : 'false'}
      @click=${choose}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          choose();
        }
      }}
    >
      <td class="importance-1">${tensor.name.replace(/^(model|optimizer)\//, '')}</td>
      <td class="importance-1">${formatShape(tensor.shape)}</td>
      <td class="importance-3">${formatCount(tensor.values)}</td>
      <td class="importance-1">${formatNumber(tensor.l2, 3)}</td>
      <td class="importance-3">${formatNumber(tensor.mean, 3)}</td>
      <td class="importance-3">${formatNumber(tensor.std, 3)}</td>
      <td class="importance-2">${formatNumber(tensor.min, 3)}</td>
      <td class="importance-2">${formatNumber(tensor.max, 3)}</td>
      <td class="importance-2 ${tensor.nonFinite > 0 ? 'bad' : 'dim'}">${formatCount(tensor.nonFinite)}</td>
      <td class="importance-1">${histogram(tensor)}</td>
    </tr>`;
  }

  private send(type: string, detail: object): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}

function histogram({ histogram: counts, min, max }: TensorContents): unknown {
  const most = Math.max(1, ...counts);
  const width = 92 / Math.max(1, counts.length);
  const label = `distribution from ${formatNumber(min, 3)} to ${formatNumber(max, 3)}`;
  return html`<svg viewBox="0 0 92 16" preserveAspectRatio="none" role="img" aria-label=${label}>
    ${counts.map((count, index) => {
      const height = count > 0 ? Math.max(0.7, (15 * count) / most) : 0;
      return svg`<rect x=${(index * width).toFixed(2)} y=${(16 - height).toFixed(2)} width=${Math.max(0.5, width - 0.6).toFixed(2)} height=${height.toFixed(2)}></rect>`;
    })}
  </svg>`;
}
