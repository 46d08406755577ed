// <kaf-activations-tab>: the shape of every kernel activation function or spline, now over the start, scrubbed through training.
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-toolbar-button/index.js';
import { activationsOf } from '../../server/network/activations.ts';
import { hasShapes } from '../../server/protocol/plan.ts';
import type { ShapeInfo, ShapesRecord } from '../../server/protocol/records.ts';
import type { RunSnapshot } from '../../server/protocol/snapshot.ts';
import type { Curve } from '../charts/curve.ts';
import '../charts/lineChart.ts';
import type { ShapeTile } from '../charts/shapeGrid.ts';
import '../charts/shapeGrid.ts';
import {
  dotsOf,
  gridFor,
  gridOfChannel,
  rowOf,
  layerOfChannel,
  lipschitzEstimate,
  shapeDistance,
  type ShapeCoefficients,
  type ShapeGrid,
  type ShapedLayer,
} from '../kaf/shape.ts';
import '../controls/face.ts';
import '../controls/segments.ts';
import type { DashboardState } from '../state/dashboardState.ts';
import { equationText, layerText, placesName } from '../text/layerText.ts';
import { formatCount, formatNumber } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, tableSheet, toolsSheet } from '../theme/sheets.ts';
import { changeView, type DashboardView } from './view.ts';

@customElement('kaf-activations-tab')
export class ActivationsTab extends LitElement {
  static override styles = [
    baseSheet,
    cardSheet,
    toolsSheet,
    tableSheet,
    css`
      .columns {
        grid-template-columns: minmax(0, 1.35fr) minmax(0, 1fr);
      }
      @media (max-width: 860px) {
        .columns {
          grid-template-columns: minmax(0, 1fr);
        }
        .large {
          order: -1;
        }
      }
      .columns {
        align-items: start;
      }
      .large {
        position: sticky;
        top: 84px;
      }
      .large td:first-child {
        white-space: normal;
      }
      .large kaf-line-chart {
        height: 250px;
        margin-bottom: 6px;
      }
      .scrub {
        display: flex;
        gap: 4px 10px;
        align-items: center;
        flex-wrap: wrap;
        position: sticky;
        bottom: 0;
        background: var(--kaf-background);
        padding: 6px 0 8px;
        border-top: 1px solid var(--kaf-line);
      }
      .scrub input {
        flex: 1;
        min-width: 120px;
      }
    `,
  ];

  @property({ attribute: false }) state!: DashboardState;
  @property({ attribute: false }) view!: DashboardView;
  @property({ attribute: false }) palette!: Palette;
  @state() private channel: number | null = null;
  /** Step scrubbed to; null to follow the newest. */
  @state() private step: number | null = null;
  @state() private isPlaying = false;
  private timer: ReturnType<typeof setInterval> | undefined;

