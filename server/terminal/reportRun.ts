// A run at work, told to a terminal.
import type { Row, RunRecord } from '../protocol/records.ts';
import type { RunSummary } from '../protocol/run.ts';
import type { Terminal } from './terminal.ts';

/** Without a live line, progress is told so often. */
const plainGapMs = 10_000;
const liveGapMs = 100;

export class RunReport {
  readonly #terminal: Terminal;
  #lastMs = 0;
  #status = '';
  #summary: RunSummary;

  constructor(terminal: Terminal, summary: RunSummary) {
    this.#terminal = terminal;
    this.#summary = summary;
  }

  changed(summary: RunSummary): void {
    this.#summary = summary;
    if (summary.status === this.#status) return;
    this.#status = summary.status;
    this.#terminal.event({ type: 'status', id: summary.id, status: summary.status, message: summary.message });
  }

  /** Norms and shapes are left to the run's folder: they are large, and no line for people. */
  rows(rows: readonly Row[]): void {
    for (const { seq, timeMs, record } of rows) {
      if (record.type !== 'norms' && record.type !== 'shapes') this.#terminal.event({ ...record, seq, timeMs });
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
        const kept = validation
          ? ` · kept back: loss ${validation.loss.toFixed(4)} · accuracy ${percent(validation.accuracy)}${aucText(validation)}`
          : '';
        this.#terminal.line(
          `epoch ${String(record.epoch)} · test loss ${record.loss.toFixed(4)} · accuracy ${percent(record.accuracy)}${aucText(record)}${robust}${kept}`,
        );
        return;
      }
      case 'checkpointed':
        this.#terminal.line(`checkpoint ${record.file}`);
        return;
      case 'diverged':
        this.#terminal.line(record.message);
        return;
      case 'evaluationStarted':
      case 'attackProgress':
      case 'evaluationFinished':
        tellEvaluation(this.#terminal, record);
        return;
      case 'norms':
      case 'shapes':
        return;
      default:
        record satisfies never;
    }
  }
}

/** Of two classes. */
function aucText({ auc }: { readonly auc?: number }): string {
  return auc === undefined ? '' : ` · AUC ${auc.toFixed(4)}`;
}

/** The part of the records that an evaluation makes, with or without a run. */
export function tellEvaluation(terminal: Terminal, record: RunRecord): void {
  switch (record.type) {
    case 'evaluationStarted': {
      const { plan, samples, step } = record;
      const length = `${String(plan.steps)} steps × ${String(plan.restarts)} restarts`;
      terminal.line(
        `PGD ${plan.norm} · ε ${pixels(plan.epsilon)} · step size ${pixels(plan.stepSize)} · ${length} · ${String(samples)} images · weights of step ${String(step)} · ${plan.protocol}`,
      );
      return;
    }
    case 'attackProgress':
      terminal.progress(
        `restart ${String(record.restart + 1)} · ${String(record.samples)} images · ${String(record.robust.at(-1) ?? 0)} stand`,
      );
      return;
    case 'evaluationFinished': {
      const { clean, robust, samples, isPartial } = record;
      const interval = ({ value, low, high }: typeof clean) =>
        `${percent(value)} (95 % interval ${percent(low)} to ${percent(high)})`;
      terminal.line(`clean  ${interval(clean)}`);
      terminal.line(`robust ${interval(robust)}`);
      terminal.line(isPartial ? `stopped after ${String(samples)} images` : `on ${String(samples)} images`);
      return;
    }
    default:
  }
}

export function percent(value: number): string {
  return `${(value * 100).toFixed(1)} %`;
}

function pixels(value: number): string {
  return `${String(Number((value * 255).toFixed(3)))}/255`;
}
