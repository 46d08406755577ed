// A run's summary as a fold over its rows, so that lists need not read the log. Status and message are the driver's business.
import { HealthWatch } from '../health/healthWatch.ts';
import { testAttack, withFigure, type AttackFigure } from '../protocol/attackFigures.ts';
import { isAttackPlan } from '../protocol/evaluationPlan.ts';
import type { Plan } from '../protocol/plan.ts';
import type { EvaluationFinishedRecord, OfWeights, Row, TestRecord } from '../protocol/records.ts';
import type { RunSummary } from '../protocol/run.ts';

export class SummaryFold {
  summary: RunSummary;
  readonly #plan: Plan;
  readonly #throughput = new Throughput();
  readonly #health: HealthWatch;

  /** Where rows were folded before, `health` has watched them; else it sees what follows the next `prepared`. */
  constructor(summary: RunSummary, plan: Plan, health = new HealthWatch(plan)) {
    this.summary = summary;
    this.#plan = plan;
    this.#health = health;
  }

  apply(row: Row): void {
    const found = this.#health.see(row.record);
    const health = found.length > 0 ? { health: [...(this.summary.health ?? []), ...found] } : {};
    this.summary = { ...at(row.timeMs, this.summary), ...this.#change(row), ...health };
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
          ...(stepsPerSecond === null ? {} : { imagesPerSecond: stepsPerSecond * this.#plan.training.batchSize }),
        };
      }
      case 'test':
        this.#throughput.clear();
        return { cleanAccuracy: record.accuracy, cleanWeights: record.weights, ...this.#testFigure(record) };
      case 'evaluationStarted':
        return { attackUnderWay: { plan: record.plan, step: record.step, ...ofWeights(record) } };
      case 'evaluationFinished':
        return {
          attackUnderWay: undefined,
          // The last test saw all held-out images, an evaluation often only some of them.
          ...(record.samples > 0 && this.#cleanFigure(record)),
          ...(record.samples > 0 && this.#evaluationFigure(record)),
        };
      case 'checkpointed': {
        const { file, step, epoch } = record;
        const others = this.summary.checkpoints.filter((checkpoint) => checkpoint.file !== file);
        return { checkpoints: [...others, { file, step, epoch }].sort((a, b) => a.step - b.step) };
      }
      case 'collapsed': // a rule of health tells it
      case 'norms':
      case 'updates':
      case 'histograms':
      case 'responses':
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

  #cleanFigure({ clean }: EvaluationFinishedRecord): Partial<RunSummary> {
    if (this.summary.cleanAccuracy !== null) return {};
    return { cleanAccuracy: clean.value, cleanWeights: this.summary.attackUnderWay?.weights };
  }

  #testFigure(record: TestRecord): Partial<RunSummary> {
    const { step, robustAccuracy, robustSamples: samples } = record;
    if (robustAccuracy === null || samples === 0) return {};
    const plan = testAttack(this.#plan, { samples });
    const standing = Math.round(robustAccuracy * samples);
    return this.#withFigure({ plan, step, samples, standing, ...ofWeights(record), isOfTest: true });
  }

  #evaluationFigure({ samples, clean, robust, thesis, isPartial }: EvaluationFinishedRecord): Partial<RunSummary> {
    const { attackUnderWay } = this.summary;
    // Its beginning is not known of a run that an older version was attacking.
    if (!attackUnderWay) return this.summary.figures ? {} : { robustAccuracy: robust.value };
    const { plan, step } = attackUnderWay;
    // What is certified is no attack's figure.
    if (!isAttackPlan(plan)) return {};
    const countOf = ({ value }: { readonly value: number }) => Math.round(value * samples);
    return this.#withFigure({
      ...{ plan, step, samples, standing: countOf(robust), clean: countOf(clean), ...ofWeights(attackUnderWay) },
      ...(thesis && { thesis: countOf(thesis) }),
      ...(isPartial && { isPartial }),
    });
  }

  #withFigure(figure: AttackFigure): Partial<RunSummary> {
    const figures = withFigure(this.summary.figures ?? [], figure, this.#plan);
    const [shown] = figures;
    return { figures, ...(shown && { robustAccuracy: shown.standing / shown.samples }) };
  }
}

/** At a later time: what has passed since the last news was work, unless it was a pause. */
export function at(timeMs: number, summary: RunSummary): RunSummary {
  const { workedMs, updatedMs, status } = summary;
  if (workedMs === undefined) return { ...summary, updatedMs: timeMs };
  const passed = status === 'paused' ? 0 : Math.max(0, timeMs - updatedMs);
  return { ...summary, updatedMs: timeMs, workedMs: workedMs + passed };
}

function ofWeights({ weights }: OfWeights): OfWeights {
  return weights ? { weights } : {};
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
