// <kaf-network-tab>: the run's network, layer by layer: shapes, trained values, multiply-adds, memory; coloured by any of them or by
// the newest norms. A chosen layer tells its figures, and leads to its norms, its curves and its line in the experiment.
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { multiplyAddsOf, parametersOf } from '../../server/network/costs.ts';
import type { LayerLayout } from '../../server/network/layout.ts';
import type { RunSnapshot } from '../../server/protocol/snapshot.ts';
import '../controls/face.ts';
import '../controls/segments.ts';
import { quantityNames as normNames } from '../curves/normTable.ts';
import { countNonFinite } from './normCurves.ts';
import {
  extentOf,
  flatParts,
  kindText,
  LayerFigures,
  memoryOf,
  partsOf,
  shapeText,
  type NetworkPart,
  type NetworkQuantity,
} from '../network/networkParts.ts';
import type { LayerColor } from '../network/networkPicture.ts';
import '../network/networkPicture.ts';
import { endsOfRun, layersOfRun } from '../network/runLayers.ts';
import type { DashboardState } from '../state/dashboardState.ts';
import { formatBytes, formatCount, formatNumber } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, tableSheet, toolsSheet } from '../theme/sheets.ts';
import { viridisGradient } from '../theme/viridis.ts';
import { networkSheet } from './networkSheet.ts';
import { changeView, type DashboardView } from './view.ts';

const quantityNames: Readonly<Record<NetworkQuantity, string>> = {
  ...normNames,
  parameters: 'parameters',
  multiplyAdds: 'multiply-adds',
  memory: 'memory',
};

@customElement('kaf-network-tab')
export class NetworkTab extends LitElement {
  static override styles = [baseSheet, cardSheet, toolsSheet, tableSheet, networkSheet];

  @property({ attribute: false }) state!: DashboardState;
  @property({ attribute: false }) view!: DashboardView;
  @property({ attribute: false }) palette!: Palette;

  private parts: readonly NetworkPart[] = [];
  private layers: readonly LayerLayout[] = [];
  /** What the parts were made of. */
  private source: unknown = null;

  protected override willUpdate(_: PropertyValues): void {
    this.style.setProperty('--scale', viridisGradient);
    const { snapshot } = this.state;
    if (!snapshot || !endsOfRun(snapshot) || this.source === snapshot.plan) return;
    this.source = snapshot.plan;
    this.parts = partsOf(layersOfRun(snapshot));
    this.layers = flatParts(this.parts);
  }

  override render(): unknown {
    const { snapshot } = this.state;
    if (!snapshot) return nothing;
    const ends = endsOfRun(snapshot);
    if (!ends) {
      return html`<kaf-face
        icon="type-hierarchy"
        heading="No shapes yet"
        reason="They come with the data set, which is opened when training begins."
      ></kaf-face>`;
    }
    const figures = new LayerFigures(snapshot);
    const { networkQuantity: quantity } = this.view;
    const values = this.layers.map((layer) => figures.of(layer, quantity));
    const extent = extentOf(values);
    const chosen = this.layers.find(({ name }) => name === this.view.networkLayer) ?? this.layers[0];
    return html`<div class="tools">
        <kaf-segments
          label="Colours"
          .segments=${Object.entries(quantityNames).map(([value, text]) => ({ value, text }))}
          .value=${quantity}
          @chosen=${(event: CustomEvent<{ value: NetworkQuantity }>) => {
            changeView(this, { networkQuantity: event.detail.value });
          }}
        ></kaf-segments>
        <span class="grow"></span>
        ${
          extent
            ? html`<span class="legend"
                ><span>${quantityText(quantity, extent.low)}</span><span class="scale"></span
                ><span>${quantityText(quantity, extent.high)}</span></span
              >`
            : html`<span>No norms yet</span>`
        }
      </div>
      <div
        class="columns"
        @layer-chosen=${(event: CustomEvent<{ name: string }>) => {
          changeView(this, { networkLayer: event.detail.name });
        }}
      >
        <div class="card">
          ${this.renderTotals(snapshot)}
          <kaf-network-picture
            .parts=${this.parts}
            .input=${ends.sampleShape}
            .colors=${colorsOf(this.layers, values, extent, quantity)}
            .chosen=${chosen?.name ?? null}
          ></kaf-network-picture>
        </div>
        ${chosen ? this.renderLayer(snapshot, figures, chosen) : nothing}
      </div>`;
  }

