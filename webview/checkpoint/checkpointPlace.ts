// <kaf-checkpoint-place>: where the file stands among the checkpoints of its run, to go through them, and what can be done from here.
// Events: `checkpoint-asked` {file}, `place-asked` {type}.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-toolbar-button/index.js';
import type { CheckpointPlace } from '../../server/protocol/panel.ts';
import { formatCount } from '../text/numbers.ts';
import { baseSheet, toolsSheet } from '../theme/sheets.ts';

export type PlaceIntent = 'evaluate' | 'fork' | 'resume' | 'openRun';

@customElement('kaf-checkpoint-place')
export class CheckpointPlaceBar extends LitElement {
  static override styles = [
    baseSheet,
    toolsSheet,
    css`
      :host {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 10px;
        align-items: center;
        margin-bottom: 10px;
      }
      input {
        flex: 1 1 120px;
        min-width: 100px;
        max-width: 360px;
      }
    `,
  ];

  @property({ attribute: false }) place!: CheckpointPlace;
  /** Name of the file that is shown. */
  @property() file = '';

  override render(): unknown {
    const { checkpoints, canEvaluate, canResume } = this.place;
    const at = checkpoints.findIndex(({ file }) => file === this.file);
    const shown = checkpoints[at];
    return html`${
        shown && checkpoints.length > 1
          ? html`${this.renderMove(at - 1, 'chevron-left', 'Earlier checkpoint')}
              <input
                type="range"
                min="0"
                max=${checkpoints.length - 1}
                step="1"
                .value=${at.toString()}
                aria-label="Checkpoint of the run"
                aria-valuetext="step ${formatCount(shown.step)}, epoch ${shown.epoch}"
                @input=${(event: Event) => {
                  this.ask(Number((event.target as HTMLInputElement).value));
                }}
              />
              ${this.renderMove(at + 1, 'chevron-right', 'Later checkpoint')}
              <span class="dim">${(at + 1).toString()} of ${checkpoints.length.toString()} of the run</span>`
          : nothing
      }
      <span class="grow"></span>
      ${
        shown && canEvaluate
          ? html`${this.renderButton('evaluate', 'Evaluate…', 'Attack the weights of this checkpoint')}
            ${this.renderButton('fork', 'Train on from here', 'As a run of its own; this one stays as it is')}`
          : nothing
      }
      ${
        shown && canResume && at === checkpoints.length - 1
          ? this.renderButton('resume', 'Resume the run', 'The run itself goes on from here, its last checkpoint')
          : nothing
      }
      ${this.renderButton('openRun', 'Open run', 'Open the dashboard of the run')}`;
  }

  private renderMove(to: number, icon: string, label: string): unknown {
    const isThere = this.place.checkpoints[to] !== undefined;
    return html`<vscode-toolbar-button
      icon=${icon}
      label=${label}
      title=${label}
      ?disabled=${!isThere}
      @click=${() => {
        this.ask(to);
      }}
    ></vscode-toolbar-button>`;
  }

  private renderButton(type: PlaceIntent, text: string, title: string): unknown {
    return html`<vscode-button
      secondary
      title=${title}
      data-intent=${type}
      @click=${() => {
        this.dispatchEvent(new CustomEvent('place-asked', { detail: { type }, bubbles: true, composed: true }));
      }}
      >${text}</vscode-button
    >`;
  }

  private ask(at: number): void {
    const file = this.place.checkpoints[at]?.file;
    if (file === undefined || file === this.file) return;
    this.dispatchEvent(new CustomEvent('checkpoint-asked', { detail: { file }, bubbles: true, composed: true }));
  }
}
