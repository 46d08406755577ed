// <kaf-shift-tab>: how far an attack moves what activation layers answer: by layer, of one layer its distributions, and through training.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { LayerResponse, ResponsesRecord } from '../../server/protocol/records.ts';
import { isLive } from '../../server/protocol/run.ts';
import type { RunSnapshot } from '../../server/protocol/snapshot.ts';
import type { ShiftMeasure } from '../../server/protocol/outcomes.ts';
import type { Curve } from '../charts/curve.ts';
import '../charts/lineChart.ts';
import '../controls/face.ts';
import '../controls/segments.ts';
import { shiftMeasures, type MeasureText } from '../curves/shiftMeasures.ts';
import type { DashboardState } from '../state/dashboardState.ts';
import { formatCount, formatNumber } from '../text/numbers.ts';
import type { Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, tableSheet, toolsSheet } from '../theme/sheets.ts';
import './shapeScrubber.ts';
import { changeView, type DashboardView } from './view.ts';

@customElement('kaf-shift-tab')
export class ShiftTab extends LitElement {
  static override styles = [
    baseSheet,
    cardSheet,
    toolsSheet,
    tableSheet,
    css`
      kaf-line-chart {
        height: 210px;
      }
      p.dim {
        font-size: 12px;
        margin-bottom: 10px;
      }
      .rows {
        max-height: 420px;
        overflow: auto;
      }
      td > .link {
        text-align: left;
      }
      tr[aria-selected='true'] > td {
        background: var(--kaf-hover);
      }
      th[aria-sort] {
        color: var(--kaf-foreground);
      }
    `,
  ];

  @property({ attribute: false }) state!: DashboardState;
  @property({ attribute: false }) view!: DashboardView;
  @property({ attribute: false }) palette!: Palette;
  /** Scrubbed to; null to follow the newest. */
  @state() private step: number | null = null;

  override render(): unknown {
    const { snapshot } = this.state;
    if (!snapshot) return nothing;
    const shown = this.recordShown(snapshot);
    const layer = shown?.layers.find(({ layer: name }) => name === this.view.shiftLayer) ?? shown?.layers[0];
    if (!shown || !layer) return emptyFace(snapshot);
    return html`${this.renderTools(snapshot, shown)}
      <div class="columns">${this.renderAcross(snapshot, shown, layer)} ${this.renderLayers(shown, layer)}</div>
      <div class="columns">${this.renderDistributions(shown, layer)} ${this.renderThrough(snapshot, layer)}</div>
      <kaf-shape-scrubber
        .steps=${snapshot.run.steps}
        .recorded=${snapshot.responses.map(({ step }) => step)}
        .position=${snapshot.responses.indexOf(shown)}
        .isFollowing=${this.step === null}
        @step-chosen=${(event: CustomEvent<{ step: number | null }>) => {
          this.step = event.detail.step;
        }}
      ></kaf-shape-scrubber>`;
  }

  private renderTools(snapshot: RunSnapshot, { step, samples, attack, weights }: ResponsesRecord): unknown {
    const when =
      this.step === null ? (isLive(snapshot.run.status) ? 'now' : 'at the end') : `step ${formatCount(step)}`;
    const { equation, means } = shiftMeasures[this.view.shiftMeasure];
    return html`<div class="tools">
        <kaf-segments
          label="Measure"
          .segments=${Object.entries(shiftMeasures).map(([value, { text, means: title }]) => ({ value, text, title }))}
          .value=${this.view.shiftMeasure}
          @chosen=${(event: CustomEvent<{ value: ShiftMeasure }>) => {
            changeView(this, { shiftMeasure: event.detail.value });
          }}
        ></kaf-segments>
        <span
          >${formatCount(samples)} test images, ${attack}${weights === 'average' ? ', averaged weights' : ''} ·
          ${when}</span
        >
        <span class="grow"></span>
        <span class="legend"
          ><span><span class="swatch clean-mark"></span>clean</span
          ><span><span class="swatch attacked-mark"></span>attacked</span></span
        >
      </div>
      <p class="dim">${equation} · ${means}</p>`;
  }

  private renderAcross(snapshot: RunSnapshot, shown: ResponsesRecord, chosen: LayerResponse): unknown {
    const measure = this.view.shiftMeasure;
    const names = shown.layers.map(({ layer }) => layer);
    const x = names.map((_, index) => index);
    const first = snapshot.responses[0];
    const of = (record: ResponsesRecord): number[] => record.layers.map((layer) => layer[measure]);
    const { palette } = this;
    const curves: Curve[] = [
      ...(first && first !== shown
        ? [
            {
              name: `step ${formatCount(first.step)}`,
              x,
              y: of(first),
              color: palette.faint,
              isDashed: true,
              width: 1.2,
            },
          ]
        : []),
      { name: shiftMeasures[measure].text, x, y: of(shown), color: palette.attacked, hasDots: true, width: 1.8 },
    ];
    return html`<div class="card">
      <h2>
        across depth
        <span
          >${shiftMeasures[measure].text}${first && first !== shown ? `, dashed at step ${formatCount(first.step)}` : ''}</span
        >
        <b>${chosen.layer} ${formatNumber(chosen[measure], 3)}</b>
      </h2>
      <kaf-line-chart
        .curves=${curves}
        .xTicks=${x}
        .yScale=${measure === 'ks' || measure === 'relative' ? 'linear' : 'log'}
        .formatX=${(value: number) => names[value] ?? ''}
        .palette=${palette}
        label="Shift (${shiftMeasures[measure].text}) of ${formatCount(names.length)} layers from the first to the last: ${shown.layers
          .map((layer) => `${layer.layer} ${formatNumber(layer[measure], 2)}`)
          .join(', ')}"
      ></kaf-line-chart>
    </div>`;
  }

