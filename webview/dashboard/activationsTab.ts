// <kaf-activations-tab>: the shape of every activation function that is trained, now over the start, scrubbed through training.
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { activationsOf } from '../../server/network/activations.ts';
import { hasShapes } from '../../server/protocol/plan.ts';
import { isLive } from '../../server/protocol/run.ts';
import type { ShapeInfo, ShapesRecord } from '../../server/protocol/records.ts';
import type { RunSnapshot } from '../../server/protocol/snapshot.ts';
import type { ShapeTile } from '../charts/shapeGrid.ts';
import '../charts/shapeGrid.ts';
import { drawingOf, type Drawing } from '../kaf/drawing.ts';
import { clusterShapes } from '../kaf/clusters.ts';
import { curvatureOf } from '../kaf/curvature.ts';
import { densitiesAt, densityOf, type ChannelDensity } from '../kaf/densities.ts';
import type { ShapeCoefficients } from '../kaf/shape.ts';
import '../controls/face.ts';
import '../controls/segments.ts';
import type { DashboardState } from '../state/dashboardState.ts';
import { formatCount, formatNumber } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, tableSheet, toolsSheet } from '../theme/sheets.ts';
import { shapeCard } from './shapeCard.ts';
import './shapeScrubber.ts';
import { changeView, type ChannelOrder, type DashboardView } from './view.ts';

@customElement('kaf-activations-tab')
export class ActivationsTab extends LitElement {
  static override styles = [
    baseSheet,
    cardSheet,
    toolsSheet,
    tableSheet,
    css`
      .columns {
        --wide: 1.35fr;
        align-items: start;
      }
      @media (max-width: 860px) {
        .large {
          order: -1;
        }
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
      .large kaf-line-chart.density {
        height: 74px;
      }
      .maps {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(190px, 1fr));
        gap: 4px 10px;
        margin-bottom: 6px;
      }
      figure {
        margin: 0;
        min-width: 0;
      }
    `,
  ];

  @property({ attribute: false }) state!: DashboardState;
  @property({ attribute: false }) view!: DashboardView;
  @property({ attribute: false }) palette!: Palette;
  @state() private channel: number | null = null;
  /** Step scrubbed to; null to follow the newest. */
  @state() private step: number | null = null;
  private tiles: readonly ShapeTile[] = [];
  private drifts: ReadonlyMap<number, number> = new Map();
  private drawing: Drawing | null = null;
  private chosen = 0;
  /** Of the layer's channels at the step shown; none where they are not recorded. */
  private densities: readonly ChannelDensity[] = [];

  protected override willUpdate(_changed: PropertyValues): void {
    const { snapshot } = this.state;
    const found = snapshot ? this.layerOf(snapshot) : null;
    const start = snapshot?.shapes[0];
    const newest = snapshot?.shapes.at(-1);
    if (!snapshot || !found || !start || !newest) return;
    const { info, index } = found;
    const drawing = drawingOf(info);
    this.drawing = drawing;
    const shapeOf = (record: ShapesRecord, channel: number): Float64Array =>
      drawing.values(coefficientsOf(record, index), channel);
    const shown = this.shapeShown(snapshot);
    const channels = Array.from({ length: info.channels }, (_, channel) => channel);
    const starts = channels.map((channel) => shapeOf(start, channel));
    const newestShapes = channels.map((channel) => shapeOf(newest, channel));
    const inputs = densitiesAt(snapshot.responses, info.layer, shown.step);
    this.densities = inputs ? channels.map((channel) => densityOf(inputs, channel)) : [];
    const order = this.orderShown();
    const clusters = order === 'alike' ? clusterShapes(newestShapes, clusterCount(info.channels)) : null;
    const tiles = channels.map((channel) => ({
      channel,
      now: shapeOf(shown, channel),
      start: starts[channel] ?? null,
      density: this.densities[channel] ?? null,
      ...(clusters && { mark: String.fromCharCode(97 + clusters[channel]!) }),
    }));
    // By the newest shapes, so that tiles keep their places while one scrubs.
    this.drifts = new Map(
      channels.map((channel) => [channel, drawing.distance(newestShapes[channel]!, starts[channel]!)]),
    );
    const drift = (channel: number): number => this.drifts.get(channel) ?? 0;
    const rank: Readonly<Record<ChannelOrder, (channel: number) => number>> = {
      index: (channel) => -channel,
      drift,
      curvature: (channel) => curvatureOf(drawing.x, newestShapes[channel]!),
      shift: (channel) => this.densities[channel]?.shift ?? 0,
      // Alike shapes side by side, the most drifted of them first.
      alike: (channel) => -1e9 * (clusters?.[channel] ?? 0) + drift(channel),
    };
    const ranks = new Map(channels.map((channel) => [channel, rank[order](channel)]));
    this.tiles = tiles.sort((a, b) => ranks.get(b.channel)! - ranks.get(a.channel)!);
    this.chosen = this.channel !== null && this.channel < info.channels ? this.channel : (this.tiles[0]?.channel ?? 0);
  }

