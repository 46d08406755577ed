// <kaf-network-picture>: the layers of a network from the first to the last, ways side by side, coloured by one figure of each. Choosing
// one says so by `layer-chosen`; arrow keys go from layer to layer.
import { html, LitElement, nothing, svg } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { LayerLayout } from '../../server/network/layout.ts';
import { viridis } from '../theme/viridis.ts';
import { baseSheet } from '../theme/sheets.ts';
import { flatParts, kindText, shapeText, type NetworkPart } from './networkParts.ts';
import { networkPictureSheet } from './networkPictureSheet.ts';

/** Of a layer, as the picture shows it. */
export interface LayerColor {
  /** In [0, 1] of the scale; null for none. */
  readonly position: number | null;
  readonly isNonFinite: boolean;
  readonly text: string;
}

@customElement('kaf-network-picture')
export class NetworkPicture extends LitElement {
  static override styles = [baseSheet, networkPictureSheet];

  @property({ attribute: false }) parts: readonly NetworkPart[] = [];
  @property({ attribute: false }) input: readonly number[] = [];
  /** By the layer's name. */
  @property({ attribute: false }) colors: ReadonlyMap<string, LayerColor> = new Map();
  @property({ attribute: false }) chosen: string | null = null;

  override render(): unknown {
    return html`<div class="flow" role="listbox" aria-label="Layers" @keydown=${this.onKey}>
      <div class="end">input <span class="shape">${shapeText(this.input)}</span></div>
      ${this.renderParts(this.parts)}
    </div>`;
  }

  private renderParts(parts: readonly NetworkPart[]): unknown {
    return parts.map(({ layer, ways }) =>
      ways.length === 0
        ? this.renderLayer(layer)
        : html`<div class="fork">
              ${ways.map(
                (way) =>
                  html`<div class="way">
                    ${way.length === 0 ? html`<div class="through" title="The input itself"></div>` : this.renderParts(way)}
                  </div>`,
              )}
            </div>
            ${this.renderLayer(layer)}`,
    );
  }

  private renderLayer(layer: LayerLayout): unknown {
    const color = this.colors.get(layer.name);
    const isChosen = layer.name === this.chosen;
    const isFirst = this.chosen === null && layer === flatParts(this.parts)[0];
    const kind = kindText(layer);
    const paint = paintOf(color?.isNonFinite ? 1 : (color?.position ?? null));
    const isJoin = layer.type === 'residual' || layer.type === 'concat';
    return html`<button
      class="layer ${isJoin ? 'join' : layer.type}"
      role="option"
      data-name=${layer.name}
      aria-selected=${isChosen ? 'true' : 'false'}
      tabindex=${isChosen || isFirst ? 0 : -1}
      title="${layer.name}: ${kind}, ${shapeText(layer.input)} → ${shapeText(layer.output)}"
      @click=${() => {
        this.choose(layer);
      }}
    >
      <svg
        class="paint ${color?.isNonFinite ? 'bad' : ''}"
        viewBox="0 0 1 1"
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        ${paint === null ? nothing : svg`<rect width="1" height="1" fill=${paint}></rect>`}
      </svg>
      <span class="name">${layer.name}</span>
      <span class="kind">${kind}</span>
      <span class="shape">${shapeText(layer.output)}</span>
      ${color && color.text !== '' ? html`<span class="value">${color.text}</span>` : nothing}
    </button>`;
  }

  private choose(layer: LayerLayout): void {
    this.dispatchEvent(
      new CustomEvent('layer-chosen', { detail: { name: layer.name }, bubbles: true, composed: true }),
    );
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    const layers = flatParts(this.parts);
    const at = layers.findIndex(({ name }) => name === this.chosen);
    const to = { ArrowDown: at + 1, ArrowUp: Math.max(0, at - 1), Home: 0, End: layers.length - 1 }[event.key];
    const layer = to === undefined ? undefined : layers[to];
    if (!layer) return;
    event.preventDefault();
    this.choose(layer);
    void this.updateComplete.then(() => {
      this.renderRoot.querySelector<HTMLElement>('[aria-selected="true"]')?.focus();
    });
  };
}

function paintOf(position: number | null): string | null {
  return position === null ? null : `rgb(${viridis(position).join(' ')})`;
}
