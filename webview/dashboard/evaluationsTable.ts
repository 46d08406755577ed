// <kaf-evaluations-table>: all evaluations of a run, the worst case beside the thesis's protocol. A row is chosen by `view-changed`.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { weightsWord } from '../../server/protocol/attackFigures.ts';
import { boundMark, evaluationTitle, isDetectorPlan } from '../../server/protocol/evaluationPlan.ts';
import type { EvaluationView, RunSnapshot } from '../../server/protocol/snapshot.ts';
import { worstCase } from '../state/progress.ts';
import { formatCount, formatFraction, formatPercent } from '../text/numbers.ts';
import { baseSheet, cardSheet, tableSheet } from '../theme/sheets.ts';
import { cleanOf, robustOf } from '../curves/attackCurves.ts';
import { intervalText, thesisOf } from './attackNumbers.ts';
import { changeView } from './view.ts';

@customElement('kaf-evaluations-table')
export class EvaluationsTable extends LitElement {
  static override styles = [
    baseSheet,
    cardSheet,
    tableSheet,
    css`
      .scrolling {
        overflow-x: auto;
      }
      tr.row {
        cursor: pointer;
      }
      tr.row:hover td,
      tr.chosen td {
        background: var(--kaf-hover);
      }
      /* Hovering has no background of its own in high contrast. */
      tr.chosen td {
        box-shadow:
          inset 0 1px var(--kaf-accent),
          inset 0 -1px var(--kaf-accent);
      }
      tr.chosen td:first-child {
        box-shadow:
          inset 3px 0 var(--kaf-accent),
          inset 0 1px var(--kaf-accent),
          inset 0 -1px var(--kaf-accent);
      }
    `,
  ];

  @property({ attribute: false }) snapshot!: RunSnapshot;
  @property({ attribute: false }) chosen!: EvaluationView;

  override render(): unknown {
    const { evaluations } = this.snapshot;
    return html`<div class="card scrolling">
      <h2>all evaluations</h2>
      <table>
        <tr>
          <th>evaluation</th>
          <th>norm</th>
          <th>ε</th>
          <th>step</th>
          <th>images</th>
          <th>clean</th>
          <th>worst case</th>
          <th>95 %</th>
          <th>thesis</th>
          <th>audit</th>
        </tr>
        ${evaluations.map((view) => this.renderRow(view))}
      </table>
    </div>`;
  }

  private renderRow(view: EvaluationView): unknown {
    const { plan } = view.started;
    const [robust, clean, thesis] = [robustOf(view), cleanOf(view), thesisOf(view)];
    const bound = boundMark(view, this.snapshot.evaluations);
    const audit = view.finished?.audit;
    return html`<tr
      class="row ${view === this.chosen ? 'chosen' : ''}"
      aria-selected=${view === this.chosen ? 'true' : 'false'}
      @click=${() => {
        changeView(this, { evaluation: view.started.evaluation });
      }}
    >
      <td>${evaluationTitle(plan)}</td>
      <td>${plan.norm === 'linf' ? 'L∞' : 'L2'}</td>
      <td>${formatFraction(plan.epsilon)}</td>
      <td>
        ${formatCount(view.started.step)}${weightsWord(view.started) === '' ? nothing : html` <span class="dim">${weightsWord(view.started)}</span>`}
      </td>
      <td>${formatCount(view.finished?.samples || (worstCase(view)?.samples ?? 0))}</td>
      <td>${clean ? formatPercent(clean.value) : '–'}</td>
      <td>${robust && !isDetectorPlan(plan) ? `${bound}${formatPercent(robust.value)}` : '–'}</td>
      <td class="dim">${robust && !isDetectorPlan(plan) ? intervalText(robust) : ''}</td>
      <td>${thesis ? formatPercent(thesis.value) : '–'}</td>
      <td>${audit ? (audit.length === 0 ? 'sound' : `${audit.length.toString()} ⚑`) : '–'}</td>
    </tr>`;
  }
}
