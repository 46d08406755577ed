// <kaf-robustness-tab>: the run's evaluations: accuracy under attack by step and restart, live while they run.
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import {
  epsilonsOf,
  evaluationTitle,
  isAttackPlan,
  isDetectorPlan,
  isUpperBound,
  keptImages,
  stagesOf,
} from '../../server/protocol/evaluationPlan.ts';
import type { EvaluationView, RunSnapshot } from '../../server/protocol/snapshot.ts';
import { isLive } from '../../server/protocol/run.ts';
import type { Curve } from '../charts/curve.ts';
import '../charts/lineChart.ts';
import type { Range } from '../curves/decimate.ts';
import '../controls/face.ts';
import '../controls/segments.ts';
import type { DashboardState } from '../state/dashboardState.ts';
import { allowedIntents, attackProgressText, worstCase } from '../state/progress.ts';
import { formatCount, formatFraction, formatPercent, formatTick, percentTick, pixelTick } from '../text/numbers.ts';
import { evaluationText, weightsText } from '../text/planText.ts';
import type { Palette } from '../theme/palette.ts';
import { baseSheet, cardSheet, tableSheet, toolsSheet } from '../theme/sheets.ts';
import {
  cleanOf,
  atStepText,
  attackViews,
  curvesByEpsilon,
  curvesByRestart,
  curvesByStep,
  curvesOfWhole,
  medianDistance,
  robustOf,
  type AttackView,
} from '../curves/attackCurves.ts';
import { imagesOfPage } from './attackedImagesCard.ts';
import './attackedImagesCard.ts';
import './auditCard.ts';
import './detectorCard.ts';
import './evaluateForm.ts';
import './layerBoundsCard.ts';
import './evaluationsTable.ts';
import { distanceText, intervalText, numbersOf, runsCalled, viewNames, viewTitle } from './attackNumbers.ts';
import { robustnessSheet } from './robustnessSheet.ts';
import { changeView, type DashboardView } from './view.ts';

@customElement('kaf-robustness-tab')
export class RobustnessTab extends LitElement {
  static override styles = [baseSheet, cardSheet, toolsSheet, tableSheet, robustnessSheet];

  @property({ attribute: false }) state!: DashboardState;
  @property({ attribute: false }) view!: DashboardView;
  @property({ attribute: false }) palette!: Palette;
  @property({ type: Boolean }) isFormOpen = false;
  @state() private cursor: number | null = null;
  @state() private range: Range | null = null;

  private chosen: EvaluationView | null = null;
  /** Whose images were asked for, and at how many images of it. */
  private asked = '';
  private shown: AttackView = 'restarts';
  private byStep: readonly Curve[] = [];
  private byRestart: readonly Curve[] = [];

  protected override willUpdate(changed: PropertyValues): void {
    const evaluations = this.state.snapshot?.evaluations ?? [];
    if (changed.size === 1 && changed.has('cursor')) return;
    this.chosen =
      evaluations.find(({ started }) => started.evaluation === this.view.evaluation) ?? evaluations.at(-1) ?? null;
    if (!this.chosen) return;
    const views = attackViews(this.chosen);
    this.shown = views.find((one) => one === this.view.attackView) ?? views[0] ?? 'whole';
    this.byStep =
      this.shown === 'epsilon'
        ? curvesByEpsilon(this.chosen, this.palette)
        : (this.shown === 'whole' ? curvesOfWhole : curvesByStep)(this.chosen, this.view.attackScale, this.palette);
    this.byRestart = curvesByRestart(this.chosen, this.palette);
  }

  /** Images are asked for once there are some, and again as more come. */
  protected override updated(): void {
    const { chosen } = this;
    const done = chosen?.restarts.at(-1)?.samples ?? 0;
    if (!chosen || keptImages(chosen.started.plan) === 0 || done === 0) return;
    const wanted = `${chosen.started.evaluation.toString()} ${Math.min(done, keptImages(chosen.started.plan)).toString()}`;
    if (wanted === this.asked) return;
    this.asked = wanted;
    const { attacked } = this.state;
    this.askForImages(attacked?.evaluation === chosen.started.evaluation ? (attacked.images?.first ?? 0) : 0);
  }

