// <kaf-learning-rate>: the loss by learning rate as the sweep goes, what it suggests and why, and two handles whose rates are written
// into the file.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import { usualSweep } from '../../server/protocol/learningRates.ts';
import type { FromLearningRate, RateEnds, ToLearningRate } from '../../server/protocol/panel.ts';
import type { Curve } from '../charts/curve.ts';
import '../charts/lineChart.ts';
import '../controls/face.ts';
import { formatCount, formatNumber } from '../text/numbers.ts';
import { readPalette, watchTheme, type Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, chipSheet, findingSheet, tableSheet, toolsSheet } from '../theme/sheets.ts';

const names = { 'plateau-end': 'end of the plateau', valley: 'valley', steepest: 'steepest' } as const;

/** Steps of a handle in a decade. */
const stepsPerDecade = 20;
const [lowest, highest] = [Math.log10(usualSweep.from), Math.log10(usualSweep.to)];

@customElement('kaf-learning-rate')
export class LearningRatePanel extends LitElement {
  static override styles = [
    baseSheet,
    chipSheet,
    cardSheet,
    tableSheet,
    findingSheet,
    toolsSheet,
    css`
      :host {
        padding: 0 16px 16px;
      }
      header {
        display: flex;
        flex-wrap: wrap;
        gap: 6px 10px;
        align-items: center;
        padding: 9px 16px;
        margin: 0 -16px 12px;
        border-bottom: 1px solid var(--kaf-line);
      }
      h1 {
        font-size: 15px;
        font-weight: 600;
      }
      kaf-line-chart {
        height: 300px;
      }
      .handles {
        display: grid;
        grid-template-columns: max-content minmax(0, 1fr) 9ch;
        gap: 6px 12px;
        align-items: center;
        margin-top: 10px;
      }
      input[type='range'] {
        width: 100%;
      }
      output {
        font-weight: 600;
        text-align: right;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px 12px;
        align-items: center;
        margin-top: 12px;
      }
      .card + .card {
        margin-top: 12px;
      }
      td {
        white-space: normal;
      }
      th:last-child,
      td:last-child {
        text-align: left;
        padding-left: 16px;
      }
    `,
  ];

  private post: ((message: FromLearningRate) => void) | null = null;
  @state() private palette: Palette = readPalette();
  @state() private view: ToLearningRate | null = null;
  /** As somebody has set them; null to follow what is suggested. */
  @state() private chosen: RateEnds | null = null;

  connect(post: (message: FromLearningRate) => void): void {
    this.post = post;
    watchTheme(() => {
      this.palette = readPalette();
    });
  }

  receive(view: ToLearningRate): void {
    if (view.points.length === 0) this.chosen = null;
    this.view = view;
  }

  override render(): unknown {
    const { view } = this;
    if (!view) return nothing;
    const { name, status, points, steps, message } = view;
    const isRunning = status === 'running';
    return html`<header>
        <h1>Learning rate of ${name}</h1>
        <span class="chip ${isRunning ? 'go' : status === 'failed' ? 'bad' : ''}" role="status"
          >${isRunning ? `step ${formatCount(points.length)} of ${formatCount(steps)}` : endText(view)}</span
        >
        <span class="grow"></span>
        ${isRunning ? this.button('Cancel', { type: 'cancel' }) : this.button('Sweep again', { type: 'again' })}
      </header>
      ${
        message === null
          ? nothing
          : html`<div class="finding bad" role="alert"><b>No sweep</b><span class="dim">${message}</span></div>`
      }
      ${
        points.length === 0
          ? status === 'failed'
            ? nothing
            : html`<kaf-face
                ?busy=${isRunning}
                icon=${isRunning ? 'loading' : 'circle-slash'}
                heading=${isRunning ? 'Opening data and runtime' : 'Cancelled'}
                reason=${
                  isRunning
                    ? 'Then a hundred training steps are taken, each with a larger rate. No weights are kept.'
                    : 'No step was taken.'
                }
              ></kaf-face>`
          : html`${this.renderCurve(view)} ${this.renderSuggestions(view)}`
      }`;
  }