  private tiles: readonly ShapeTile[] = [];
  private drifts: ReadonlyMap<number, number> = new Map();
  private small: ShapeGrid | null = null;
  private chosen = 0;
  private large: {
    curves: readonly Curve[];
    drift: number;
    lipschitz: number;
    lipschitzStart: number;
    extremes: string[];
    layer: ShapedLayer;
    /** Of a formula. */
    parameters: readonly ParameterValues[];
  } | null = null;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.pause();
  }

  protected override willUpdate(_changed: PropertyValues): void {
    const { snapshot } = this.state;
    const found = snapshot ? this.layerOf(snapshot) : null;
    const start = snapshot?.shapes[0];
    const newest = snapshot?.shapes.at(-1);
    if (!snapshot || !found || !start || !newest) return;
    const { info, index } = found;
    const grid = gridFor(info, { points: 61, margin: 1 });
    this.small = grid;
    const coefficients = (record: ShapesRecord): ShapeCoefficients => coefficientsOf(record, index);
    const shapeOf = (record: ShapesRecord, channel: number): Float64Array => {
      const made = coefficients(record);
      return gridOfChannel(grid, info, made, channel).values(rowOf(info, made.alpha, channel));
    };
    const shown = this.shapeShown(snapshot);
    const channels = Array.from({ length: info.channels }, (_, channel) => channel);
    const starts = channels.map((channel) => shapeOf(start, channel));
    const tiles = channels.map((channel) => ({
      channel,
      now: shapeOf(shown, channel),
      start: starts[channel] ?? null,
    }));
    // By the newest shapes, so that tiles keep their places while one scrubs.
    this.drifts = new Map(
      channels.map((channel) => [channel, shapeDistance(grid.x, shapeOf(newest, channel), starts[channel] ?? [])]),
    );
    const drift = (channel: number): number => this.drifts.get(channel) ?? 0;
    this.tiles = this.view.order === 'drift' ? tiles.sort((a, b) => drift(b.channel) - drift(a.channel)) : tiles;
    this.chosen = this.channel !== null && this.channel < info.channels ? this.channel : (this.tiles[0]?.channel ?? 0);
    this.large = this.largeView(info, coefficients(start), coefficients(shown));
  }

  override render(): unknown {
    const { snapshot } = this.state;
    if (!snapshot) return nothing;
    const empty = emptyFace(snapshot);
    if (empty) return empty;
    const found = this.layerOf(snapshot);
    if (!found || !this.small) return nothing;
    const { info } = found;
    const shown = this.shapeShown(snapshot);
    return html`${this.renderTools(snapshot, info)}
      <div class="columns">
        <kaf-shape-grid
          .tiles=${this.tiles}
          .x=${this.small.x}
          .chosen=${this.chosen}
          .palette=${this.palette}
          label="${info.channels.toString()} channels of ${info.layer} at step ${formatCount(
            shown.step,
          )}; chosen channel ${this.chosen.toString()}, drift ${formatNumber(this.drifts.get(this.chosen) ?? 0, 3)}"
          @channel-chosen=${(event: CustomEvent<{ channel: number }>) => {
            this.channel = event.detail.channel;
          }}
        ></kaf-shape-grid>
        ${this.renderLarge(info)}
      </div>
      ${this.renderScrubber(snapshot, shown)}`;
  }

  private renderTools(snapshot: RunSnapshot, info: ShapeInfo): unknown {
    return html`<div class="tools">
      <kaf-segments
        label="Layer"
        .segments=${(snapshot.prepared?.activations ?? []).map(({ layer, channels }) => ({
          value: layer,
          text: `${layer} · ${channels.toString()}`,
          title: `${channels.toString()} channels`,
        }))}
        .value=${info.layer}
        @chosen=${(event: CustomEvent<{ value: string }>) => {
          this.channel = null;
          changeView(this, { layer: event.detail.value });
        }}
      ></kaf-segments>
      <kaf-segments
        label="Order"
        .segments=${[
          { value: 'drift', text: 'by drift', title: 'Most changed since the start first' },
          { value: 'index', text: 'by index' },
        ]}
        .value=${this.view.order}
        @chosen=${(event: CustomEvent<{ value: DashboardView['order'] }>) => {
          changeView(this, { order: event.detail.value });
        }}
      ></kaf-segments>
      <span class="grow"></span>
      <span class="legend"
        ><span><span class="swatch now-mark"></span>now</span
        ><span><span class="swatch start-mark"></span>at start</span
        ><span><span class="swatch dashed slope-mark"></span>derivative</span></span
      >
    </div>`;
  }

  private renderLarge(info: ShapeInfo): unknown {
    if (!this.large) return nothing;
    const { curves, drift, lipschitz, lipschitzStart, extremes, layer, parameters } = this.large;
    return html`<div class="card large">
      <h2>
        ${info.layer} · channel ${this.chosen}
        <span>${equationText(info)}</span>
      </h2>
      <kaf-line-chart
        .curves=${curves}
        .palette=${this.palette}
        label="Channel ${this.chosen.toString()} of ${info.layer}: drift ${formatNumber(drift, 3)}, largest slope ${formatNumber(
          lipschitz,
          3,
        )}"
      ></kaf-line-chart>
      <table>
        <tr>
          <th></th>
          <th>at start</th>
          <th>now</th>
        </tr>
        <tr title="Largest |f′| on the grid: an estimate of the Lipschitz constant">
          <td>Lipschitz, max |f′|</td>
          <td class="dim">${formatNumber(lipschitzStart, 3)}</td>
          <td>${formatNumber(lipschitz, 3)}</td>
        </tr>
        <tr>
          <td>range of f</td>
          <td class="dim">${extremes[0]}</td>
          <td>${extremes[1]}</td>
        </tr>
        <tr title="‖f now − f at start‖₂ over the interval shown">
          <td>drift ‖now − start‖</td>
          <td class="dim">0</td>
          <td>${formatNumber(drift, 3)}</td>
        </tr>
        ${
          parameters.length > 0
            ? parameters.map(
                ({ name, before, now }) =>
                  html`<tr title="A trained parameter of this channel's formula">
                    <td>${name}</td>
                    <td class="dim">${formatNumber(before, 3)}</td>
                    <td>${formatNumber(now, 3)}</td>
                  </tr>`,
              )
            : html`<tr>
                <td>${placesName(layer)}</td>
                <td colspan="2">${layerText(layer)}</td>
              </tr>`
        }
      </table>
    </div>`;
  }

  private renderScrubber(snapshot: RunSnapshot, shown: ShapesRecord): unknown {
    const { shapes } = snapshot;
    const position = shapes.indexOf(shown);
    return html`<div class="scrub">
      <vscode-toolbar-button
        icon=${this.isPlaying ? 'debug-pause' : 'play'}
        label=${this.isPlaying ? 'Pause' : 'Play through training'}
        @click=${() => {
          if (this.isPlaying) this.pause();
          else this.play();
        }}
      ></vscode-toolbar-button>
      <span class="dim">start</span>
      <input
        type="range"
        min="0"
        max=${Math.max(1, shapes.length - 1)}
        aria-label="Step shown"
        aria-valuetext="step ${shown.step.toString()}"
        .value=${position.toString()}
        @input=${(event: Event) => {
          this.pause();
          this.scrubTo(Number((event.target as HTMLInputElement).value));
        }}
      />
      <span class="dim"
        >step ${formatCount(shown.step)} of ${formatCount(snapshot.run.steps)} · ${formatCount(shapes.length)}
        recorded${
          this.step === null
            ? ''
            : html` ·
                <button
                  class="link"
                  @click=${() => {
                    this.pause();
                    this.step = null;
                  }}
                >
                  newest
                </button>`
        }</span
      >
    </div>`;
  }

  private layerOf(snapshot: RunSnapshot): { info: ShapeInfo; index: number } | null {
    const activations = snapshot.prepared?.activations ?? [];
    const index = Math.max(
      0,
      activations.findIndex(({ layer }) => layer === this.view.layer),
    );
    const info = activations[index];
    return info ? { info, index } : null;
  }

  private shapeShown(snapshot: RunSnapshot): ShapesRecord {
    const { shapes } = snapshot;
    const at = this.step;
    const found = at === null ? undefined : shapes.findLast((record) => record.step <= at);
    return found ?? shapes.at(-1) ?? { type: 'shapes', step: 0, alphas: [] };
  }

  private scrubTo(position: number): void {
    const shapes = this.state.snapshot?.shapes ?? [];
    this.step = position >= shapes.length - 1 ? null : (shapes[position]?.step ?? null);
  }

  private play(): void {
    const { snapshot } = this.state;
    if (!snapshot) return;
    let position = this.step === null ? 0 : snapshot.shapes.indexOf(this.shapeShown(snapshot));
    this.isPlaying = true;
    this.scrubTo(position);
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.timer = setInterval(
      () => {
        position++;
        this.scrubTo(position);
        if (this.step === null) this.pause();
      },
      isCalm ? 600 : 120,
    );
  }

  private pause(): void {
    clearInterval(this.timer);
    this.isPlaying = false;
  }

  private largeView(info: ShapeInfo, start: ShapeCoefficients, now: ShapeCoefficients): typeof this.large {
    const { chosen, palette } = this;
    const shared = gridFor(info, { points: 321, margin: 1 });
    const startGrid = gridOfChannel(shared, info, start, chosen);
    const grid = gridOfChannel(shared, info, now, chosen);
    const [rowBefore, row] = [start, now].map(({ alpha }) => rowOf(info, alpha, chosen)) as [
      Float32Array,
      Float32Array,
    ];
    const before = startGrid.values(rowBefore);
    const after = grid.values(row);
    const slope = grid.slopes(row);
    const layer = layerOfChannel(info, now, chosen);
    const dots = dotsOf(layer, row);
    return {
      curves: [
        { name: 'derivative', x: grid.x, y: slope, color: palette.slope, isDashed: true, width: 1.2 },
        { name: 'at start', x: grid.x, y: before, color: palette.faint, width: 1.4 },
        { name: 'now', x: grid.x, y: after, color: palette.foreground, width: 2 },
        ...(dots
          ? [{ name: placesName(layer), ...dots, color: palette.foreground, hasDots: true, hasNoLine: true }]
          : []),
      ],
      drift: shapeDistance(grid.x, after, before),
      lipschitz: lipschitzEstimate(slope),
      lipschitzStart: lipschitzEstimate(startGrid.slopes(rowBefore)),
      extremes: [before, after].map(
        (values) => `${formatNumber(Math.min(...values), 3)} … ${formatNumber(Math.max(...values), 3)}`,
      ),
      layer,
      parameters: 'formula' in info ? parametersOf(info.formula.parameters, rowBefore, row) : [],
    };
  }
}