  override render(): unknown {
    const { snapshot } = this.state;
    if (!snapshot) return nothing;
    const form = this.isFormOpen ? this.renderForm(snapshot) : nothing;
    const view = this.chosen;
    if (!view) return html`${form}${this.isFormOpen ? nothing : this.renderEmpty(snapshot)}`;
    return html`${form}${this.renderTools(snapshot, view)}
      ${isDetectorPlan(view.started.plan) ? html`<kaf-detector-card .view=${view} .palette=${this.palette}></kaf-detector-card>` : nothing}
      <div
        class="columns"
        ?hidden=${isDetectorPlan(view.started.plan)}
        @cursor-moved=${this.onCursor}
        @range-chosen=${this.onRange}
      >
        ${this.renderByStep(view)}
        <div class="stack">
          ${this.renderNumbers(view)} ${stagesOf(view.started.plan).length > 1 ? this.renderByRestart(view) : nothing}
        </div>
      </div>
      ${view.layers.length > 0 ? html`<kaf-layer-bounds .layers=${view.layers}></kaf-layer-bounds>` : nothing}
      ${view.finished?.audit ? html`<kaf-audit-card .flags=${view.finished.audit}></kaf-audit-card>` : nothing}
      ${keptImages(view.started.plan) > 0 && view.restarts.length > 0 ? this.renderImages(view) : nothing}
      ${
        snapshot.evaluations.length > 1
          ? html`<kaf-evaluations-table .snapshot=${snapshot} .chosen=${view}></kaf-evaluations-table>`
          : nothing
      }`;
  }

  private renderEmpty(snapshot: RunSnapshot): unknown {
    const { evaluate } = allowedIntents(snapshot.run, this.state.connection);
    const planned = snapshot.plan.evaluation.length;
    const reason = isLive(snapshot.run.status)
      ? planned > 0
        ? `${planned === 1 ? 'One evaluation follows' : `${planned.toString()} evaluations follow`} when training ends; the curves grow here while it attacks.`
        : 'The experiment plans no evaluation. When the run has ended, attack its weights from here.'
      : snapshot.run.checkpoints.length > 0
        ? 'Attack the weights of its last checkpoint with PGD and see how many images stand, by step and restart.'
        : 'The run left no checkpoint to attack.';
    return html`<kaf-face icon="shield" heading="Not attacked yet" reason=${reason}>
      <vscode-button ?disabled=${!evaluate} @click=${this.askForForm}>Evaluate…</vscode-button>
    </kaf-face>`;
  }

  private renderForm(snapshot: RunSnapshot): unknown {
    return html`<kaf-evaluate-form
      .plan=${snapshot.plan}
      .draft=${this.view.evaluationDraft}
      .blocked=${blockedReason(snapshot, this.state)}
    ></kaf-evaluate-form>`;
  }

  private renderTools(snapshot: RunSnapshot, view: EvaluationView): unknown {
    const progress = attackProgressText(view);
    const { plan } = view.started;
    return html`<div class="tools">
      ${
        snapshot.evaluations.length > 1
          ? html`<kaf-segments
              label="Evaluation"
              .segments=${snapshot.evaluations.map(({ started }) => ({
                value: started.evaluation.toString(),
                text: `${evaluationTitle(started.plan)} · ε ${formatFraction(started.plan.epsilon)}`,
              }))}
              .value=${view.started.evaluation.toString()}
              @chosen=${(event: CustomEvent<{ value: string }>) => {
                changeView(this, { evaluation: Number(event.detail.value) });
              }}
            ></kaf-segments>`
          : html`<b>${evaluationTitle(plan)}</b>`
      }
      <span
        >${evaluationText(plan, view.started.samples)} · ${weightsText(view.started)} of step
        ${formatCount(view.started.step)}</span
      >
      ${progress === '' ? nothing : html`<b class=${view.finished ? '' : 'running'}>${progress}</b>`}
      ${this.renderGoOn(snapshot, view)}
      <span class="grow"></span>
      ${attackViews(view).length > 1 ? this.renderViews(view) : nothing}
      ${this.shown === 'epsilon' || isDetectorPlan(plan) ? nothing : this.renderScale()}
    </div>`;
  }