  private renderCurve(view: ToLearningRate): unknown {
    const { palette } = this;
    const ends = this.ends();
    const x = view.points.map(({ learningRate }) => learningRate);
    const smoothed = view.points.map((point) => point.smoothed);
    const [low, high] = extent(smoothed);
    const mark = (name: string, rate: number): Curve => ({
      ...{
        name,
        x: [rate, rate],
        y: [low, high],
        color: palette.attacked,
        isDashed: true,
        width: 1.4,
        hasNoMarks: true,
      },
    });
    const curves: Curve[] = [
      { name: 'loss', x, y: view.points.map(({ loss }) => loss), color: palette.clean, width: 1, opacity: 0.35 },
      { name: 'smoothed', x, y: smoothed, color: palette.clean, width: 2, hasNoMarks: true },
      ...(ends ? [mark('min', ends.min), mark('max', ends.max)] : []),
    ];
    return html`<div class="card">
      <h2>loss <span>by learning rate · of the batch, and smoothed</span></h2>
      <kaf-line-chart
        .curves=${curves}
        .xScale=${'log'}
        .extent=${{ from: usualSweep.from, to: usualSweep.to }}
        .fixedY=${{ from: low - 0.05 * (high - low), to: high + 0.05 * (high - low) }}
        .palette=${palette}
        label=${
          `Loss by learning rate, ${formatCount(x.length)} steps from ${formatNumber(x[0]!, 2)} to ${formatNumber(x.at(-1)!, 2)}` +
          (ends ? `; minimum ${formatNumber(ends.min, 2)}, maximum ${formatNumber(ends.max, 2)}` : '')
        }
      ></kaf-line-chart>
      ${ends ? this.renderHandles(ends, view) : nothing}
    </div>`;
  }

  private renderHandles(ends: RateEnds, { applied }: ToLearningRate): unknown {
    const handle = (key: 'min' | 'max', text: string): unknown =>
      html`<label for=${key}>${text}</label>
        <input
          id=${key}
          type="range"
          min=${lowest}
          max=${highest}
          step=${1 / stepsPerDecade}
          .value=${String(Math.log10(ends[key]))}
          aria-valuetext=${formatNumber(ends[key], 2)}
          @input=${(event: Event) => {
            this.move(key, Number((event.target as HTMLInputElement).value));
          }}
        />
        <output for=${key}>${formatNumber(ends[key], 2)}</output>`;
    const isApplied = applied !== null && applied.min === ends.min && applied.max === ends.max;
    return html`<div class="handles">${handle('min', 'minimum')} ${handle('max', 'maximum')}</div>
      <div class="actions">
        <vscode-button
          data-intent="apply"
          ?disabled=${isApplied}
          @click=${() => {
            this.post?.({ type: 'apply', ...ends });
          }}
          >Apply to file</vscode-button
        >
        <span class="dim" role="status"
          >${
            isApplied
              ? 'Written into the editor; save it to keep it.'
              : 'A schedule with two ends takes both, one with a single rate the maximum. Comments stay.'
          }</span
        >
      </div>`;
  }

  private renderSuggestions({ status, suggestions }: ToLearningRate): unknown {
    if (status !== 'done') return nothing;
    if (suggestions.length === 0) {
      return html`<div class="finding">
        <b>The loss never fell.</b
        ><span class="dim"
          >Set the handles by eye, or look at the experiment: no rate trained it within a hundred steps.</span
        >
      </div>`;
    }
    return html`<div class="card">
      <h2>suggested</h2>
      <table>
        <tr>
          <th>where</th>
          <th>rate</th>
          <th>why</th>
        </tr>
        ${suggestions.map(
          ({ name, learningRate, reason }) =>
            html`<tr>
              <td>${names[name]}</td>
              <td>${formatNumber(learningRate, 2)}</td>
              <td class="dim">${reason}</td>
            </tr>`,
        )}
      </table>
    </div>`;
  }

  private button(text: string, message: Extract<FromLearningRate, { type: 'cancel' | 'again' | 'ready' }>): unknown {
    return html`<vscode-button
      secondary
      data-intent=${message.type}
      @click=${() => {
        this.post?.(message);
      }}
      >${text}</vscode-button
    >`;
  }

  /** What the handles stand at; null while there is nothing to set. */
  private ends(): RateEnds | null {
    if (!this.view || this.view.status === 'running') return null;
    return this.chosen ?? this.view.ends ?? { min: 1e-4, max: 1e-3 };
  }

  /** Pushes the other handle before it. */
  private move(key: 'min' | 'max', exponent: number): void {
    const ends = this.ends();
    if (!ends) return;
    const rate = Number((10 ** exponent).toPrecision(2));
    this.chosen =
      key === 'min' ? { min: rate, max: Math.max(rate, ends.max) } : { min: Math.min(rate, ends.min), max: rate };
  }
}

function endText({ status, points, steps }: ToLearningRate): string {
  switch (status) {
    case 'running':
      return '';
    case 'done':
      return points.length < steps ? `ended at step ${formatCount(points.length)}: the loss exploded` : 'done';
    case 'cancelled':
      return `cancelled after ${formatCount(points.length)} steps`;
    case 'failed':
      return 'failed';
    default:
      return status satisfies never;
  }
}

/** Of the finite values, from the least to three times as far above it as the first is, so that an explosion does not flatten the rest. */
function extent(values: readonly number[]): [low: number, high: number] {
  const finite = values.filter(Number.isFinite);
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  const first = finite[0] ?? 1;
  const bounded = Math.min(high, low + 3 * Math.max(first - low, 0.1));
  return Number.isFinite(low) && bounded > low ? [low, bounded] : [0, 1];
}
