// <kaf-dashboard-header>: what runs, its state, how long, which settings, and what can be done. Event `intent` {type}.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-toolbar-button/index.js';
import { figureInterval, figureName, figureValue } from '../../server/protocol/attackFigures.ts';
import { isLive, runTitle, statusText, type RunSummary } from '../../server/protocol/run.ts';
import { AskedIntents, underWayText } from '../state/askedIntents.ts';
import type { DashboardState } from '../state/dashboardState.ts';
import { allowedIntents, memoryText, remainingText, statusTone } from '../state/progress.ts';
import { formatCount, formatPercent } from '../text/numbers.ts';
import { baseSheet, buttonSheet, chipSheet } from '../theme/sheets.ts';

export type HeaderIntent = 'pause' | 'resume' | 'stop' | 'evaluate' | 'openExperiment' | 'openCheckpoint';

const memoryHint = 'Of the trainer: now, between two steps, and the most that a step has taken.';

@customElement('kaf-dashboard-header')
export class DashboardHeader extends LitElement {
  static override styles = [
    baseSheet,
    chipSheet,
    buttonSheet,
    css`
      :host {
        display: block;
        container-type: inline-size;
      }
      div {
        display: flex;
        gap: 10px;
        align-items: center;
        min-height: 28px;
      }
      h1 {
        font-size: 15px;
        font-weight: 600;
        min-width: 0;
      }
      h1,
      p {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      p {
        margin: 2px 0 4px;
        min-height: 1.4em;
        color: var(--kaf-dim);
      }
      p b {
        color: var(--kaf-foreground);
        font-weight: 600;
      }
      .chip {
        flex: none;
      }
      .progress {
        flex: 0 1 auto;
        min-width: 0;
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .buttons {
        display: flex;
        flex: none;
        gap: 8px;
        align-items: center;
      }
      @container (max-width: 720px) {
        div {
          flex-wrap: wrap;
          row-gap: 4px;
        }
        h1 {
          flex: 1 1 100%;
        }
        p {
          white-space: normal;
        }
      }
    `,
  ];

  @property({ attribute: false }) state!: DashboardState;
  /** To the last step; NaN where that is not known. */
  @property({ type: Number }) remainingMs = Number.NaN;

  private readonly asked = new AskedIntents();

  protected override willUpdate(): void {
    const { snapshot, connection } = this.state;
    if (connection.status !== 'connected') this.asked.forgetAll();
    if (snapshot) this.asked.see(snapshot.run);
  }

  override render(): unknown {
    const { snapshot, connection } = this.state;
    if (!snapshot) return nothing;
    const { run } = snapshot;
    const can = allowedIntents(run, connection);
    // What is being paused may still be stopped.
    const asked = this.asked.of(run);
    const remaining = remainingText(run, this.remainingMs);
    const memory = memoryText(run);
    const progress = [
      `epoch ${run.epoch.toString()} / ${run.epochs.toString()}`,
      `step ${formatCount(run.step)} of ${formatCount(run.steps)}`,
      ...(remaining === '' ? [] : [remaining]),
    ].join(' · ');
    return html`<div>
        <h1>${runTitle(run)}</h1>
        <span class="chip ${statusTone(run.status)}" role="status"
          ><span aria-hidden="true">●</span> ${statusText(run)}</span
        >
        <span class="chip progress">${progress}</span>
        <span class="grow"></span>
        <span class="buttons">
          ${asked ? html`<span class="dim" role="status">${underWayText(asked)}</span>` : nothing}
          ${
            asked
              ? nothing
              : can.resume
                ? this.button('resume', 'Resume')
                : run.status === 'training'
                  ? this.button('pause', 'Pause', { isDisabled: !can.pause })
                  : nothing
          }
          ${can.stop && asked !== 'stop' ? this.button('stop', run.status === 'evaluating' ? 'Stop attack' : 'Stop') : nothing}
          ${
            isLive(run.status) || run.checkpoints.length > 0
              ? this.button('evaluate', 'Evaluate…', {
                  isDisabled: !can.evaluate,
                  title: isLive(run.status) ? 'When the run has ended or is stopped' : 'Attack the last checkpoint',
                })
              : nothing
          }
          ${run.experimentFile === null ? nothing : this.icon('openExperiment', 'go-to-file', 'Open the experiment file')}
          ${run.checkpoints.length === 0 ? nothing : this.icon('openCheckpoint', 'save', 'Open the last checkpoint')}
        </span>
      </div>
      <p>
        ${renderFigures(run)}<span>${run.description}</span>${
          memory === '' ? nothing : html`<span title=${memoryHint}> · ${memory}</span>`
        }
      </p>`;
  }

  private button(intent: HeaderIntent, text: string, { isDisabled = false, title = '' } = {}): unknown {
    return html`<vscode-button
      secondary
      data-intent=${intent}
      title=${title}
      ?disabled=${isDisabled}
      @click=${() => {
        this.ask(intent);
      }}
      >${text}</vscode-button
    >`;
  }

  private icon(intent: HeaderIntent, icon: string, label: string): unknown {
    return html`<vscode-toolbar-button
      icon=${icon}
      label=${label}
      title=${label}
      @click=${() => {
        this.ask(intent);
      }}
    ></vscode-toolbar-button>`;
  }

  private ask(type: HeaderIntent): void {
    const run = this.state.snapshot?.run;
    if (run && (type === 'pause' || type === 'resume' || type === 'stop')) {
      this.asked.ask(run, type);
      this.requestUpdate();
    }
    this.dispatchEvent(new CustomEvent('intent', { detail: { type }, bubbles: true, composed: true }));
  }
}

/** Clean accuracy, and the run's own figure under attack; the Robustness tab has the others. */
function renderFigures({ cleanAccuracy, cleanWeights, figures = [], step }: RunSummary): unknown {
  const [figure] = figures;
  const isTested = cleanAccuracy !== null && Number.isFinite(cleanAccuracy);
  return html`${isTested ? html`clean <b>${formatPercent(cleanAccuracy)}</b>${cleanWeights ? ' averaged' : ''} · ` : nothing}${
    figure
      ? html`<span title="Of ${formatCount(figure.samples)} images, with the 95 % interval"
          >${figureName(figure, step)} <b>${figureValue(figure, figures)}</b> (${figureInterval(figure)}) ·
        </span>`
      : nothing
  }`;
}
