// An evaluation by the worst-case protocol: batch by batch, stage by stage, with what stands after every step. An image counts as
// robust only if it is right clean and under every step of every stage (each image has its own worst).
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dataset } from '../data/split.ts';
import type { Network } from '../model/network.ts';
import type { PlanOfAttack } from '../protocol/attackTable.ts';
import type { PartPlan } from '../protocol/plan.ts';
import {
  headlineStage,
  measuresDistances,
  stagesOf,
  thesisFigure,
  type AttackPlan,
  type Stage,
} from '../protocol/evaluationPlan.ts';
import type { AttackProgressRecord, Passes } from '../protocol/records.ts';
import { attacks, type SimpleAttackName } from './attacks.ts';
import type { EvaluationState } from './evaluationState.ts';
import { ImageKeeper, type KeptBatch } from './keptImages.ts';
import { partRange } from './partRange.ts';
import { sampleBatches, targetIn } from './sampleBatches.ts';
import { attackSpace, type AttackSpace } from './space.ts';
import { ThesisCount } from './thesis.ts';
import { Trial, type OnFooled } from './trial.ts';

/** Over the batches on which every stage was done. */
export interface EvaluationCounts {
  readonly samples: number;
  readonly clean: number;
  /** At the plan's ε. */
  readonly robust: number;
  readonly passes: Passes;
  readonly isPartial: boolean;
  /** By image, as the records have them: 0 wrong as it is, 1 fooled, 2 stands. */
  readonly outcomes: Uint8Array;
  /** Images that the thesis counts as robust; null in the worst case alone, or where nothing is done. */
  readonly thesis: number | null;
}

export type Progress = Omit<AttackProgressRecord, 'type' | 'evaluation'>;

export interface EvaluateAttackOptions {
  /** The run's; the plan's own is added to it. */
  readonly seed: number;
  readonly signal: AbortSignal;
  /** The network that `transfer` makes its images on. */
  readonly surrogate?: Network | undefined;
  readonly from?: EvaluationState | undefined;
  /** All images, where it is left out. */
  readonly part?: PartPlan | undefined;
  /** Told of each image that is fooled, by its position in the test set; under ε lists at the smallest ε. */
  readonly onFooled?: OnFooled | undefined;
  /** Given the first images that the plan keeps, batch by batch. */
  readonly onKept?: ((batch: KeptBatch) => void) | undefined;
}

/** Progress within a stage is told after so many points, where a stage is that long. */
const pointsBetweenNews = 1000;

/**
 * Attacks the first test images, or a part of them. Yields counts after each stage on each batch, and in the midst of long ones; when the signal
 * aborts, ends after the step at hand with the counts of the batches that are done.
 */
export async function* evaluateAttack(
  network: Network,
  dataset: Dataset,
  plan: AttackPlan,
  options: EvaluateAttackOptions,
): AsyncGenerator<Progress, EvaluationCounts> {
  const space = attackSpace(network, dataset);
  const beside = options.surrogate ? attackSpace(options.surrogate, dataset) : null;
  try {
    return yield* attackBatches({ space, beside }, dataset, plan, options);
  } finally {
    space.dispose();
    beside?.dispose();
  }
}

