// <kaf-sweep-header>: what a sweep is, how far, how long still, how much disk, and what can be asked of it. Events `ask-sweep` {ask},
// `open-experiment`.
import { css, html, LitElement, nothing, svg } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-toolbar-button/index.js';
import { formatDuration } from '../../server/protocol/duration.ts';
import { allowedAsks, countCells, type SweepAsk, type SweepSummary } from '../../server/protocol/sweep.ts';
import { formatBytes, formatCount } from '../text/numbers.ts';
import { baseSheet, buttonSheet, chipSheet } from '../theme/sheets.ts';

const askTexts: Readonly<Record<SweepAsk, string>> = {
  ...{ pause: 'Pause', 'go-on': 'Resume', stop: 'Stop', again: 'Run failed again' },
};

const askTitles: Readonly<Record<SweepAsk, string>> = {
  pause: 'Its runs wait after their step; no other is begun',
  'go-on': 'Go on with what is left, cut-off runs from their last checkpoint',
  stop: 'Its runs end with a checkpoint, to go on from',
  again: 'Cells whose runs failed are tried once more; those that diverged would do so again',
};

const statusTones = { working: 'go', paused: 'wait', resting: 'rest' } as const;

@customElement('kaf-sweep-header')
export class SweepHeader extends LitElement {
  static override styles = [
    baseSheet,
    chipSheet,
    buttonSheet,
    css`
      :host {
        margin-bottom: 8px;
      }
      header {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 10px;
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
        flex-wrap: wrap;
        gap: 8px;
        align-items: center;
      }
      svg {
        display: block;
        width: 100%;
        height: 6px;
        margin: 6px 0 4px;
        border-radius: 3px;
        background: var(--kaf-track);
      }
      .finished {
        fill: var(--kaf-good);
      }
      .working {
        fill: var(--kaf-clean);
      }
      .failed {
        fill: var(--kaf-alarm);
      }
      p {
        color: var(--kaf-dim);
      }
      p b {
        color: var(--kaf-foreground);
        font-weight: 600;
      }
      p .bad {
        color: var(--kaf-alarm);
      }
    `,
  ];

  @property({ attribute: false }) sweep!: SweepSummary;
  /** Of its runs on the disk; null while that is not known. */
  @property({ attribute: false }) bytes: number | null = null;
  /** To its end; NaN where that is not known. */
  @property({ type: Number }) remainingMs = Number.NaN;

  override render(): unknown {
    const { sweep } = this;
    const { cells, status } = sweep;
    const { failed, finished, working, left } = countCells(cells);
    const isDone = working + left === 0;
    const said = status === 'resting' ? (isDone ? 'ended' : 'at rest') : status;
    return html`<header>
        <h1>${sweep.name}</h1>
        <span class="chip ${statusTones[status]}" role="status">● ${said}</span>
        <span class="grow"></span>
        <span class="buttons">
          ${allowedAsks(sweep).map((ask) => this.button(ask))}
          ${
            sweep.experimentFile === null
              ? nothing
              : html`<vscode-toolbar-button
                  icon="go-to-file"
                  label="Open the experiment file"
                  title="Open the experiment file"
                  @click=${() => {
                    this.dispatchEvent(new CustomEvent('open-experiment', { bubbles: true }));
                  }}
                ></vscode-toolbar-button>`
          }
        </span>
      </header>
      ${this.renderBar({ failed, finished, working })}
      <p>
        <b>${formatCount(finished)} of ${formatCount(cells.length)} done</b>${
          failed > 0 ? html` · <b class="bad">${formatCount(failed)} failed</b>` : nothing
        }${working > 0 ? ` · ${formatCount(working)} at work` : ''}${left > 0 ? ` · ${formatCount(left)} left` : ''}
        ${this.renderTime(isDone)}${this.bytes === null ? nothing : ` · ${formatBytes(this.bytes)} on the disk`}${
          sweep.place === null ? nothing : ` · ${sweep.place}`
        }
      </p>`;
  }

  private renderTime(isDone: boolean): unknown {
    if (isDone) return nothing;
    if (Number.isNaN(this.remainingMs)) return ' · time unknown until the first cell is done';
    const hint = 'By how long the finished cells took, at as many at once as now';
    return html` · <span title=${hint}>about ${formatDuration(this.remainingMs)} left</span>`;
  }

  private renderBar(counts: Readonly<Record<'failed' | 'finished' | 'working', number>>): unknown {
    const total = Math.max(1, this.sweep.cells.length);
    const text = `${counts.finished} of ${total} done, ${counts.failed} failed, ${counts.working} at work`;
    let from = 0;
    const parts = (['finished', 'failed', 'working'] as const).map((group) => {
      const x = from;
      from += counts[group];
      return svg`<rect class=${group} x=${x} y="0" width=${counts[group]} height="1"></rect>`;
    });
    return html`<svg
      viewBox="0 0 ${total} 1"
      preserveAspectRatio="none"
      role="progressbar"
      aria-label="Cells done"
      aria-valuemin="0"
      aria-valuemax=${total}
      aria-valuenow=${counts.finished}
      aria-valuetext=${text}
    >
      ${parts}
    </svg>`;
  }

  private button(ask: SweepAsk): unknown {
    return html`<vscode-button
      secondary
      data-ask=${ask}
      title=${askTitles[ask]}
      @click=${() => {
        this.dispatchEvent(new CustomEvent('ask-sweep', { detail: { ask }, bubbles: true }));
      }}
      >${askTexts[ask]}</vscode-button
    >`;
  }
}
