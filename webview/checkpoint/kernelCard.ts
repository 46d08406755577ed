// <kaf-kernel-card>: a kernel's values as pictures, an input channel and a page at a time. What is to be read is asked for by `kernel-asked`
// {tensor, input, page}.
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { KernelPictures, TensorContents } from '../../server/protocol/checkpoint.ts';
import { kernelLayout, kernelPage, kernelPages, type KernelLayout } from '../../server/protocol/kernelLayout.ts';
import '../charts/kernelMap.ts';
import '../controls/face.ts';
import { formatCount } from '../text/numbers.ts';
import { readPalette, type Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, toolsSheet } from '../theme/sheets.ts';

@customElement('kaf-kernel-card')
export class KernelCard extends LitElement {
  static override styles = [
    baseSheet,
    cardSheet,
    toolsSheet,
    css`
      .tools {
        margin: 2px 0 6px;
      }
      input {
        width: 110px;
      }
    `,
  ];

  @property({ attribute: false }) tensor!: TensorContents;
  /** Whether Kafscope wrote the file. */
  @property({ type: Boolean }) isOurs = false;
  /** Counts the readings of files: what was read of one is not of the next. */
  @property({ type: Number }) reading = 0;
  /** The newest that was read, perhaps of another kernel. */
  @property({ attribute: false }) pictures: KernelPictures | null = null;
  @property({ attribute: false }) failure: string | null = null;
  @property({ attribute: false }) palette: Palette = readPalette();
  @state() private input = 0;
  @state() private page = 0;
  private asked = '';

  protected override willUpdate(changed: PropertyValues): void {
    const before = changed.get('tensor') as TensorContents | undefined;
    if (before && before.name !== this.tensor.name) [this.input, this.page] = [0, 0];
  }

  protected override updated(): void {
    const { tensor, input, page } = this;
    if (!this.layout) return;
    const key = JSON.stringify([this.reading, tensor.name, input, page]);
    if (key === this.asked) return;
    this.asked = key;
    const detail = { tensor: tensor.name, input, page };
    this.dispatchEvent(new CustomEvent('kernel-asked', { detail, bubbles: true, composed: true }));
  }

  private get layout(): KernelLayout | null {
    return kernelLayout(this.tensor.shape, this.isOurs);
  }

  override render(): unknown {
    const { layout, tensor } = this;
    if (!layout) return nothing;
    const isFilters = layout.kind === 'filters';
    return html`<div class="card">
      <h2>
        ${isFilters ? 'filters' : 'values'}
        <span
          >${
            isFilters
              ? `${layout.height.toString()} × ${layout.width.toString()} · ${formatCount(layout.outputs)} outputs`
              : `${formatCount(layout.height)} × ${formatCount(layout.width)}`
          }</span
        >
      </h2>
      ${this.renderChoice(layout)} ${this.renderMap(layout, tensor)}
    </div>`;
  }

  private renderChoice(layout: KernelLayout): unknown {
    const page = kernelPage(layout, this.page);
    const shown =
      layout.kind === 'filters'
        ? `filters ${span(page.firstOutput, page.count)}`
        : `rows ${span(page.firstRow, page.height)}, columns ${span(page.firstColumn, page.width)}`;
    const [inputs, pages] = [layout.inputs, kernelPages(layout)];
    if (inputs === 1 && pages === 1) return nothing;
    return html`<div class="tools">
      ${
        inputs > 1
          ? this.renderSlider('input channel', this.input, inputs, `${this.input.toString()}`, (input) => {
              this.input = input;
            })
          : nothing
      }
      ${
        pages > 1
          ? this.renderSlider('part', this.page, pages, shown, (next) => {
              this.page = next;
            })
          : nothing
      }
    </div>`;
  }

  private renderSlider(
    name: string,
    value: number,
    count: number,
    text: string,
    choose: (value: number) => void,
  ): unknown {
    return html`<label
      >${name}
      <input
        type="range"
        min="0"
        max=${count - 1}
        step="1"
        .value=${value.toString()}
        aria-valuetext=${text}
        @input=${(event: Event) => {
          choose(Number((event.target as HTMLInputElement).value));
        }}
      />
      <b>${text}</b></label
    >`;
  }

  private renderMap(layout: KernelLayout, { name, min, max }: TensorContents): unknown {
    if (this.failure !== null) {
      return html`<kaf-face compact tone="bad" icon="error" heading="Not read" reason=${this.failure}></kaf-face>`;
    }
    const { pictures } = this;
    if (pictures?.tensor !== name) return html`<p class="dim" role="status">Reading…</p>`;
    return html`<kaf-kernel-map
      .values=${pictures.values}
      .page=${kernelPage(layout, pictures.page)}
      .kind=${layout.kind}
      .extent=${Math.max(Math.abs(min), Math.abs(max)) || 1}
      .palette=${this.palette}
      label="Values of ${name}${layout.inputs > 1 ? `, input channel ${pictures.input.toString()}` : ''}"
    ></kaf-kernel-map>`;
  }
}

function span(first: number, count: number): string {
  return `${formatCount(first)} – ${formatCount(first + count - 1)}`;
}
