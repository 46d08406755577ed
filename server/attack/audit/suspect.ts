// What the audit of an evaluation may look at: the first images, what became of them, the counts of all; and ways to look further.
import type * as tf from '@tensorflow/tfjs-core';
import { completeEvaluation, type AttackPlan } from '../../protocol/evaluationPlan.ts';
import type { AttackName, PlanOfAttack } from '../../protocol/attackTable.ts';
import type { AuditFlag } from '../../protocol/records.ts';
import { attacks, type SimpleAttackName } from '../attacks.ts';
import { lossOf, type Loss } from '../losses.ts';
import type { Target } from '../target.ts';
import { Trial } from '../trial.ts';

export interface Suspect {
  readonly plan: AttackPlan;
  readonly target: Target;
  /** The first images, in the space of attacks `[n, …]`, and their labels. */
  readonly images: tf.Tensor;
  readonly labels: Int32Array;
  readonly bounds: readonly [low: number, high: number] | null;
  /** Of these images, as the records have them: 0 wrong as it is, 1 fooled, 2 stands. */
  readonly outcomes: Uint8Array;
  /** Of all images: how many there were, and by stage what stood after each point. */
  readonly samples: number;
  readonly robust: readonly Int32Array[];
  /** By channel, where the network normalises; null where it does not. */
  readonly std: readonly number[] | null;
  /** What kind each activation layer is of, by the network's plan. */
  readonly activations: readonly string[];
  readonly seed: number;
  /** Whether the network that the images were made on has the same weights as the one that they were shown to. */
  readonly isOwnSurrogate?: boolean | undefined;
}

/** One thing that can be wrong. Null where it is not. */
export type Check = (suspect: Suspect) => AuditFlag | null;

/** Of so many images or more a finding is no accident of one image: two, or two in a hundred. */
export function isMany(count: number, of: number): boolean {
  return count >= Math.max(2, 0.02 * of);
}

/** What the evaluation's attack raises; null where it asks for no gradient. */
export function raisedLoss({ plan, labels }: Suspect): { readonly name: string; readonly loss: Loss } | null {
  switch (plan.attack) {
    case 'pgd':
    case 'fgsm':
      return { name: plan.loss, loss: lossOf(plan.loss, labels) };
    case 'apgd-ce':
      return { name: 'cross-entropy', loss: lossOf('cross-entropy', labels) };
    case 'apgd-dlr':
    case 'apgd-t':
    case 'autoattack':
    case 'fab':
    case 'fab-t':
    case 'deepfool':
    case 'cw':
      return { name: 'margin', loss: lossOf('margin', labels) };
    case 'square':
    case 'transfer':
    case 'nes':
    case 'noise':
      return null;
    default:
      return plan satisfies never;
  }
}

/** Of the first images, by position, whether another attack fools them under the plan's norm. Those wrong as they are stay false. */
export function fooledBy<A extends SimpleAttackName>(
  { plan, target, images, labels, bounds, seed }: Suspect,
  attack: A,
  given: Partial<PlanOfAttack<A & AttackName>>,
): boolean[] {
  const context = { trainedEpsilon: null, testSamples: labels.length };
  const { norm, epsilon } = plan;
  const other = completeEvaluation(attack, { norm, epsilon, ...given }, context) as unknown as PlanOfAttack<A>;
  const trial = new Trial({ target, images, labels, bounds, seed, first: 0 });
  const isRight = Array.from(trial.distances, (distance) => distance > 0);
  trial.goal = other.epsilon;
  try {
    const run = attacks[attack](trial, other, 0);
    while (trial.size > 0 && !run.next().done);
    run.return();
    return isRight.map((right, row) => right && !(trial.distances[row]! > other.epsilon));
  } finally {
    trial.dispose();
  }
}