  override render(): unknown {
    const { snapshot } = this.state;
    if (!snapshot) return nothing;
    const empty = emptyFace(snapshot);
    if (empty) return empty;
    const found = this.layerOf(snapshot);
    const start = snapshot.shapes[0];
    if (!found || !start || !this.drawing) return nothing;
    const { info, index } = found;
    const { kind, x } = this.drawing;
    const shown = this.shapeShown(snapshot);
    return html`${this.renderTools(snapshot, info)}
      <div class="columns">
        <kaf-shape-grid
          data-title="channels of ${info.layer}"
          .tiles=${this.tiles}
          .kind=${kind}
          .x=${x}
          .chosen=${this.chosen}
          .palette=${this.palette}
          label="${info.channels.toString()} channels of ${info.layer} at step ${formatCount(
            shown.step,
          )}; chosen channel ${this.chosen.toString()}, drift ${formatNumber(this.drifts.get(this.chosen) ?? 0, 3)}"
          @channel-chosen=${(event: CustomEvent<{ channel: number }>) => {
            this.channel = event.detail.channel;
          }}
        ></kaf-shape-grid>
        ${shapeCard(info, {
          channel: this.chosen,
          start: coefficientsOf(start, index),
          now: coefficientsOf(shown, index),
          nowText: shownText(snapshot, this.step === null ? null : shown.step),
          density: this.densities[this.chosen] ?? null,
          palette: this.palette,
        })}
      </div>
      <kaf-shape-scrubber
        .steps=${snapshot.run.steps}
        .recorded=${snapshot.shapes.map(({ step }) => step)}
        .position=${snapshot.shapes.indexOf(shown)}
        .isFollowing=${this.step === null}
        @step-chosen=${(event: CustomEvent<{ step: number | null }>) => {
          this.step = event.detail.step;
        }}
      ></kaf-shape-scrubber>`;
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
          ...(this.drawing?.kind === 'curve'
            ? [{ value: 'curvature', text: 'by curvature', title: 'Most bent first: the mean of f″ squared' }]
            : []),
          ...(this.densities.length > 0
            ? [{ value: 'shift', text: 'by shift', title: 'Those first whose inputs an attack moves most' }]
            : []),
          { value: 'alike', text: 'alike', title: 'Alike shapes side by side, marked a, b, …' },
          { value: 'index', text: 'by index' },
        ]}
        .value=${this.orderShown()}
        @chosen=${(event: CustomEvent<{ value: ChannelOrder }>) => {
          changeView(this, { order: event.detail.value });
        }}
      ></kaf-segments>
      <span class="grow"></span>
      ${
        this.drawing?.kind === 'surface'
          ? nothing
          : html`<span class="legend"
              ><span><span class="swatch now-mark"></span>${shownText(snapshot, this.step)}</span
              ><span><span class="swatch start-mark"></span>at start</span
              ><span><span class="swatch dashed slope-mark"></span>derivative</span>${
                this.densities.length > 0
                  ? html`<span><span class="swatch square clean-mark"></span>inputs</span
                      ><span><span class="swatch attacked-mark"></span>attacked inputs</span>`
                  : nothing
              }</span
            >`
      }
    </div>`;
  }

  /** What the view asks for, where the layer has it. */
  private orderShown(): ChannelOrder {
    const { order } = this.view;
    if (order === 'shift' && this.densities.length === 0) return 'drift';
    return order === 'curvature' && this.drawing?.kind === 'surface' ? 'drift' : order;
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
}

/** Of a layer's shapes. */
function clusterCount(channels: number): number {
  return Math.max(1, Math.min(8, Math.round(Math.sqrt(channels / 2))));
}

/** What the shapes shown are of: a chosen step, or the newest. */
function shownText({ run }: RunSnapshot, step: number | null): string {
  if (step !== null) return `step ${formatCount(step)}`;
  return isLive(run.status) ? 'now' : 'at the end';
}

function coefficientsOf(record: ShapesRecord, index: number): ShapeCoefficients {
  return { alpha: record.alphas[index] ?? new Float32Array(), kernels: record.kernels?.[index] };
}

function emptyFace(snapshot: RunSnapshot): unknown {
  const { model } = snapshot.plan;
  const activations = activationsOf(model).map(({ activation }) => activation);
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
