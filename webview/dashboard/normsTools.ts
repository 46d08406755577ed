// The tools above the norms: which quantity of which rows in which picture, and its colours.
import { html, nothing, type TemplateResult } from 'lit';
import { quantityNames, type NormQuantity } from '../curves/normTable.ts';
import '../controls/segments.ts';
import { formatNumber } from '../text/numbers.ts';
import { changeView, type DashboardView } from './view.ts';

export interface NormsToolsOptions {
  readonly view: DashboardView;
  /** Of the colours. */
  readonly extent: { readonly low: number; readonly high: number } | null;
  /** Whether the run tells by how much its updates moved the weights. */
  readonly hasUpdates: boolean;
  /** Blocks that can be folded. */
  readonly blocks: readonly string[];
  readonly isFolded: boolean;
}

export function normsTools(source: EventTarget, options: NormsToolsOptions): TemplateResult {
  const { view, extent, hasUpdates, blocks, isFolded } = options;
  const quantities = Object.entries(quantityNames).filter(([value]) => value !== 'update' || hasUpdates);
  return html`<div class="tools">
    <kaf-segments
      label="Quantity"
      .segments=${quantities.map(([value, text]) => ({ value, text }))}
      .value=${view.quantity}
      @chosen=${(event: CustomEvent<{ value: NormQuantity }>) => {
        changeView(source, { quantity: event.detail.value });
      }}
    ></kaf-segments>
    <kaf-segments
      label="Rows"
      .segments=${[
        { value: 'layers', text: 'layers' },
        { value: 'tensors', text: 'tensors' },
      ]}
      .value=${view.grouping}
      @chosen=${(event: CustomEvent<{ value: DashboardView['grouping'] }>) => {
        changeView(source, { grouping: event.detail.value, normLine: null });
      }}
    ></kaf-segments>
    <kaf-segments
      label="Picture"
      .segments=${[
        { value: 'map', text: 'map' },
        { value: 'lines', text: 'lines' },
      ]}
      .value=${view.normView}
      @chosen=${(event: CustomEvent<{ value: DashboardView['normView'] }>) => {
        changeView(source, { normView: event.detail.value });
      }}
    ></kaf-segments>
    ${
      blocks.length > 0 && view.normView === 'map'
        ? html`<button
            class="link"
            @click=${() => {
              changeView(source, { foldedBlocks: isFolded ? [] : blocks });
            }}
          >
            ${isFolded ? 'Unfold all' : 'Fold all'}
          </button>`
        : nothing
    }
    <span class="grow"></span>
    ${
      extent && view.normView === 'map'
        ? html`<span class="legend"
            ><span>${formatNumber(extent.low, 2)}</span><span class="scale"></span
            ><span>${formatNumber(extent.high, 2)}</span></span
          >`
        : nothing
    }
    <span class="legend"
      ><span
        ><span class="swatch square non-finite-mark"></span>${
          view.quantity === 'update' ? 'not finite, or of weights of 0' : 'not finite'
        }</span
      ></span
    >
  </div>`;
}
