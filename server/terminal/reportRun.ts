// A run at work, told to a terminal.
import { healthRules } from '../health/healthRules.ts';
import { findingText } from '../health/healthWatch.ts';
import type { HealthFinding } from '../protocol/health.ts';
import type { Row, RunRecord } from '../protocol/records.ts';
import type { RunSummary } from '../protocol/run.ts';
import { EvaluationReport, percent } from './reportEvaluation.ts';
import type { Terminal } from './terminal.ts';

/** Without a live line, progress is told so often. */
const plainGapMs = 10_000;
const liveGapMs = 100;

export class RunReport {
  readonly #terminal: Terminal;
  readonly #evaluations: EvaluationReport;
  #lastMs = 0;
  #status = '';
  #summary: RunSummary;

  constructor(terminal: Terminal, summary: RunSummary) {
    this.#terminal = terminal;
    this.#evaluations = new EvaluationReport(terminal);
    this.#summary = summary;
  }

  changed(summary: RunSummary): void {
    const known = this.#summary.health?.length ?? 0;
    this.#summary = summary;
    for (const finding of summary.health?.slice(known) ?? []) this.#tellFinding(finding);
    if (summary.status === this.#status) return;
    this.#status = summary.status;
    this.#terminal.event({ type: 'status', id: summary.id, status: summary.status, message: summary.message });
  }

  #tellFinding(finding: HealthFinding): void {
    const { title, severity, meaning } = healthRules[finding.rule];
    this.#terminal.event({ type: 'health', severity, title, ...finding });
    this.#terminal.error(`${severity}: step ${String(finding.step)}: ${title}. ${meaning}`);
    this.#terminal.error(`  ${findingText(finding)}`);
  }

  /** Norms and shapes are left to the run's folder: they are large, and no line for people. */
  rows(rows: readonly Row[]): void {
    for (const { seq, timeMs, record } of rows) {
      if (!large.has(record.type)) this.#terminal.event({ ...record, seq, timeMs });
      this.#tell(record, timeMs);
    }
  }

  #tell(record: RunRecord, timeMs: number): void {
    switch (record.type) {
      case 'prepared':
        this.#terminal.line(`${String(record.steps)} steps in ${String(record.epochs)} epochs`);
        return;
      case 'step': {
        if (timeMs - this.#lastMs < (this.#terminal.isLive ? liveGapMs : plainGapMs)) return;
        this.#lastMs = timeMs;
        const { steps, imagesPerSecond } = this.#summary;
        const text = [
          `step ${String(record.step)}/${String(steps)}`,
          `epoch ${String(record.epoch)}`,
          `loss ${record.loss.toFixed(4)}`,
          `accuracy ${percent(record.accuracy)}`,
          ...(imagesPerSecond === null ? [] : [`${imagesPerSecond.toFixed(0)} images/s`]),
        ].join(' · ');
        if (this.#terminal.isLive) this.#terminal.progress(text);
        else this.#terminal.line(text);
        return;
      }
      case 'test': {
        const robust =
          record.robustAccuracy === null
            ? ''
            : ` · under PGD ${percent(record.robustAccuracy)} of ${String(record.robustSamples)}`;
        const { validation } = record;
        const held =
          validation?.robustAccuracy === undefined
            ? ''
            : ` · under PGD ${percent(validation.robustAccuracy)} of ${String(validation.robustSamples ?? 0)}`;
        const kept = validation
          ? ` · kept back: loss ${validation.loss.toFixed(4)} · accuracy ${percent(validation.accuracy)}${aucText(validation)}${held}`
          : '';
        const of = record.weights === 'average' ? ' of the averaged weights' : '';
        this.#terminal.line(
          `epoch ${String(record.epoch)} · test loss${of} ${record.loss.toFixed(4)} · accuracy ${percent(record.accuracy)}${aucText(record)}${robust}${kept}`,
        );
        return;
      }
      case 'checkpointed':
        this.#terminal.line(`checkpoint ${record.file}`);
        return;
      case 'watch':
        this.#terminal.line(
          `step ${String(record.step)} · watch: under FGSM ${percent(record.fgsm)} · under PGD ${percent(record.pgd)} · cosine ${record.cosine.toFixed(2)}`,
        );
        return;
      case 'collapsed':
        // The first is a finding of health, which is told as such.
        if (this.#summary.health?.some(({ rule }) => rule === 'collapsed'))
          this.#terminal.line(`step ${String(record.step)} · catastrophic overfitting again: ${record.message}`);
        return;
      case 'endedEarly':
      case 'diverged':
        this.#terminal.line(record.message);
        return;
      case 'evaluationStarted':
      case 'attackProgress':
      case 'evaluationFinished':
        this.#evaluations.hear(record);
        return;
      case 'norms':
      case 'updates':
      case 'histograms':
      case 'responses':
      case 'shapes':
        return;
      default:
        record satisfies never;
    }
  }
}

const large: ReadonlySet<RunRecord['type']> = new Set([
  ...(['norms', 'updates', 'histograms', 'shapes', 'responses'] as const),
]);

/** Of two classes. */
function aucText({ auc }: { readonly auc?: number }): string {
  return auc === undefined ? '' : ` · AUC ${auc.toFixed(4)}`;
}
