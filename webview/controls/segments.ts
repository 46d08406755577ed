// <kaf-segments>: one choice of a few, side by side; arrow keys move it. Event `chosen` {value}.
import { css, html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { baseSheet } from '../theme/sheets.ts';

export interface Segment {
  readonly value: string;
  readonly text: string;
  readonly title?: string;
}

@customElement('kaf-segments')
export class Segments extends LitElement {
  static override styles = [
    baseSheet,
    css`
      :host {
        display: inline-block;
        max-width: 100%;
      }
      div {
        display: inline-flex;
        flex-wrap: wrap;
        border: 1px solid var(--kaf-line);
        border-radius: 3px;
        overflow: hidden;
        max-width: 100%;
      }
      button {
        appearance: none;
        border: 0;
        background: transparent;
        color: var(--kaf-dim);
        font: inherit;
        padding: 1px 9px;
        line-height: 20px;
        cursor: pointer;
        white-space: nowrap;
      }
      button:hover {
        color: var(--kaf-foreground);
        background: var(--kaf-hover);
      }
      button[aria-checked='true'] {
        background: var(--kaf-accent);
        color: var(--kaf-on-accent);
      }
      button:focus-visible {
        outline-offset: -2px;
        outline-color: currentColor;
      }
    `,
  ];

  @property({ attribute: false }) segments: readonly Segment[] = [];
  @property() value = '';
  @property() label = '';

  override render(): unknown {
    return html`<div role="radiogroup" aria-label=${this.label} @keydown=${this.onKey}>
      ${this.segments.map(
        ({ value, text, title }) =>
          html`<button
            role="radio"
            title=${title ?? ''}
            aria-checked=${value === this.value ? 'true' : 'false'}
            tabindex=${value === this.value ? 0 : -1}
            @click=${() => {
              this.choose(value);
            }}
          >
            ${text}
          </button>`,
      )}
    </div>`;
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const index = this.segments.findIndex(({ value }) => value === this.value);
    const next = (index + by + this.segments.length) % this.segments.length;
    const value = this.segments[next]?.value;
    if (value === undefined) return;
    this.choose(value);
    this.renderRoot.querySelectorAll('button')[next]?.focus();
  };

  private choose(value: string): void {
    this.dispatchEvent(new CustomEvent('chosen', { detail: { value }, bubbles: true, composed: true }));
  }
}
