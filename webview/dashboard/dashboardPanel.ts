// <kaf-dashboard>: one run as a whole: header, findings, tabs. Only the chosen tab exists; it redraws at most ten times a second.
import { css, html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import type { AttackedImagesIntent, FromDashboard, ToDashboard } from '../../server/protocol/panel.ts';
import { healthRules } from '../../server/health/healthRules.ts';
import type { HealthFinding } from '../../server/protocol/health.ts';
import type { EvaluationPlan } from '../../server/protocol/plan.ts';
import { isLive } from '../../server/protocol/run.ts';
import type { NonFiniteRow, RunSnapshot } from '../../server/protocol/snapshot.ts';
import { FrameGate } from '../charts/frameGate.ts';
import { withoutChosenY } from '../curves/curveView.ts';
import '../controls/face.ts';
import type { Tab } from '../controls/tabs.ts';
import '../controls/tabs.ts';
import { SeriesFeed } from '../state/seriesFeed.ts';
import { Pace } from '../state/pace.ts';
import { emptyDashboard, reduceDashboard, type DashboardState } from '../state/dashboardState.ts';
import { halfRateButton } from '../health/findings.ts';
import { formatCount } from '../text/numbers.ts';
import { readPalette, watchTheme, type Palette } from '../theme/palette.ts';
import { baseSheet, findingSheet } from '../theme/sheets.ts';
import './activationsTab.ts';
import './curvesTab.ts';
import { connectionNote, loadingFace } from './connectionFaces.ts';
import type { HeaderIntent } from './dashboardHeader.ts';
import './dashboardHeader.ts';
import './networkTab.ts';
import './normsTab.ts';
import './robustnessTab.ts';
import './shiftTab.ts';
import { defaultView, keptView, nothingOfTheRun, type DashboardView, type TabName } from './view.ts';

/** Where intents and the view go; given by main.ts. */
export interface DashboardPort {
  post(message: FromDashboard): void;
  save(view: DashboardView): void;
}

@customElement('kaf-dashboard')
export class DashboardPanel extends LitElement {
  static override styles = [
    baseSheet,
    findingSheet,
    css`
      :host {
        padding: 0 16px 16px;
        display: flex;
        flex-direction: column;
        min-height: 100vh;
      }
      main {
        flex: 1;
        display: flex;
        flex-direction: column;
      }
      kaf-curves-tab {
        flex: 1;
      }
      .top {
        position: sticky;
        top: 0;
        z-index: 2;
        background: var(--kaf-background);
        border-bottom: 1px solid var(--kaf-line);
        margin: 0 -16px 12px;
        padding: 8px 16px 0;
      }
      kaf-tabs {
        margin-top: 4px;
      }
      @media (max-width: 560px) {
        :host {
          padding: 0 10px 12px;
        }
        .top {
          margin: 0 -10px 10px;
          padding: 8px 10px 0;
          position: static;
        }
      }
    `,
  ];

  port: DashboardPort | null = null;
  @state() private palette: Palette = readPalette();
  @state() private isFormOpen = false;
  @state() private view: DashboardView = defaultView;
  private data: DashboardState = emptyDashboard;
  private pace = new Pace();
  private readonly feed = new SeriesFeed((intent) => this.port?.post(intent));
  private readonly gate = new FrameGate(() => {
    this.requestUpdate();
  });

  connect(port: DashboardPort, view: DashboardView): void {
    this.port = port;
    this.view = view;
    watchTheme(() => {
      this.palette = readPalette();
    });
  }

  receive(message: ToDashboard): void {
    if (message.type === 'series' && !this.feed.receive(message)) return;
    this.data = reduceDashboard(this.data, message);
    if (message.type === 'view') {
      this.view = keptView(message.view, message.runId);
      this.port?.save(this.view);
    }
    if (message.type === 'showTab') this.change({ tab: message.tab, evaluation: null });
    if (message.type === 'snapshot') {
      this.pace = new Pace();
      this.feed.forget();
    }
    if (message.type === 'rows') this.feed.grown(`${this.view.tab}/`);
    // A new answer is seen by the identity of the state.
    if (message.type === 'series') this.data = { ...this.data };
    if (this.data.snapshot) this.pace.see(this.data.snapshot.run);
    if (message.type === 'snapshot' && this.view.runId !== message.snapshot.run.id) {
      const cards = withoutChosenY(this.view.cards);
      this.change({ runId: message.snapshot.run.id, ...nothingOfTheRun, cards });
    }
    this.gate.request();
  }

  override render(): unknown {
    const { snapshot, isGone, failure } = this.data;
    if (isGone) {
      return html`<kaf-face
        icon="trash"
        heading="This run was deleted"
        reason="Its folder and records are gone."
      ></kaf-face>`;
    }
    if (!snapshot) return failure === null ? loadingFace(this.data) : this.renderFailed(failure);
    const shown = failure ?? this.feed.failure;
    const finding = snapshot.norms.firstNonFinite;
    return html`<div class="top" @intent=${this.onIntent}>
        <kaf-dashboard-header
          .state=${this.data}
          .remainingMs=${this.pace.remainingMs(snapshot.run)}
        ></kaf-dashboard-header>
        <kaf-tabs .tabs=${tabsFor(snapshot, finding)} .value=${this.view.tab} @chosen=${this.onTab}></kaf-tabs>
      </div>
      <main
        role="tabpanel"
        aria-label=${this.view.tab}
        @view-changed=${this.onView}
        @form-asked=${() => {
          this.isFormOpen = true;
        }}
        @form-closed=${() => {
          this.isFormOpen = false;
        }}
        @evaluation-asked=${this.onEvaluation}
        @evaluation-resumed=${this.onResumed}
        @images-asked=${this.onImages}
        @line-asked=${this.onLine}
        @finding-asked=${this.onFinding}
        @half-rate-asked=${this.onHalfRate}
      >
        ${connectionNote(this.data)} ${shown === null ? nothing : this.renderFailure(shown)}
        ${this.view.tab === 'norms' && finding ? nothing : this.renderEnd(snapshot)}
        <kaf-findings .findings=${snapshot.run.health ?? []} ?canHalve=${!isLive(snapshot.run.status)}></kaf-findings>
        ${this.renderTab(finding)}
      </main>`;
  }

  private renderTab(finding: NonFiniteRow | null): unknown {
    const { data, view, palette } = this;
    switch (view.tab) {
      case 'curves':
        return html`<kaf-curves-tab
          .state=${data}
          .view=${view}
          .palette=${palette}
          .feed=${this.feed}
        ></kaf-curves-tab>`;
      case 'norms':
        return html`<kaf-norms-tab
          .state=${data}
          .view=${view}
          .palette=${palette}
          .finding=${finding}
          .feed=${this.feed}
        ></kaf-norms-tab>`;
      case 'network':
        return html`<kaf-network-tab .state=${data} .view=${view} .palette=${palette}></kaf-network-tab>`;
      case 'activations':
        return html`<kaf-activations-tab .state=${data} .view=${view} .palette=${palette}></kaf-activations-tab>`;
      case 'shift':
        return html`<kaf-shift-tab .state=${data} .view=${view} .palette=${palette}></kaf-shift-tab>`;
      case 'robustness':
        return html`<kaf-robustness-tab
          .state=${data}
          .view=${view}
          .palette=${palette}
          ?isFormOpen=${this.isFormOpen}
        ></kaf-robustness-tab>`;
      default:
        return view.tab satisfies never;
    }
  }

  private renderFailed(message: string): unknown {
    return html`<kaf-face tone="bad" icon="error" heading="The run can’t be shown" reason=${message}>
      <vscode-button
        @click=${() => {
          this.port?.post({ type: 'ready' });
        }}
        >Try again</vscode-button
      >
    </kaf-face>`;
  }

  private renderFailure(message: string): unknown {
    return html`<div class="finding bad" role="alert"><b>${message}</b></div>`;
  }

  /** Why the run ended, where it did not end well, or why the last evaluation of one at rest did not. */
  private renderEnd({ run, divergence }: RunSnapshot): unknown {
    if (divergence) {
      return html`<div class="finding bad" role="alert">
        <b>Diverged at step ${formatCount(divergence.step)}: ${divergence.quantity} is not finite.</b>
        <span class="dim">${divergence.message}</span> ${halfRateButton()}
        ${
          this.view.tab === 'norms'
            ? nothing
            : html`<button
                class="link"
                @click=${() => {
                  this.change({ tab: 'norms' });
                }}
              >
                Show the norms
              </button>`
        }
      </div>`;
    }
    if (run.message === null) return nothing;
    return html`<div class="finding bad" role="alert"><b>${run.message}</b></div>`;
  }

  private change(change: Partial<DashboardView>): void {
    this.view = { ...this.view, ...change };
    this.port?.save(this.view);
    if (this.view.runId !== null) this.port?.post({ type: 'keepView', view: this.view });
  }

  private readonly onView = (event: Event): void => {
    this.change((event as CustomEvent<Partial<DashboardView>>).detail);
  };

  private readonly onTab = (event: Event): void => {
    this.change({ tab: (event as CustomEvent<{ value: TabName }>).detail.value });
  };

  private readonly onIntent = (event: Event): void => {
    const run = this.data.snapshot?.run;
    if (!run) return;
    const { type: intent } = (event as CustomEvent<{ type: HeaderIntent }>).detail;
    switch (intent) {
      case 'pause':
      case 'resume':
      case 'stop':
        this.port?.post({ type: intent, runId: run.id });
        return;
      case 'evaluate':
        this.isFormOpen = true;
        this.change({ tab: 'robustness' });
        return;
      case 'openExperiment':
        if (run.experimentFile !== null) this.port?.post({ type: intent, file: run.experimentFile });
        return;
      case 'openCheckpoint': {
        const last = run.checkpoints.at(-1);
        if (last) this.port?.post({ type: intent, runId: run.id, file: last.file });
        return;
      }
      default:
        intent satisfies never;
    }
  };

  private readonly onHalfRate = (): void => {
    const runId = this.data.snapshot?.run.id;
    if (runId !== undefined) this.port?.post({ type: 'halveLearningRate', runId });
  };

  private readonly onLine = (event: Event): void => {
    const file = this.data.snapshot?.run.experimentFile ?? null;
    const { path } = (event as CustomEvent<{ path: string }>).detail;
    if (file !== null) this.port?.post({ type: 'openExperiment', file, path });
  };

  private readonly onFinding = (event: Event): void => {
    const { rule, layer, step } = (event as CustomEvent<{ finding: HealthFinding }>).detail.finding;
    const { tab } = healthRules[rule];
    this.change(
      tab === 'norms'
        ? {
            tab,
            grouping: 'layers',
            normView: 'map',
            normLine: layer ?? null,
            normStep: step,
            quantity: quantityOf(rule),
          }
        : { tab },
    );
  };

  private readonly onResumed = (event: Event): void => {
    const runId = this.data.snapshot?.run.id;
    const { evaluation } = (event as CustomEvent<{ evaluation: number }>).detail;
    if (runId !== undefined) this.port?.post({ type: 'resumeEvaluation', runId, evaluation });
  };

  private readonly onImages = (event: Event): void => {
    const runId = this.data.snapshot?.run.id;
    const { detail } = event as CustomEvent<Omit<AttackedImagesIntent, 'type' | 'runId'>>;
    if (runId !== undefined) this.port?.post({ type: 'showAttackedImages', runId, ...detail });
  };

  private readonly onEvaluation = (event: Event): void => {
    const runId = this.data.snapshot?.run.id;
    if (runId === undefined) return;
    const { evaluation } = (event as CustomEvent<{ evaluation: EvaluationPlan }>).detail;
    this.port?.post({ type: 'evaluate', runId, evaluation });
    this.isFormOpen = false;
    this.change({ evaluation: null, evaluationDraft: null });
  };
}

/** Which of the norms shows what a rule found. */
function quantityOf(rule: HealthFinding['rule']): DashboardView['quantity'] {
  return rule === 'weights-jump' ? 'weights' : 'gradients';
}

function tabsFor(snapshot: RunSnapshot, finding: NonFiniteRow | null): Tab[] {
  const evaluations = snapshot.evaluations.length;
  return [
    { value: 'curves', text: 'Curves', badge: null },
    { value: 'norms', text: 'Norms', badge: finding ? '!' : null },
    { value: 'network', text: 'Network', badge: null },
    { value: 'activations', text: 'Activations', badge: null },
    { value: 'shift', text: 'Shift', badge: null },
    { value: 'robustness', text: 'Robustness', badge: evaluations > 0 ? evaluations.toString() : null },
  ];
}