interface ParameterValues {
  readonly name: string;
  readonly before: number;
  readonly now: number;
}

/** As many as a table takes. */
function parametersOf(names: readonly string[], before: Float32Array, now: Float32Array): ParameterValues[] {
  return names.slice(0, 8).map((name, p) => ({ name, before: before[p] ?? NaN, now: now[p] ?? NaN }));
}

function coefficientsOf(record: ShapesRecord, index: number): ShapeCoefficients {
  return { alpha: record.alphas[index] ?? new Float32Array(), kernels: record.kernels?.[index] };
}

function emptyFace(snapshot: RunSnapshot): unknown {
  const { model } = snapshot.plan;
  const activations = activationsOf(model).map(({ activation }) => activation);
  if (!activations.some(hasShapes) && activations.some(({ type }) => type === 'kaf-2d')) {
    return html`<kaf-face
      icon="symbol-event"
      heading="Functions of two values are not drawn"
      reason="A kaf-2d has a surface for each pair of channels. Its coefficients' norms are in the Norms tab, their values in the checkpoints."
    ></kaf-face>`;
  }
  if (!activations.some(hasShapes)) {
    return html`<kaf-face
      icon="symbol-event"
      heading="This network has no activation functions to draw"
      reason=${`Its activation is ${model.activation.type}, which nothing is trained in. Set model.activation to kaf, prelu or another with trained coefficients, or to a formula with parameters, to see the shape of every channel change.`}
    ></kaf-face>`;
  }
  if (snapshot.plan.observe.shapesEverySteps === 0) {
    return html`<kaf-face
      icon="symbol-event"
      heading="Shapes are not observed"
      reason="The experiment says observe: {shapes: 0}. Set it to 1 or more and train again to see every shape change."
    ></kaf-face>`;
  }
  if (snapshot.shapes.length === 0) {
    return html`<kaf-face
      icon="symbol-event"
      heading="No shapes yet"
      reason=${`They come at the start and every ${formatCount(snapshot.plan.observe.shapesEverySteps)} steps.`}
    ></kaf-face>`;
  }
  return null;
}
