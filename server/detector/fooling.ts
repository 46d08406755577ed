// The images with which an attack fools a network, for whoever wants to look at them.
import type * as tf from '@tensorflow/tfjs-core';
import { attacks, type SimpleAttackName } from '../attack/attacks.ts';
import type { Target } from '../attack/target.ts';
import { Trial } from '../attack/trial.ts';
import type { PlanOfAttack } from '../protocol/attackTable.ts';
import { measuresDistances, stagesOf, type AttackPlan } from '../protocol/evaluationPlan.ts';

export interface FoolingOptions {
  readonly target: Target;
  /** By the place that a transfer's `from` names. */
  readonly surrogates: ReadonlyMap<string, Target>;
  /** `[n, …]` in the space of attacks; stays the caller's. */
  readonly images: tf.Tensor;
  readonly labels: Int32Array;
  /** Position of the first in its split. */
  readonly first: number;
  readonly bounds: readonly [low: number, high: number] | null;
  readonly seed: number;
}

/** By position in the batch, what fooled within the plan's ε; nothing of images that are wrong as they are. Yields between steps. */
export function* foolingImages(
  plan: AttackPlan,
  options: FoolingOptions,
): Generator<void, Map<number, Float32Array>, void> {
  const found = new Map<number, Float32Array>();
  const isNearest = measuresDistances(plan);
  const trial = new Trial({
    ...options,
    surrogate: plan.attack === 'transfer' ? (options.surrogates.get(plan.from) ?? null) : null,
    seed: (options.seed + plan.seed) >>> 0,
    onFooled: ({ row, image, distance }) => {
      if (distance === null || distance <= plan.epsilon) found.set(row, image);
    },
  });
  try {
    for (const [index, stage] of stagesOf({ ...plan, ...('epsilons' in plan && { epsilons: [] }) }).entries()) {
      trial.goal = isNearest ? 0 : stage.epsilon;
      trial.begin(index);
      const run = start(trial, stage.attack as SimpleAttackName, stage.plan, stage.run);
      while (trial.size > 0 && !run.next().done) yield;
      run.return();
    }
  } finally {
    trial.dispose();
  }
  return found;
}

function start<A extends SimpleAttackName>(
  trial: Trial,
  attack: A,
  plan: unknown,
  run: number,
): Generator<void, void, void> {
  return attacks[attack](trial, plan as PlanOfAttack<A>, run);
}