async function* attackBatches(
  { space, beside }: { readonly space: AttackSpace; readonly beside: AttackSpace | null },
  dataset: Dataset,
  plan: AttackPlan,
  { seed, signal, from, part, onFooled, onKept }: EvaluateAttackOptions,
): ReturnType<typeof evaluateAttack> {
  const isStopped = (): boolean => signal.aborted;
  const nAll = Math.min(plan.samples, dataset.test.nSamples);
  const range = partRange(plan, nAll, part);
  const nSamples = range.end - range.first;
  const stages = stagesOf(plan);
  const headline = headlineStage(plan);
  const isNearest = measuresDistances(plan);
  const isThesis = plan.protocol === 'thesis';
  const robust = stages.map(({ nPoints }, index) => from?.robust[index]?.slice() ?? new Int32Array(nPoints));
  const thesis = isThesis ? stages.map(({ nPoints }, index) => new ThesisCount(nPoints, from?.thesis[index])) : [];
  const outcomes = new Uint8Array(nSamples);
  if (from) outcomes.set(from.outcomes);
  const distances = new Float32Array(isNearest ? nSamples : 0);
  if (from?.distances) distances.set(from.distances);
  const target = targetIn(space, dataset, from?.passes);
  const surrogate = beside ? target.beside(beside.network) : null;
  const done = { samples: from?.samples ?? 0, clean: from?.clean ?? 0, robust: robust[headline]!.at(-1)! };
  let passes: Passes = { ...target.passes };
  const thesisNow = () =>
    thesisFigure(
      plan,
      stages,
      thesis.map((count) => count.now),
    );
  let thesisDone = thesisNow();
  const ended = (isPartial: boolean): EvaluationCounts => ({
    ...{ ...done, passes, isPartial, outcomes: outcomes.slice(0, done.samples), thesis: thesisDone },
  });
  const batches = {
    space,
    sampleShape: dataset.sampleShape,
    batchSize: plan.batchSize,
    end: range.end,
    from: range.first + done.samples,
  };
  for await (const { images, labels, first } of sampleBatches(dataset.test, batches)) {
    const nRows = labels.length;
    const nBefore = first - range.first;
    const nKept = onKept ? Math.max(0, Math.min(plan.keep - first, nRows)) : 0;
    const keeper = nKept > 0 ? new ImageKeeper(nKept) : null;
    const trial = new Trial({
      ...{ target, surrogate, images, labels, first, bounds: space.bounds, isThesis },
      seed: (seed + plan.seed) >>> 0,
      onFooled:
        (onFooled ?? keeper)
          ? (fooled) => {
              keeper?.hear(fooled);
              onFooled?.({ ...fooled, row: first + fooled.row });
            }
          : undefined,
    });
    try {
      const clean = done.clean + trial.countBeyond(0);
      const progress = (restart: number): Progress => ({
        ...{ restart, samples: nBefore + nRows, clean, robust: robust[restart]!.slice(), passes: { ...target.passes } },
        ...(isNearest && { distances: Float32Array.of(...distances.subarray(0, nBefore), ...trial.distances) }),
        ...(isThesis && { thesis: thesis[restart]!.now }),
      });
      let ofBatch: Uint8Array = new Uint8Array(nRows);
      for (const [index, stage] of stages.entries()) {
        if (isStopped()) return ended(true);
        const counts = robust[index]!;
        const before = counts.slice();
        trial.goal = isNearest ? 0 : stage.epsilon;
        trial.begin(index);
        const run = start(trial, stage);
        try {
          let point = 0;
          for (; point < stage.nPoints && trial.size > 0; point++) {
            await nextTurn();
            if (isStopped()) return ended(true);
            if (run.next().done) break;
            counts[point] = before[point]! + trial.countBeyond(stage.epsilon);
            thesis[index]?.add(point, trial);
            if (point > 0 && point % pointsBetweenNews === 0 && point < stage.nPoints - 1) {
              fill(counts, before, point + 1, trial.countBeyond(stage.epsilon));
              yield progress(index);
            }
          }
          fill(counts, before, point, trial.countBeyond(stage.epsilon));
          thesis[index]?.fill(point, trial);
        } finally {
          run.return();
        }
        // Before a larger ε fools more.
        if (index === headline) ofBatch = outcomesOf(trial, labels, plan.epsilon);
        // The last of a batch comes with its outcomes.
        if (index < stages.length - 1) yield progress(index);
      }
      if (isNearest) distances.set(trial.distances, nBefore);
      outcomes.set(ofBatch, nBefore);
      if (keeper && onKept) {
        const of = { first, total: Math.min(plan.keep, nAll), classes: dataset.classes, norm: plan.norm };
        onKept(keeper.batch(trial, { ...of, images, labels, outcomes: ofBatch, space }));
      }
      done.samples += nRows;
      done.clean = clean;
      done.robust = robust[headline]!.at(-1)!;
      passes = { ...target.passes };
      thesisDone = thesisNow();
      yield { ...progress(stages.length - 1), outcomes: ofBatch };
    } finally {
      trial.dispose();
    }
  }
  return ended(false);
}

/** By image of a batch that is done: wrong as it is, fooled within ε, or neither. */
function outcomesOf(trial: Trial, labels: Int32Array, epsilon: number): Uint8Array {
  return Uint8Array.from(labels, (label, row) =>
    trial.predictions[row] !== label ? 0 : trial.distances[row]! > epsilon ? 2 : 1,
  );
}

function start<A extends SimpleAttackName>(trial: Trial, stage: Stage): Generator<void, void, void> {
  const attack = stage.attack as A;
  return attacks[attack](trial, stage.plan as unknown as PlanOfAttack<A>, stage.run);
}

/** From a point on: nothing changes there any more, or it is not known yet and what stands now is the most that can. */
function fill(counts: Int32Array, before: Int32Array, from: number, standing: number): void {
  for (let point = from; point < counts.length; point++) counts[point] = before[point]! + standing;
}