  private renderViews(view: EvaluationView): unknown {
    return html`<kaf-segments
      label="Steps shown"
      .segments=${attackViews(view).map((value) => ({ value, ...viewNames[value] }))}
      .value=${this.shown}
      @chosen=${(event: CustomEvent<{ value: DashboardView['attackView'] }>) => {
        this.range = null;
        changeView(this, { attackView: event.detail.value });
      }}
    ></kaf-segments>`;
  }

  /** Of one that was stopped or cut off. */
  private renderGoOn(snapshot: RunSnapshot, { started, finished }: EvaluationView): unknown {
    if (finished?.isPartial === false || isLive(snapshot.run.status)) return nothing;
    const reason = blockedReason(snapshot, this.state);
    return html`<vscode-button
      ?disabled=${reason !== null}
      title=${reason ?? 'Continues behind the last batch that was done'}
      @click=${() => {
        const detail = { evaluation: started.evaluation };
        this.dispatchEvent(new CustomEvent('evaluation-resumed', { detail, bubbles: true, composed: true }));
      }}
      >Go on</vscode-button
    >`;
  }

  private renderImages({ started }: EvaluationView): unknown {
    const { attacked } = this.state;
    const own = attacked?.evaluation === started.evaluation ? attacked : null;
    return html`<kaf-attacked-images
      .images=${own?.images ?? null}
      .failure=${own?.failure ?? null}
      .norm=${started.plan.norm}
      @page-asked=${(event: CustomEvent<{ first: number }>) => {
        this.askForImages(event.detail.first);
      }}
    ></kaf-attacked-images>`;
  }

  private askForImages(first: number): void {
    const { evaluation, step } = this.chosen!.started;
    const detail = { evaluation, step, first, count: imagesOfPage };
    this.dispatchEvent(new CustomEvent('images-asked', { detail, bubbles: true, composed: true }));
  }

  private renderScale(): unknown {
    return html`<kaf-segments
      label="Scale of steps"
      .segments=${[
        { value: 'linear', text: 'lin', title: 'Steps on a linear axis' },
        { value: 'log', text: 'log', title: 'Steps on a logarithmic axis' },
      ]}
      .value=${this.view.attackScale}
      @chosen=${(event: CustomEvent<{ value: DashboardView['attackScale'] }>) => {
        this.range = null;
        changeView(this, { attackScale: event.detail.value });
      }}
    ></kaf-segments>`;
  }

  private renderByStep(view: EvaluationView): unknown {
    const robust = robustOf(view);
    const isByEpsilon = this.shown === 'epsilon';
    const at = this.cursor;
    const atText = at === null || isByEpsilon ? '' : ` · ${atStepText(view, at, this.shown === 'whole')}`;
    const isAttack = isAttackPlan(view.started.plan);
    const bound = isAttack ? (this.isBound(view) ? '≤ ' : '') : '≥ ';
    const title = isAttack ? 'accuracy under attack' : 'certified accuracy';
    const value = robust ? `${bound}${formatPercent(robust.value)} (${intervalText(robust)})` : '';
    return html`<div class="card filling">
      <h2>
        ${title}
        <span>${isAttack ? 'worst-case · ' : ''}${viewTitle(this.shown, view)}, Wilson 95 %${atText}</span>
        <b><span class=${isAttack ? 'attacked' : 'certified'}>${value}</span></b>
      </h2>
      <kaf-line-chart
        class="steps"
        zoomable
        .curves=${this.byStep}
        .xScale=${isByEpsilon ? 'linear' : this.view.attackScale}
        .xTicks=${isByEpsilon && !view.distances ? [0, ...epsilonsOf(view.started.plan)] : null}
        .xUnit=${isByEpsilon ? 0 : 1}
        .formatX=${isByEpsilon && view.started.plan.norm === 'linf' ? pixelTick : formatTick}
        .formatY=${percentTick}
        .range=${this.range}
        .cursor=${this.cursor}
        .palette=${this.palette}
        label="${title}, ${viewTitle(this.shown, view)}: ${value}"
      ></kaf-line-chart>
      <span class="legend dim"
        ><span
          ><span class="swatch ${isAttack ? 'attacked-mark' : 'certified-mark'}"></span
          >${isAttack ? 'worst case' : 'certified'} ± 95 %</span
        >${isAttack ? nothing : html`<span>≥ a lower bound: no attack can do worse</span>`}${
          isByEpsilon
            ? nothing
            : html`<span
                ><span class="swatch dashed clean-mark"></span>${cleanOf(view) ? 'clean' : 'clean, not known'}</span
              >`
        }${this.isBound(view) ? html`<span>≤ an upper bound: no attack stronger than PGD has run on these weights</span>` : nothing}</span
      >
    </div>`;
  }

