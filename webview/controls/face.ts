// <kaf-face>: what a panel shows where it has no data: empty, loading, failed. One sentence, why, and what to do (the slot).
import { css, html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-icon/index.js';
import { baseSheet } from '../theme/sheets.ts';

@customElement('kaf-face')
export class Face extends LitElement {
  static override styles = [
    baseSheet,
    css`
      :host {
        padding: 48px 16px;
      }
      :host([compact]) {
        padding: 20px 4px;
      }
      div {
        max-width: 460px;
        margin: 0 auto;
        display: grid;
        justify-items: center;
        gap: 6px;
        text-align: center;
      }
      vscode-icon {
        color: var(--kaf-faint);
      }
      :host([tone='bad']) vscode-icon {
        color: var(--kaf-alarm);
      }
      h2 {
        font-size: 14px;
        font-weight: 600;
      }
      p {
        color: var(--kaf-dim);
        overflow-wrap: anywhere;
      }
      slot {
        display: block;
        margin-top: 8px;
      }
    `,
  ];

  @property() icon = 'pulse';
  @property() heading = '';
  @property() reason = '';
  @property({ reflect: true }) tone: 'calm' | 'bad' = 'calm';
  @property({ type: Boolean, reflect: true }) compact = false;
  @property({ type: Boolean }) busy = false;

  override render(): unknown {
    return html`<div role=${this.tone === 'bad' ? 'alert' : 'status'}>
      <vscode-icon name=${this.busy ? 'loading' : this.icon} size="28" ?spin=${this.busy}></vscode-icon>
      <h2>${this.heading}</h2>
      <p>${this.reason}</p>
      <slot></slot>
    </div>`;
  }
}
