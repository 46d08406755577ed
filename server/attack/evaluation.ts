// An evaluation by the worst-case protocol: batch by batch, stage by stage, with what stands after every step. An image counts as
// robust only if it is right clean and under every step of every stage (each image has its own worst).
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { consecutiveBatches, makeBatch, readAhead } from '../data/batches.ts';
import type { Dataset } from '../data/split.ts';
import type { Network } from '../model/network.ts';
import type { PlanOfAttack } from '../protocol/attackTable.ts';
import {
  headlineStage,
  measuresDistances,
  stagesOf,
  type EvaluationPlan,
  type Stage,
} from '../protocol/evaluationPlan.ts';
import type { AttackProgressRecord, Passes } from '../protocol/records.ts';
import { attacks, type SimpleAttackName } from './attacks.ts';
import { attackSpace, type AttackSpace } from './space.ts';
import { Target } from './target.ts';
import { Trial, type OnFooled } from './trial.ts';

/** Over the batches on which every stage was done. */
export interface EvaluationCounts {
  readonly samples: number;
  readonly clean: number;
  /** At the plan's ε. */
  readonly robust: number;
  readonly passes: Passes;
  readonly isPartial: boolean;
}

export type Progress = Omit<AttackProgressRecord, 'type' | 'evaluation'>;

/** What the batches before left: where an evaluation goes on that was interrupted. */
export interface EvaluationState {
  /** A multiple of the batch size. */
  readonly samples: number;
  readonly clean: number;
  readonly passes: Passes;
  /** By stage. */
  readonly robust: readonly Int32Array[];
  /** Of the images so far, where distances are measured. */
  readonly distances: Float32Array | null;
}

export interface EvaluateAttackOptions {
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly from?: EvaluationState | undefined;
  /** Told of each image that is fooled, by its position in the test set; under ε lists at the smallest ε. */
  readonly onFooled?: OnFooled | undefined;
}

/** Progress within a stage is told after so many points, where a stage is that long. */
const pointsBetweenNews = 1000;

/**
 * Attacks the first test images. Yields counts after each stage on each batch, and in the midst of long ones; when the signal
 * aborts, ends after the step at hand with the counts of the batches that are done.
 */
export async function* evaluateAttack(
  network: Network,
  dataset: Dataset,
  plan: EvaluationPlan,
  options: EvaluateAttackOptions,
): AsyncGenerator<Progress, EvaluationCounts> {
  const space = attackSpace(network, dataset);
  try {
    return yield* attackBatches(space, dataset, plan, options);
  } finally {
    space.dispose();
  }
}

async function* attackBatches(
  space: AttackSpace,
  dataset: Dataset,
  plan: EvaluationPlan,
  { seed, signal, from, onFooled }: EvaluateAttackOptions,
): ReturnType<typeof evaluateAttack> {
  const isStopped = (): boolean => signal.aborted;
  const nSamples = Math.min(plan.samples, dataset.test.nSamples);
  const stages = stagesOf(plan);
  const headline = headlineStage(plan);
  const isNearest = measuresDistances(plan);
  const robust = stages.map(({ nPoints }, index) => from?.robust[index]?.slice() ?? new Int32Array(nPoints));
  const distances = new Float32Array(isNearest ? nSamples : 0);
  if (from?.distances) distances.set(from.distances);
  const target = new Target(space.network, {
    nClasses: dataset.classes.length,
    shape: dataset.sampleShape,
    passes: from?.passes ?? { forward: 0, backward: 0 },
  });
  const done = { samples: from?.samples ?? 0, clean: from?.clean ?? 0, robust: robust[headline]!.at(-1)! };
  let passesDone = { ...target.passes };
  for await (const samples of readAhead(dataset.test, consecutiveBatches(nSamples, plan.batchSize, done.samples))) {
    const first = done.samples;
    const nRows = samples.labels.length;
    const { images: asRead, labels } = makeBatch(samples, dataset.sampleShape);
    const images = space.enter(asRead);
    const trial = new Trial({
      ...{ target, images, labels: labels.dataSync<'int32'>().slice(), seed, first, bounds: space.bounds },
      onFooled:
        onFooled &&
        ((row, image, distance) => {
          onFooled(first + row, image, distance);
        }),
    });
    tf.dispose([asRead, images, labels]);
    try {
      const clean = done.clean + trial.size;
      const progress = (restart: number): Progress => ({
        ...{ restart, samples: first + nRows, clean, robust: robust[restart]!.slice(), passes: { ...target.passes } },
        ...(isNearest && { distances: Float32Array.of(...distances.subarray(0, first), ...trial.distances) }),
      });
      for (const [index, stage] of stages.entries()) {
        if (isStopped()) return { ...done, passes: passesDone, isPartial: true };
        const counts = robust[index]!;
        const before = counts.slice();
        trial.goal = isNearest ? 0 : stage.epsilon;
        trial.begin(index);
        const run = start(trial, stage);
        try {
          let point = 0;
          for (; point < stage.nPoints && trial.size > 0; point++) {
            await nextTurn();
            if (isStopped()) return { ...done, passes: passesDone, isPartial: true };
            if (run.next().done) break;
            counts[point] = before[point]! + trial.countBeyond(stage.epsilon);
            if (point > 0 && point % pointsBetweenNews === 0 && point < stage.nPoints - 1) {
              fill(counts, before, point + 1, trial.countBeyond(stage.epsilon));
              yield progress(index);
            }
          }
          fill(counts, before, point, trial.countBeyond(stage.epsilon));
        } finally {
          run.return();
        }
        yield progress(index);
      }
      if (isNearest) distances.set(trial.distances, first);
      done.samples += nRows;
      done.clean = clean;
      done.robust = robust[headline]!.at(-1)!;
      passesDone = { ...target.passes };
    } finally {
      trial.dispose();
    }
  }
  return { ...done, passes: passesDone, isPartial: false };
}

function start<A extends SimpleAttackName>(trial: Trial, stage: Stage): Generator<void, void, void> {
  const attack = stage.attack as A;
  return attacks[attack](trial, stage.plan as unknown as PlanOfAttack<A>, stage.run);
}

/** From a point on: nothing changes there any more, or it is not known yet and what stands now is the most that can. */
function fill(counts: Int32Array, before: Int32Array, from: number, standing: number): void {
  for (let point = from; point < counts.length; point++) counts[point] = before[point]! + standing;
}