  private renderByRestart(view: EvaluationView): unknown {
    const stages = stagesOf(view.started.plan);
    const called = runsCalled(view.started.plan);
    return html`<div class="card">
      <h2>by ${called} <span>what stands after ${called}s 1 … r</span></h2>
      <kaf-line-chart
        class="restarts"
        .curves=${this.byRestart}
        .extent=${{ from: 1, to: Math.max(2, stages.length) }}
        .xUnit=${1}
        .formatY=${percentTick}
        .palette=${this.palette}
        label="Worst-case accuracy after each ${called}"
      ></kaf-line-chart>
    </div>`;
  }

  private renderNumbers(view: EvaluationView): unknown {
    const rows = numbersOf(view, this.isBound(view));
    const median = medianDistance(view);
    return html`<div class="card">
      <h2>
        ${isAttackPlan(view.started.plan) ? 'worst-case' : 'certified'} <span>Wilson 95 %</span>
        <b
          >${view.finished?.isPartial ? `${formatCount(view.finished.samples || (worstCase(view)?.samples ?? 0))} images, stopped` : ''}</b
        >
      </h2>
      <table>
        <tr>
          <th>accuracy</th>
          <th></th>
          <th>interval</th>
        </tr>
        ${rows.map(
          ([name, proportion]) =>
            html`<tr>
              <td>${name}</td>
              <td>${proportion ? formatPercent(proportion.value) : '–'}</td>
              <td class="dim">${proportion ? intervalText(proportion) : ''}</td>
            </tr>`,
        )}
        ${
          view.distances && isAttackPlan(view.started.plan)
            ? html`<tr>
                <td>half fooled within</td>
                <td>${median === null ? '–' : distanceText(median, view)}</td>
                <td class="dim">of those right as they are</td>
              </tr>`
            : nothing
        }
      </table>
    </div>`;
  }

  /** Whether the figure is an upper bound only. */
  private isBound(view: EvaluationView): boolean {
    return robustOf(view) !== null && isUpperBound(view, this.state.snapshot?.evaluations ?? []);
  }

  private readonly askForForm = (): void => {
    this.dispatchEvent(new CustomEvent('form-asked', { bubbles: true, composed: true }));
  };

  private readonly onCursor = (event: Event): void => {
    this.cursor = (event as CustomEvent<{ x: number | null }>).detail.x;
  };

  private readonly onRange = (event: Event): void => {
    this.range = (event as CustomEvent<{ range: Range | null }>).detail.range;
  };
}

/** Why no evaluation can start now; null where one can. */
function blockedReason({ run }: RunSnapshot, { connection }: DashboardState): string | null {
  if (connection.status !== 'connected') return 'Not connected with the server.';
  if (isLive(run.status)) return 'The run is at work; evaluate when it has ended.';
  if (run.checkpoints.length === 0) return 'The run left no checkpoint to attack.';
  return null;
}
