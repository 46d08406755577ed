// A run's summary as a fold over its rows, so that lists need not read the log. Status and message are the driver's business.
import { HealthWatch } from '../health/healthWatch.ts';
import { attackEntry } from '../protocol/attackTable.ts';
import type { Plan } from '../protocol/plan.ts';
import type { Row } from '../protocol/records.ts';
import type { RunSummary } from '../protocol/run.ts';

export class SummaryFold {
  summary: RunSummary;
  readonly #batchSize: number;
  readonly #throughput = new Throughput();
  readonly #health: HealthWatch;
  #isFloor = false;

  /** Where rows were folded before, `health` has watched them; else it sees what follows the next `prepared`. */
  constructor(summary: RunSummary, plan: Plan, health = new HealthWatch(plan)) {
    this.summary = summary;
    this.#batchSize = plan.training.batchSize;
    this.#health = health;
  }

  apply(row: Row): void {
    const found = this.#health.see(row.record);
    const health = found.length > 0 ? { health: [...(this.summary.health ?? []), ...found] } : {};
    this.summary = { ...this.summary, ...this.#change(row), ...health, updatedMs: row.timeMs };
  }

  /** Time at rest must not count as slowness. */
  forgetSpeed(): void {
    this.#throughput.clear();
  }

  #change({ record, timeMs }: Row): Partial<RunSummary> {
    switch (record.type) {
      case 'prepared':
        return { steps: record.steps, epochs: record.epochs };
      case 'step': {
        const stepsPerSecond = this.#throughput.add(timeMs);
        return {
          step: record.step,
          epoch: record.epoch,
          loss: record.loss,
          ...(stepsPerSecond === null ? {} : { imagesPerSecond: stepsPerSecond * this.#batchSize }),
        };
      }
      case 'test':
        this.#throughput.clear();
        return {
          cleanAccuracy: record.accuracy,
          ...(record.robustAccuracy === null ? {} : { robustAccuracy: record.robustAccuracy }),
        };
      case 'evaluationFinished':
        if (record.samples === 0) return {};
        // The last test saw all held-out images, an evaluation often only some of them.
        return {
          cleanAccuracy: this.summary.cleanAccuracy ?? record.clean.value,
          // Noise or one step is no attack to judge by where there is a better one.
          robustAccuracy: this.#isFloor ? (this.summary.robustAccuracy ?? record.robust.value) : record.robust.value,
        };
      case 'checkpointed': {
        const { file, step, epoch } = record;
        const others = this.summary.checkpoints.filter((checkpoint) => checkpoint.file !== file);
        return { checkpoints: [...others, { file, step, epoch }].sort((a, b) => a.step - b.step) };
      }
      case 'evaluationStarted':
        this.#isFloor = attackEntry(record.plan.attack).strength === 'floor';
        return {};
      case 'collapsed':
        return { message: record.message };
      case 'norms':
      case 'shapes':
      case 'watch':
      case 'endedEarly':
      case 'diverged':
      case 'attackProgress':
        return {};
      default:
        return record satisfies never;
    }
  }
}

const windowMs = 10_000;
const fewestSteps = 8;

/** Steps a second over the last ten seconds, or over the last eight steps where those took longer. */
class Throughput {
  #timesMs: number[] = [];

  add(timeMs: number): number | null {
    this.#timesMs.push(timeMs);
    while (this.#timesMs.length > fewestSteps + 1 && timeMs - this.#timesMs[0]! > windowMs) this.#timesMs.shift();
    const elapsedMs = timeMs - this.#timesMs[0]!;
    return elapsedMs > 0 ? ((this.#timesMs.length - 1) * 1000) / elapsedMs : null;
  }

  clear(): void {
    this.#timesMs = [];
  }
}