  private renderLayers(shown: ResponsesRecord, chosen: LayerResponse): unknown {
    const columns = Object.entries(shiftMeasures) as [ShiftMeasure, MeasureText][];
    return html`<div class="card">
      <h2>layers <span>step ${formatCount(shown.step)}</span></h2>
      <div class="rows">
        <table>
          <tr>
            <th>layer</th>
            ${columns.map(
              ([name, { text, equation }]) =>
                html`<th title=${equation} aria-sort=${name === this.view.shiftMeasure ? 'other' : nothing}>
                  ${text}
                </th>`,
            )}
          </tr>
          ${shown.layers.map(
            (layer) =>
              html`<tr aria-selected=${layer === chosen ? 'true' : 'false'}>
                <td>
                  <button
                    class="link"
                    aria-pressed=${layer === chosen ? 'true' : 'false'}
                    @click=${() => {
                      changeView(this, { shiftLayer: layer.layer });
                    }}
                  >
                    ${layer.layer}
                  </button>
                </td>
                ${columns.map(([name]) => html`<td>${formatNumber(layer[name], 3)}</td>`)}
              </tr>`,
          )}
        </table>
      </div>
    </div>`;
  }

  private renderDistributions({ step }: ResponsesRecord, { layer, outputs, ks }: LayerResponse): unknown {
    const { low, high, clean, attacked } = outputs;
    const { palette } = this;
    const x = Array.from(clean, (_, bin) => low + ((bin + 0.5) * (high - low)) / clean.length);
    const share = (bins: Uint8Array): number[] => Array.from(bins, (value) => value / 255);
    const curves: Curve[] = [
      { name: 'clean', x, y: share(clean), color: palette.clean, width: 1.6 },
      { name: 'attacked', x, y: share(attacked), color: palette.attacked, width: 1.6, isDashed: true },
    ];
    return html`<div class="card">
      <h2>
        ${layer} <span>all outputs, in shares of the fullest bin · step ${formatCount(step)}</span
        ><b>KS ${formatNumber(ks, 3)}</b>
      </h2>
      <kaf-line-chart
        .curves=${curves}
        .palette=${palette}
        .fixedY=${{ from: 0, to: 1.05 }}
        label="Distribution of the outputs of ${layer}, clean and attacked, between ${formatNumber(low, 3)} and ${formatNumber(
          high,
          3,
        )}; they are ${formatNumber(ks, 3)} apart"
      ></kaf-line-chart>
    </div>`;
  }

  private renderThrough({ responses }: RunSnapshot, { layer }: LayerResponse): unknown {
    const measure = this.view.shiftMeasure;
    const y = responses.map(({ layers }) => layers.find(({ layer: name }) => name === layer)?.[measure] ?? Number.NaN);
    const { palette } = this;
    const curves: Curve[] = [
      { name: layer, x: responses.map(({ step }) => step), y, color: palette.attacked, hasDots: true, width: 1.6 },
    ];
    return html`<div class="card">
      <h2>
        ${layer} <span>${shiftMeasures[measure].text} through training</span><b>${formatNumber(y.at(-1) ?? NaN, 3)}</b>
      </h2>
      <kaf-line-chart
        .curves=${curves}
        .xUnit=${1}
        .cursor=${this.step}
        .palette=${palette}
        label="Shift of ${layer} by step: ${formatNumber(y[0] ?? NaN, 3)} at first, ${formatNumber(y.at(-1) ?? NaN, 3)} at last"
      ></kaf-line-chart>
    </div>`;
  }

  private recordShown({ responses }: RunSnapshot): ResponsesRecord | undefined {
    const at = this.step;
    return (at === null ? undefined : responses.findLast(({ step }) => step <= at)) ?? responses.at(-1);
  }
}

function emptyFace({ plan: { observe }, run }: RunSnapshot): unknown {
  const face = (heading: string, reason: string): unknown =>
    html`<kaf-face icon="split-horizontal" heading=${heading} reason=${reason}></kaf-face>`;
  if (observe.shiftSamples === 0) {
    return face(
      'Shifts are not observed',
      'The experiment says observe: {shiftSamples: 0}, or the run is of an older version. Set it to 32 and train again to see how far an attack moves what layers answer.',
    );
  }
  if (observe.testEveryEpochs === 0) {
    return face(
      'Shifts come with tests',
      'The experiment says observe: {test: 0}. Set it to 1 and train again to see how far an attack moves what layers answer.',
    );
  }
  return isLive(run.status)
    ? face(
        'No shifts yet',
        `They come with each test, ${observe.testEveryEpochs === 1 ? 'every epoch' : `every ${formatCount(observe.testEveryEpochs)} epochs`}.`,
      )
    : face('No shifts were recorded', 'They come with each test, and the run ended before the first.');
}
