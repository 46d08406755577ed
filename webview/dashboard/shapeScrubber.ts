// <kaf-shape-scrubber>: the step whose shapes are shown, by hand or played through. Event `step-chosen` {step}, null for the newest.
import { css, html, LitElement } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-toolbar-button/index.js';
import { formatCount } from '../text/numbers.ts';
import { baseSheet, toolsSheet } from '../theme/sheets.ts';

@customElement('kaf-shape-scrubber')
export class ShapeScrubber extends LitElement {
  static override styles = [
    baseSheet,
    toolsSheet,
    css`
      :host {
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
      input {
        flex: 1;
        min-width: 120px;
      }
    `,
  ];

  /** Of the run, when it ends. */
  @property({ type: Number }) steps = 0;
  /** Those recorded, ascending. */
  @property({ attribute: false }) recorded: readonly number[] = [];
  /** Of `recorded`. */
  @property({ type: Number }) position = 0;
  /** Whether the newest is followed. */
  @property({ type: Boolean }) isFollowing = true;
  @state() private isPlaying = false;
  private timer: ReturnType<typeof setInterval> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.pause();
  }

  override render(): unknown {
    const { recorded, position } = this;
    const shown = recorded[position] ?? 0;
    return html`<vscode-toolbar-button
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
        max=${Math.max(1, recorded.length - 1)}
        aria-label="Step shown"
        aria-valuetext="step ${shown.toString()}"
        .value=${position.toString()}
        @input=${(event: Event) => {
          this.pause();
          this.choose(Number((event.target as HTMLInputElement).value));
        }}
      />
      <span class="dim"
        >step ${formatCount(shown)} of ${formatCount(this.steps)} · ${formatCount(recorded.length)}
        recorded${
          this.isFollowing
            ? ''
            : html` ·
                <button
                  class="link"
                  @click=${() => {
                    this.pause();
                    this.choose(recorded.length - 1);
                  }}
                >
                  newest
                </button>`
        }</span
      >`;
  }

  private choose(position: number): void {
    const step = position >= this.recorded.length - 1 ? null : (this.recorded[position] ?? null);
    this.dispatchEvent(new CustomEvent('step-chosen', { detail: { step }, bubbles: true, composed: true }));
  }

  private play(): void {
    let position = this.isFollowing ? 0 : this.position;
    this.isPlaying = true;
    this.choose(position);
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.timer = setInterval(
      () => {
        position++;
        this.choose(position);
        if (position >= this.recorded.length - 1) this.pause();
      },
      isCalm ? 600 : 120,
    );
  }

  private pause(): void {
    clearInterval(this.timer);
    this.isPlaying = false;
  }
}
