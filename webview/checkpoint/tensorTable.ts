// <kaf-tensor-table>: tensors with their statistics; of many, rows are made as one comes near them. Events: `order-chosen` {order},
// `tensor-chosen` {name}.
import { css, html, LitElement, nothing, svg } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { TensorOrder, TensorRow } from '../state/checkpointTable.ts';
import { formatCount, formatNumber, formatShape } from '../text/numbers.ts';
import { baseSheet, chipSheet, tableSheet } from '../theme/sheets.ts';

interface Column {
  readonly order: TensorOrder | null;
  readonly text: string;
  readonly importance: 1 | 2 | 3;
}

const columnsAlone: readonly Column[] = [
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

/** Beside another file. */
const columnsCompared: readonly Column[] = [
  { order: 'name', text: 'tensor', importance: 1 },
  { order: null, text: 'shape', importance: 2 },
  { order: 'values', text: 'values', importance: 3 },
  { order: 'l2', text: 'L2', importance: 2 },
  { order: 'relative', text: '‖Δ‖/‖w‖', importance: 1 },
  { order: 'largest', text: 'max |Δ|', importance: 1 },
  { order: 'nonFinite', text: 'not finite', importance: 3 },
  { order: null, text: 'distributions', importance: 1 },
];

const rowsAtATime = 200;

@customElement('kaf-tensor-table')
export class TensorTable extends LitElement {
  static override styles = [
    baseSheet,
    tableSheet,
    chipSheet,
    css`
      :host {
        display: block;
        container-type: inline-size;
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
        min-width: 130px;
        white-space: normal;
        overflow-wrap: anywhere;
      }
      .chip {
        font-weight: 400;
        line-height: 15px;
        display: inline-block;
        vertical-align: bottom;
      }
      svg {
        width: 92px;
        height: 16px;
        display: block;
        margin-left: auto;
      }
      path {
        fill: var(--kaf-clean);
      }
      path.other {
        fill: none;
        stroke: var(--kaf-foreground);
        vector-effect: non-scaling-stroke;
      }
      .more td {
        padding: 8px;
        text-align: center;
        cursor: default;
      }
      .bad {
        color: var(--kaf-non-finite);
        font-weight: 600;
      }
      @container (max-width: 800px) {
        .importance-3 {
          display: none;
        }
      }
      @container (max-width: 560px) {
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

  @property({ attribute: false }) tensors: readonly TensorRow[] = [];
  /** Whether the columns are those of a comparison. */
  @property({ type: Boolean }) isCompared = false;
  @property() order: TensorOrder = 'file';
  @property({ type: Boolean }) isDescending = false;
  @property({ attribute: false }) chosen: string | null = null;
  @state() private nShown = rowsAtATime;
  @query('.more') private readonly more!: HTMLElement | null;
  private readonly nearby = new IntersectionObserver(
    (entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) this.showMore();
    },
    { rootMargin: '600px' },
  );

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.nearby.disconnect();
  }

  protected override updated(): void {
    this.nearby.disconnect();
    if (this.more) this.nearby.observe(this.more);
  }

  override render(): unknown {
    const { columns } = this;
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
        ${this.tensors.slice(0, this.nShown).map((tensor) => this.renderRow(tensor))}
        ${this.nShown < this.tensors.length ? this.renderMore() : nothing}
      </tbody>
    </table>`;
  }

  private get columns(): readonly Column[] {
    return this.isCompared ? columnsCompared : columnsAlone;
  }

  private renderMore(): unknown {
    return html`<tr class="more">
      <td colspan=${this.columns.length}>
        <button
          class="link"
          @click=${() => {
            this.showMore();
          }}
        >
          ${formatCount(this.tensors.length - this.nShown)} more
        </button>
      </td>
    </tr>`;
  }

  private showMore(): void {
    this.nShown += rowsAtATime;
  }

  private renderRow(tensor: TensorRow): unknown {
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
      ${this.columns.map((column) => renderCell(tensor, column))}
    </tr>`;
  }

  private send(type: string, detail: object): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}

/** A long name breaks between its parts. */
function breakable(name: string): unknown {
  return name.split(/(?<=[./])/).map((part, index) => (index === 0 ? part : html`<wbr />${part}`));
}

function renderCell(tensor: TensorRow, { order, text, importance }: Column): unknown {
  const isBad = order === 'nonFinite' && tensor.nonFinite > 0;
  return html`<td class="importance-${importance} ${order === 'nonFinite' ? (isBad ? 'bad' : 'dim') : ''}">
    ${cellOf(tensor, order, text)}
  </td>`;
}

function cellOf(tensor: TensorRow, order: TensorOrder | null, text: string): unknown {
  const hasFigures = !tensor.isUnread || order === 'name' || order === 'values' || text === 'shape';
  if (!hasFigures) return '–';
  switch (order) {
    case 'name':
      return html`${breakable(tensor.name.replace(/^(model|optimizer)\//, ''))}
      ${tensor.isDamaged ? html`<span class="chip bad">damaged</span>` : nothing}
      ${tensor.isUnread ? html`<span class="chip">${tensor.dtype}, not read</span>` : nothing}`;
    case 'values':
    case 'nonFinite':
      return formatCount(tensor[order]);
    case 'relative':
    case 'largest':
      return tensor.difference ? formatNumber(tensor.difference[order], 3) : '–';
    case 'l2':
    case 'min':
    case 'max':
    case 'mean':
    case 'std':
      return formatNumber(tensor[order], 3);
    case 'file':
    case null:
      return text === 'shape' ? formatShape(tensor.shape) : histogram(tensor);
    default:
      return order satisfies never;
  }
}

/** Beside another file's, over the range of both: this one's as bars, the other's as a line. */
function histogram(tensor: TensorRow): unknown {
  const { histogram: counts, min, max } = tensor.difference ?? tensor;
  const others = tensor.difference?.otherHistogram ?? [];
  const most = Math.max(1, ...counts, ...others);
  const width = 92 / Math.max(1, counts.length);
  const bars = counts
    .map((count, index) => {
      const height = count > 0 ? Math.max(0.7, (15 * count) / most).toFixed(2) : '0';
      const across = Math.max(0.5, width - 0.6).toFixed(2);
      return `M${(index * width).toFixed(2)} 16v-${height}h${across}v${height}z`;
    })
    .join('');
  const steps = others.map(
    (count, index) => `H${(index * width).toFixed(2)}V${(15.5 - (15 * count) / most).toFixed(2)}`,
  );
  const label = `distribution${others.length > 0 ? 's' : ''} from ${formatNumber(min, 3)} to ${formatNumber(max, 3)}`;
  return html`<svg viewBox="0 0 92 16" preserveAspectRatio="none" role="img" aria-label=${label}>
    ${svg`<path d=${bars}></path>`}${steps.length > 0 ? svg`<path class="other" d="M0 15.5${steps.join('')}H92"></path>` : nothing}
  </svg>`;
}
