// <kaf-monitor>: what runs now, in a narrow sidebar: progress, figures with their sparklines, device, what can be done.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-toolbar-button/index.js';
import type { ConnectionState, FromMonitor, MonitoredRun, ToMonitor } from '../../server/protocol/panel.ts';
import { figureInterval, figureName, figureValue } from '../../server/protocol/attackFigures.ts';
import { runTitle, statusText } from '../../server/protocol/run.ts';
import { FrameGate } from '../charts/frameGate.ts';
import '../charts/sparkline.ts';
import '../controls/face.ts';
import { smooth } from '../curves/smooth.ts';
import '../health/findings.ts';
import { AskedIntents, underWayText } from '../state/askedIntents.ts';
import { Pace } from '../state/pace.ts';
import { allowedIntents, memoryText, progressText, statusTone } from '../state/progress.ts';
import { formatCount, formatNumber, formatPercent } from '../text/numbers.ts';
import { readPalette, watchTheme, type Palette } from '../theme/palette.ts';
import { baseSheet, chipSheet, findingSheet } from '../theme/sheets.ts';

@customElement('kaf-monitor')
export class MonitorPanel extends LitElement {
  static override styles = [
    baseSheet,
    chipSheet,
    findingSheet,
    css`
      :host {
        padding: 6px 12px 12px;
        min-width: 0;
      }
      section {
        padding-bottom: 12px;
        margin-bottom: 12px;
        border-bottom: 1px solid var(--kaf-line);
      }
      section:last-of-type {
        border-bottom: 0;
        margin-bottom: 0;
      }
      .name {
        display: flex;
        gap: 6px;
        align-items: baseline;
      }
      .name button {
        appearance: none;
        border: 0;
        padding: 0;
        background: none;
        font: inherit;
        font-weight: 600;
        color: var(--kaf-foreground);
        text-align: left;
        cursor: pointer;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        min-width: 0;
        flex: 1;
      }
      .name button:hover {
        color: var(--kaf-link);
      }
      small {
        font-size: 12px;
        color: var(--kaf-dim);
      }
      .row {
        display: flex;
        align-items: center;
        gap: 4px;
        min-height: 22px;
      }
      .row small {
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .row vscode-toolbar-button {
        flex: none;
      }
      progress {
        appearance: none;
        display: block;
        width: 100%;
        height: 3px;
        border: 0;
        margin: 5px 0 4px;
        background: var(--kaf-track);
        border-radius: 2px;
        overflow: hidden;
      }
      progress::-webkit-progress-bar {
        background: var(--kaf-track);
      }
      progress::-webkit-progress-value {
        background: var(--kaf-accent);
        border-radius: 2px;
      }
      progress.rest::-webkit-progress-value {
        background: var(--kaf-faint);
      }
      progress.bad::-webkit-progress-value {
        background: var(--kaf-alarm);
      }
      dl {
        display: grid;
        grid-template-columns: auto minmax(52px, auto) minmax(0, 1fr);
        gap: 2px 8px;
        align-items: center;
        margin: 4px 0 6px;
      }
      dt {
        color: var(--kaf-foreground);
      }
      dd {
        margin: 0;
        font-weight: 600;
        text-align: right;
      }
      .note {
        grid-column: 1 / -1;
        margin-top: -2px;
        font-size: 12px;
        font-weight: 400;
        text-align: left;
        color: var(--kaf-dim);
      }
      .finding {
        margin: 6px 0 8px;
        overflow-wrap: anywhere;
      }
      .wrap {
        overflow-wrap: anywhere;
      }
      .chip {
        line-height: 16px;
        font-size: 11px;
        flex: none;
      }
    `,
  ];

  post: (message: FromMonitor) => void = () => undefined;
  @state() private palette: Palette = readPalette();
  /** The newest; null until the host has said what there is. */
  private shown: ToMonitor | null = null;
  private readonly paces = new Map<string, Pace>();
  private readonly asked = new AskedIntents();
  private readonly gate = new FrameGate(() => {
    this.requestUpdate();
  });

  connect(post: (message: FromMonitor) => void): void {
    this.post = post;
    watchTheme(() => {
      this.palette = readPalette();
    });
  }

  receive(message: ToMonitor): void {
    this.shown = message;
    const known = new Set(message.runs.map(({ run }) => run.id));
    for (const id of this.paces.keys()) if (!known.has(id)) this.paces.delete(id);
    if (message.connection.status !== 'connected') this.asked.forgetAll();
    for (const { run } of message.runs) {
      this.paceOf(run.id).see(run);
      this.asked.see(run);
    }
    this.gate.request();
  }

  override render(): unknown {
    if (!this.shown)
      return html`<kaf-face compact busy icon="loading" heading="Looking for runs" reason=""></kaf-face>`;
    const { connection, runs } = this.shown;
    return html`${this.renderConnection(connection)}
    ${
      runs.length > 0
        ? repeat(
            runs,
            ({ run }) => run.id,
            (monitored) => this.renderRun(monitored, connection),
          )
        : connection.status === 'connected' || connection.status === 'stopped'
          ? html`<kaf-face
              compact
              icon="pulse"
              heading="Nothing runs"
              reason="Open an experiment file and press Train; its progress appears here."
            >
              <vscode-button
                @click=${() => {
                  this.post({ type: 'newExperiment' });
                }}
                >New Experiment</vscode-button
              >
            </kaf-face>`
          : nothing
    }`;
  }

  private renderConnection(connection: ConnectionState): unknown {
    switch (connection.status) {
      case 'connected':
      case 'stopped':
        return nothing;
      case 'starting':
        return html`<div class="finding quiet" role="status">
          <span class="dim">Starting the training server…</span>
        </div>`;
      case 'lost':
        return html`<div class="finding" role="alert">
          <b>Connection lost</b><span class="dim wrap">${connection.message}</span>
          <button
            class="link"
            @click=${() => {
              this.post({ type: 'showLog' });
            }}
          >
            Show the log
          </button>
        </div>`;
      default:
        return connection satisfies never;
    }
  }

