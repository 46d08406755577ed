// <kaf-audit-card>: what makes an evaluation's figures doubtful: what was measured, what it means, what to do next.
import { css, html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { AuditFlag } from '../../server/protocol/records.ts';
import { baseSheet, cardSheet } from '../theme/sheets.ts';

@customElement('kaf-audit-card')
export class AuditCard extends LitElement {
  static override styles = [
    baseSheet,
    cardSheet,
    css`
      .card {
        margin-bottom: 12px;
      }
      .flagged {
        border-color: var(--kaf-warning);
      }
      ul {
        margin: 4px 0 0;
        padding: 0;
        list-style: none;
        display: grid;
        gap: 8px;
        grid-template-columns: repeat(auto-fill, minmax(min(420px, 100%), 1fr));
      }
      li {
        display: grid;
        gap: 2px;
        align-content: start;
        font-size: 12px;
      }
    `,
  ];

  @property({ attribute: false }) flags: readonly AuditFlag[] = [];

  override render(): unknown {
    if (this.flags.length === 0) {
      return html`<div class="card">
        <h2>audit <span>nothing was found that makes these figures doubtful</span></h2>
      </div>`;
    }
    const count = this.flags.length === 1 ? 'one finding' : `${this.flags.length.toString()} findings`;
    return html`<div class="card flagged" role="region" aria-label="Audit of the evaluation">
      <h2>audit <span>${count}: the figures may say too much</span></h2>
      <ul>
        ${this.flags.map(
          ({ measured, means, next }) =>
            html`<li>
              <b>${measured}</b>
              <span>${means}</span>
              <span class="dim">${next}</span>
            </li>`,
        )}
      </ul>
    </div>`;
  }
}
