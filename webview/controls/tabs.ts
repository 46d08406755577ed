// <kaf-tabs>: the row of tabs; the panel below shows only the chosen one. Event `chosen` {value}.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { WidthWatch } from '../charts/widthWatch.ts';
import { baseSheet } from '../theme/sheets.ts';

export interface Tab {
  readonly value: string;
  readonly text: string;
  /** A count of findings; null for none. */
  readonly badge: string | null;
}

@customElement('kaf-tabs')
export class Tabs extends LitElement {
  static override styles = [
    baseSheet,
    css`
      div {
        display: flex;
        gap: 18px;
        overflow-x: auto;
        scrollbar-width: none;
      }
      @media (max-width: 400px) {
        div {
          gap: 12px;
        }
      }
      button {
        appearance: none;
        border: 0;
        border-bottom: 2px solid transparent;
        background: none;
        color: var(--kaf-dim);
        font: inherit;
        padding: 5px 0 6px;
        cursor: pointer;
        white-space: nowrap;
      }
      button:hover {
        color: var(--kaf-foreground);
      }
      button[aria-selected='true'] {
        color: var(--kaf-foreground);
        border-bottom-color: var(--kaf-accent);
      }
      button:focus-visible {
        outline-offset: -3px;
      }
      em {
        font-style: normal;
        font-size: 10px;
        line-height: 14px;
        display: inline-block;
        min-width: 14px;
        text-align: center;
        margin-left: 5px;
        padding: 0 4px;
        border-radius: 8px;
        background: var(--vscode-badge-background, #616161);
        color: var(--vscode-badge-foreground, #ffffff);
      }
    `,
  ];

  @property({ attribute: false }) tabs: readonly Tab[] = [];
  @property() value = '';

  /** A change of it is an update. */
  readonly watch = new WidthWatch(this);

  override render(): unknown {
    return html`<div role="tablist" @keydown=${this.onKey}>
      ${this.tabs.map(
        ({ value, text, badge }) =>
          html`<button
            role="tab"
            data-tab=${value}
            aria-selected=${value === this.value ? 'true' : 'false'}
            tabindex=${value === this.value ? 0 : -1}
            @click=${() => {
              this.choose(value);
            }}
          >
            ${text}${badge === null ? nothing : html`<em>${badge}</em>`}
          </button>`,
      )}
    </div>`;
  }

  /** Where not all tabs have room, the chosen one is in view. */
  protected override updated(): void {
    const row = this.renderRoot.querySelector('[role=tablist]');
    const chosen = this.renderRoot.querySelector('[aria-selected=true]');
    if (!row || !chosen) return;
    const [inView, at] = [row.getBoundingClientRect(), chosen.getBoundingClientRect()];
    if (at.right > inView.right) row.scrollLeft += at.right - inView.right;
    if (at.left < inView.left) row.scrollLeft -= inView.left - at.left;
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    const index = this.tabs.findIndex(({ value }) => value === this.value);
    const last = this.tabs.length - 1;
    const next = {
      ArrowRight: index === last ? 0 : index + 1,
      ArrowLeft: index === 0 ? last : index - 1,
      Home: 0,
      End: last,
    }[event.key];
    const value = next === undefined ? undefined : this.tabs[next]?.value;
    if (next === undefined || value === undefined) return;
    event.preventDefault();
    this.choose(value);
    this.renderRoot.querySelectorAll('button')[next]?.focus();
  };

  private choose(value: string): void {
    this.dispatchEvent(new CustomEvent('chosen', { detail: { value }, bubbles: true, composed: true }));
  }
}