  private renderRun(monitored: MonitoredRun, connection: ConnectionState): unknown {
    const { run } = monitored;
    const tone = statusTone(run.status);
    return html`<section aria-label="${runTitle(run)}, ${statusText(run)}">
      <div class="name">
        <button
          title="Open the dashboard"
          @click=${() => {
            this.post({ type: 'openDashboard', runId: run.id });
          }}
        >
          ${runTitle(run)}
        </button>
        ${
          run.status === 'training'
            ? html`<small>epoch ${run.epoch} / ${run.epochs}</small>`
            : html`<span class="chip ${tone}">${statusText(run)}</span>`
        }
      </div>
      ${run.status === 'damaged' ? nothing : this.renderProgress(monitored, connection)}
      ${
        run.message !== null
          ? html`<div class="finding bad" role="alert">
              <b>${tone === 'bad' ? statusText(run) : 'attack failed'}</b><span class="dim">${run.message}</span>
            </div>`
          : nothing
      }
      <kaf-findings compact .findings=${run.health ?? []}></kaf-findings>
    </section>`;
  }

  /** Nothing of it is known of a run that can't be read. */
  private renderProgress(monitored: MonitoredRun, connection: ConnectionState): unknown {
    const { run } = monitored;
    const tone = statusTone(run.status);
    return html`<progress
        class=${tone}
        max=${Math.max(1, run.steps)}
        .value=${run.step}
        aria-label="Steps done"
      ></progress>
      <div class="row">
        <small>${progressText(run, this.paceOf(run.id).remainingMs(run))}</small>
        <span class="grow"></span>${this.renderButtons(monitored, connection)}
      </div>
      ${this.renderFigures(monitored)}
      <small class="wrap">${[run.device, memoryText(run), run.description].filter(Boolean).join(' · ')}</small>`;
  }

  private renderFigures(monitored: MonitoredRun): unknown {
    const { run, loss, accuracy, robustAccuracy, imagesPerSecond } = monitored;
    const { palette } = this;
    const batchAccuracy = smooth(monitored.batchAccuracy, 0.8);
    const inBatches = batchAccuracy.at(-1) ?? null;
    const figures: [name: string, value: string, curve: readonly number[], color: string, note?: string][] = [];
    if (run.loss !== null) figures.push(['loss', formatNumber(run.loss), [...smooth(loss, 0.8)], palette.dim]);
    if (isKnown(run.cleanAccuracy)) figures.push(['clean', formatPercent(run.cleanAccuracy), accuracy, palette.clean]);
    else if (isKnown(inBatches)) {
      figures.push(['batch accuracy', formatPercent(inBatches), [...batchAccuracy], palette.clean]);
    }
    const [attacked] = run.figures ?? [];
    if (attacked) {
      // The curve is of the tests' own attack, whatever the figure is of.
      const curve = attacked.isOfTest ? robustAccuracy : [];
      const note = `95 %: ${figureInterval(attacked)}, of ${formatCount(attacked.samples)} images`;
      const value = figureValue(attacked, run.figures ?? []);
      figures.push([figureName(attacked, run.step), value, curve, palette.attacked, note]);
    } else if (isKnown(run.robustAccuracy)) {
      figures.push(['robust', formatPercent(run.robustAccuracy), robustAccuracy, palette.attacked]);
    }
    if (isKnown(run.imagesPerSecond) && (run.status === 'training' || run.status === 'paused')) {
      figures.push(['images/s', formatCount(run.imagesPerSecond), imagesPerSecond, palette.rate]);
    }
    if (figures.length === 0) return nothing;
    return html`<dl>
      ${figures.map(
        ([name, text, values, color, note]) =>
          html`<dt>${name}</dt>
            <dd>${text}</dd>
            <kaf-sparkline
              .values=${values}
              .color=${color}
              .palette=${palette}
              label="${name}: ${text}, ${values.length.toString()} points"
            ></kaf-sparkline>
            ${note === undefined ? nothing : html`<dd class="note">${note}</dd>`}`,
      )}
    </dl>`;
  }

  private renderButtons({ run }: MonitoredRun, connection: ConnectionState): unknown {
    const asked = this.asked.of(run);
    const can = allowedIntents(run, connection);
    const button = (type: 'pause' | 'resume' | 'stop', icon: string, label: string): unknown =>
      html`<vscode-toolbar-button
        icon=${icon}
        label=${label}
        title=${label}
        data-intent=${type}
        @click=${() => {
          this.post({ type, runId: run.id });
          this.asked.ask(run, type);
          this.requestUpdate();
        }}
      ></vscode-toolbar-button>`;
    // What is being paused may still be stopped.
    return html`${asked ? html`<small role="status">${underWayText(asked)}</small>` : nothing}${
      can.pause && !asked ? button('pause', 'debug-pause', 'Pause') : nothing
    }${can.resume && !asked ? button('resume', 'debug-start', 'Resume') : nothing}${
      can.stop && asked !== 'stop'
        ? button('stop', 'debug-stop', run.status === 'evaluating' ? 'Stop the attack' : 'Stop')
        : nothing
    }`;
  }

  private paceOf(runId: string): Pace {
    let pace = this.paces.get(runId);
    if (!pace) {
      pace = new Pace();
      this.paces.set(runId, pace);
    }
    return pace;
  }
}

/** Not so before the first, or where nothing was counted: a loss may be NaN, these may not. */
function isKnown(value: number | null): value is number {
  return value !== null && Number.isFinite(value);
}
