// <kaf-evaluate-form>: a few fields that ask for an evaluation. Events: `evaluation-asked` {evaluation}, `form-closed`.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import type { Plan } from '../../server/protocol/plan.ts';
import {
  draftFor,
  evaluationFields,
  readDraft,
  startText,
  withAttack,
  withField,
  type EvaluationDraft,
} from '../state/evaluationForm.ts';
import { changeView } from './view.ts';
import { baseSheet, cardSheet } from '../theme/sheets.ts';

@customElement('kaf-evaluate-form')
export class EvaluateForm extends LitElement {
  static override styles = [
    baseSheet,
    cardSheet,
    css`
      form {
        display: flex;
        flex-wrap: wrap;
        gap: 6px 14px;
        align-items: start;
      }
      label {
        display: grid;
        gap: 2px;
        font-size: 12px;
        color: var(--kaf-dim);
        width: 128px;
      }
      vscode-textfield {
        width: 100%;
      }
      select {
        width: 100%;
        height: 26px;
        font: inherit;
        color: var(--vscode-dropdown-foreground, var(--vscode-foreground));
        background: var(--vscode-dropdown-background, transparent);
        border: 1px solid var(--vscode-dropdown-border, var(--vscode-input-border, transparent));
        border-radius: 4px;
      }
      small {
        color: var(--kaf-alarm);
        font-size: 11px;
      }
      .buttons {
        display: flex;
        gap: 8px;
        align-items: center;
        align-self: start;
        margin-top: 20px;
        flex-wrap: wrap;
      }
    `,
  ];

  @property({ attribute: false }) plan!: Plan;
  /** Why it can't start now; null where it can. */
  @property({ attribute: false }) blocked: string | null = null;
  /** What was typed so far; null for nothing. Who shows the form keeps it, as the form goes with its tab. */
  @property({ attribute: false }) draft: EvaluationDraft | null = null;

  override render(): unknown {
    const draft = this.draft ?? draftFor(this.plan);
    const { problems, evaluation } = readDraft(draft, this.plan);
    return html`<div class="card">
      <h2>evaluate <span>the last checkpoint</span></h2>
      <form
        @submit=${(event: Event) => {
          event.preventDefault();
          this.submit();
        }}
        @keydown=${(event: KeyboardEvent) => {
          if (event.key === 'Enter') this.submit();
          else if (event.key === 'Escape') this.close();
        }}
      >
        ${evaluationFields(draft, this.plan).map(({ field, label, hint, choices }) => {
          const change = (event: Event): void => {
            const { value } = event.target as HTMLInputElement | HTMLSelectElement;
            changeView(this, {
              evaluationDraft:
                field === 'attack' ? withAttack(draft, value, this.plan) : withField(draft, field, value, this.plan),
            });
          };
          return html`<label title=${hint}
            >${label}
            ${
              choices
                ? html`<select data-field=${field} aria-label=${`${label}: ${hint}`} @change=${change}>
                    ${choices.map(
                      ({ value, text, hint: meaning }) =>
                        html`<option value=${value} title=${meaning} ?selected=${draft[field] === value}>
                          ${text}
                        </option>`,
                    )}
                  </select>`
                : html`<vscode-textfield
                    data-field=${field}
                    label=${`${label}: ${hint}`}
                    .value=${draft[field] ?? ''}
                    ?invalid=${problems.has(field)}
                    @input=${change}
                  ></vscode-textfield>`
            }
            ${problems.has(field) ? html`<small role="alert">${problems.get(field)}</small>` : nothing}
          </label>`;
        })}
        <span class="buttons">
          <vscode-button
            ?disabled=${evaluation === null || this.blocked !== null}
            @click=${() => {
              this.submit();
            }}
            >${startText(draft)}</vscode-button
          >
          <vscode-button
            secondary
            @click=${() => {
              this.close();
            }}
            >Cancel</vscode-button
          >
          ${this.blocked === null ? nothing : html`<span class="dim">${this.blocked}</span>`}
        </span>
      </form>
    </div>`;
  }

  private submit(): void {
    const { evaluation } = readDraft(this.draft ?? draftFor(this.plan), this.plan);
    if (!evaluation || this.blocked !== null) return;
    this.dispatchEvent(new CustomEvent('evaluation-asked', { detail: { evaluation }, bubbles: true, composed: true }));
  }

  private close(): void {
    changeView(this, { evaluationDraft: null });
    this.dispatchEvent(new CustomEvent('form-closed', { bubbles: true, composed: true }));
  }
}