  private renderTotals({ plan }: RunSnapshot): unknown {
    const total = (of: (layer: LayerLayout) => number) => this.parts.reduce((sum, { layer }) => sum + of(layer), 0);
    const memory = this.layers.reduce((sum, layer) => sum + (memoryOf(layer, plan.training.batchSize) || 0), 0);
    return html`<h2>
      network
      <span
        >${formatCount(this.layers.length)} layers · ${formatCount(total(parametersOf))} parameters ·
        ${formatNumber(total(multiplyAddsOf) / 1e6, 3)} M multiply-adds a sample · ${formatBytes(memory)} of layers a
        batch of ${formatCount(plan.training.batchSize)}</span
      >
    </h2>`;
  }

  private renderLayer(snapshot: RunSnapshot, figures: LayerFigures, layer: LayerLayout): unknown {
    const line = figures.line(layer);
    const norms = snapshot.norms;
    const now = norms.step.length - 1;
    const observed = snapshot.prepared?.activations.find((each) => each.layer === layer.name);
    const isDeclared = typeof snapshot.plan.model.network !== 'string' && snapshot.plan.model.network.type === 'layers';
    const file = snapshot.run.experimentFile;
    const path = isDeclared ? `model.network.${layer.path}` : 'model.network';
    const ofBatch = memoryOf(layer, snapshot.plan.training.batchSize);
    const rows: [string, string][] = [
      ['input', shapeText(layer.input)],
      ['output', shapeText(layer.output)],
      ['parameters', formatCount(parametersOf(layer))],
      ['multiply-adds a sample', formatCount(multiplyAddsOf(layer))],
      ['memory of a batch', Number.isNaN(ofBatch) ? 'none of its own' : formatBytes(ofBatch)],
    ];
    return html`<div class="card chosen">
      <h2>${layer.name} <span>${kindText(layer)}</span></h2>
      <table>
        ${rows.map(
          ([name, value]) =>
            html`<tr>
              <td>${name}</td>
              <td>${value}</td>
            </tr>`,
        )}
        ${
          line && now >= 0
            ? (['weights', 'gradients', 'ratio'] as const).map(
                (quantity) =>
                  html`<tr>
                    <td>${quantityNames[quantity]} at step ${formatCount(norms.step[now]!)}</td>
                    <td>${formatNumber(figures.of(layer, quantity), 3)}</td>
                  </tr>`,
              )
            : nothing
        }
        ${
          line && now >= 0
            ? html`<tr>
                <td>not finite</td>
                <td>${formatCount(countNonFinite(norms, line, now))}</td>
              </tr>`
            : nothing
        }
      </table>
      <p class="ways-on">
        ${
          line
            ? html`<button
                class="link"
                @click=${() => {
                  changeView(this, { tab: 'norms', grouping: 'layers', normLine: layer.name });
                }}
              >
                Show its norms
              </button>`
            : html`<span class="dim">Nothing of it is trained.</span>`
        }
        ${
          observed
            ? html`<button
                class="link"
                @click=${() => {
                  changeView(this, { tab: 'activations', layer: layer.name });
                }}
              >
                Show its curves
              </button>`
            : nothing
        }
        ${
          file === null
            ? nothing
            : html`<button
                class="link"
                @click=${() => {
                  const detail = { path };
                  this.dispatchEvent(new CustomEvent('line-asked', { detail, bubbles: true, composed: true }));
                }}
              >
                ${isDeclared ? 'Go to its line' : 'Go to the network’s line'}
              </button>`
        }
      </p>
    </div>`;
  }
}

function quantityText(quantity: NetworkQuantity, value: number): string {
  if (Number.isNaN(value)) return '';
  switch (quantity) {
    case 'memory':
      return formatBytes(value);
    case 'parameters':
    case 'multiplyAdds':
      return value < 1e6 ? formatCount(value) : `${formatNumber(value / 1e6, 3)} M`;
    default:
      return formatNumber(value, 2);
  }
}

function colorsOf(
  layers: readonly LayerLayout[],
  values: readonly number[],
  extent: { low: number; high: number } | null,
  quantity: NetworkQuantity,
): Map<string, LayerColor> {
  const span = extent ? Math.log(extent.high / extent.low) || 1 : 1;
  return new Map(
    layers.map(({ name }, index) => {
      const value = values[index]!;
      const position = extent && value > 0 && Number.isFinite(value) ? Math.log(value / extent.low) / span : null;
      const isNorm = ['weights', 'gradients', 'ratio', 'update'].includes(quantity);
      const isNonFinite = isNorm && value === Infinity;
      return [name, { position, isNonFinite, text: quantityText(quantity, value) }];
    }),
  );
}
