// <kaf-resize-handle>: the lower edge of a card, dragged or moved by the arrow keys; Home, or a double click, gives the usual height back.
// Event `resized` {height | null}, of what stands before it, in pixels.
import { css, html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';

const [least, most, byKey] = [80, 1600, 20];

@customElement('kaf-resize-handle')
export class ResizeHandle extends LitElement {
  static override styles = css`
    :host {
      display: block;
      height: 6px;
      margin: 0 -10px -6px;
    }
    div {
      height: 6px;
      cursor: ns-resize;
      touch-action: none;
    }
    div:hover,
    div:focus-visible {
      outline: none;
      background: var(--kaf-focus);
      opacity: 0.6;
    }
  `;

  @property() label = '';
  /** What was chosen; null for the usual one. */
  @property({ attribute: false }) height: number | null = null;
  private from: { readonly y: number; readonly height: number } | null = null;

  override render(): unknown {
    const height = this.height ?? 0;
    return html`<div
      role="separator"
      tabindex="0"
      aria-orientation="horizontal"
      aria-label=${this.label}
      aria-valuemin=${least}
      aria-valuemax=${most}
      aria-valuenow=${height}
      aria-valuetext=${this.height === null ? 'as there is room' : `${height.toString()} pixels`}
      @pointerdown=${this.onDown}
      @pointermove=${this.onMove}
      @pointerup=${this.onUp}
      @dblclick=${() => {
        this.tell(null);
      }}
      @keydown=${this.onKey}
    ></div>`;
  }

  private get present(): number {
    return this.height ?? Math.round(this.previousElementSibling?.getBoundingClientRect().height ?? least);
  }

  private tell(height: number | null): void {
    const detail = { height: height === null ? null : Math.max(least, Math.min(most, Math.round(height))) };
    this.dispatchEvent(new CustomEvent('resized', { detail, bubbles: true, composed: true }));
  }

  private readonly onDown = (event: PointerEvent): void => {
    this.from = { y: event.clientY, height: this.present };
    (event.target as HTMLElement).setPointerCapture(event.pointerId);
    event.preventDefault();
  };

  private readonly onMove = (event: PointerEvent): void => {
    if (this.from) this.tell(this.from.height + event.clientY - this.from.y);
  };

  private readonly onUp = (): void => {
    this.from = null;
  };

  private readonly onKey = (event: KeyboardEvent): void => {
    const by = { ArrowDown: byKey, ArrowUp: -byKey }[event.key];
    if (by === undefined && event.key !== 'Home') return;
    event.preventDefault();
    this.tell(by === undefined ? null : this.present + by);
  };
}
