// <kaf-dashboard-header>: what runs, its state, how long, which settings, and what can be done. Event `intent` {type}.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-toolbar-button/index.js';
import { isLive, runTitle, statusText } from '../../server/protocol/run.ts';
import { AskedIntents, underWayText } from '../state/askedIntents.ts';
import type { DashboardState } from '../state/dashboardState.ts';
import { allowedIntents, memoryText, remainingText, statusTone } from '../state/progress.ts';
import { formatCount } from '../text/numbers.ts';
import { baseSheet, chipSheet } from '../theme/sheets.ts';

export type HeaderIntent = 'pause' | 'resume' | 'stop' | 'evaluate' | 'openExperiment' | 'openCheckpoint';

const memoryHint = 'Of the trainer: now, between two steps, and the most that a step has taken.';

@customElement('kaf-dashboard-header')
export class DashboardHeader extends LitElement {
  static override styles = [
    baseSheet,
    chipSheet,
    css`
      div {
        display: flex;
        flex-wrap: wrap;
        gap: 6px 10px;
        align-items: center;
        min-height: 28px;
      }
      h1 {
        font-size: 15px;
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      .buttons {
        display: flex;
        gap: 8px;
        align-items: center;
      }
      .buttons {
        --vscode-button-secondaryBackground: transparent;
        --vscode-button-secondaryForeground: var(--kaf-foreground);
        --vscode-button-secondaryHoverBackground: var(--kaf-hover);
        --vscode-button-border: var(--kaf-line);
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
      <span class="chip ${statusTone(run.status)}" role="status">● ${statusText(run)}</span>
      <span class="chip">${progress}</span>
      ${memory === '' ? nothing : html`<span class="chip" title=${memoryHint}>${memory}</span>`}
      <span class="chip" title=${run.description}>${run.description}</span>
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
    </div>`;
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
