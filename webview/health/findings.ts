// <kaf-findings>: what the rules of health found in a run, a card each: what, since when, the figures; unfolded what it means and
// what to do. Events: `finding-asked` {finding} where it is to be shown in its tab, `half-rate-asked`.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { healthRules } from '../../server/health/healthRules.ts';
import type { HealthFinding } from '../../server/protocol/health.ts';
import { formatCount } from '../text/numbers.ts';
import { baseSheet, findingSheet } from '../theme/sheets.ts';

@customElement('kaf-findings')
export class Findings extends LitElement {
  static override styles = [
    baseSheet,
    findingSheet,
    css`
      .finding {
        display: block;
      }
      .line {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 10px;
        align-items: baseline;
      }
      summary {
        cursor: pointer;
        color: var(--kaf-link);
        width: fit-content;
      }
      dl {
        margin: 4px 0 2px;
        display: grid;
        grid-template-columns: max-content minmax(0, 1fr);
        gap: 2px 10px;
        max-width: 90ch;
      }
      dt {
        color: var(--kaf-dim);
      }
      dd {
        margin: 0;
      }
      :host([compact]) dl {
        grid-template-columns: minmax(0, 1fr);
      }
      .evidence {
        flex: 1 1 30ch;
      }
      .dim {
        overflow-wrap: anywhere;
      }
    `,
  ];

  @property({ attribute: false }) findings: readonly HealthFinding[] = [];
  /** For a narrow place. */
  @property({ type: Boolean, reflect: true }) compact = false;

  /** Of a run that is over: what failed may go well with half the learning rate. */
  @property({ type: Boolean }) canHalve = false;

  override render(): unknown {
    return this.findings.map((finding) => this.renderFinding(finding));
  }

  private renderFinding(finding: HealthFinding): unknown {
    const { title, severity, meaning, remedy, tab } = healthRules[finding.rule];
    const since = finding.step > 0 ? `step ${formatCount(finding.step)}` : '';
    return html`<div class="finding ${severity === 'failure' ? 'bad' : ''}" role="status" data-rule=${finding.rule}>
      <div class="line">
        <b>${title}</b><span class="dim">${since}</span>
        ${
          this.compact
            ? nothing
            : html`<span class="dim evidence">${finding.evidence}</span>
                <button
                  class="link"
                  @click=${() => {
                    this.ask(finding);
                  }}
                >
                  Show it in the ${tab}
                </button>`
        }
      </div>
      <details>
        <summary>What it means and what to do</summary>
        <dl>
          ${
            this.compact
              ? html`<dt>Seen</dt>
                  <dd>${finding.evidence}</dd>`
              : nothing
          }
          <dt>Meaning</dt>
          <dd>${meaning}</dd>
          <dt>What to do</dt>
          <dd>${remedy}${this.canHalve && severity === 'failure' ? html` ${halfRateButton()}` : nothing}</dd>
        </dl>
      </details>
    </div>`;
  }

  private ask(finding: HealthFinding): void {
    this.dispatchEvent(new CustomEvent('finding-asked', { detail: { finding }, bubbles: true, composed: true }));
  }
}

/** Asks for the run's plan as a new experiment. Event `half-rate-asked` of whoever shows it. */
export function halfRateButton(): unknown {
  return html`<button
    class="link"
    title="Opens the run's plan, every key spelled out, as a new experiment to train"
    @click=${({ currentTarget }: Event) => {
      currentTarget?.dispatchEvent(new CustomEvent('half-rate-asked', { bubbles: true, composed: true }));
    }}
  >
    New experiment with half the learning rate
  </button>`;
}
