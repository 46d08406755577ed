// The single-step attack with random start of fast adversarial training.
import * as tf from '@tensorflow/tfjs-core';
import type { ThreatPlan } from '../protocol/plan.ts';
import { trainingLosses, type TrainingLoss } from '../tensor/ops/trainingLoss.ts';
import { uniform, type RandomKey } from '../tensor/ops/random.ts';
import { stepLinf } from './ball.ts';
import { inputGradient } from './inputGradient.ts';
import type { AttackSpace } from './space.ts';

/**
 * Adversarial examples for one training step (Wong, Rice & Kolter 2020, algorithm 3): δ ~ U[−ε, ε], g = ∇ₓ loss(x + δ),
 * δ ← clip(δ + stepSize·sign g, ±ε), result clip(x + δ, 0, 1). The pass uses the batch's own normalisation statistics, which
 * leave no trace in the running ones, and dropout masks of its own.
 * @param options the keys of the random start and of the pass's dropout, and the loss: cross-entropy where none is named
 * @param space in which the ball lies
 * @returns samples like `clean`; the caller disposes
 */
export function attackForTraining(
  { network, bounds, enter, leave }: AttackSpace,
  { images, labels }: { readonly images: tf.Tensor4D; readonly labels: tf.Tensor1D },
  { epsilon, stepSize }: ThreatPlan,
  {
    lossOf = trainingLosses['cross-entropy'],
    ...keys
  }: { readonly start: RandomKey; readonly dropout: RandomKey; readonly lossOf?: TrainingLoss },
): tf.Tensor4D {
  return tf.tidy(() => {
    const clean = enter(images);
    const start = tf.add<tf.Tensor4D>(clean, uniform(clean.shape, -epsilon, epsilon, keys.start));
    const { gradient } = inputGradient(network, start, (logits) => lossOf(logits, labels), {
      mode: 'training',
      key: keys.dropout,
    });
    return leave(stepLinf(start, clean, gradient, { stepSize, epsilon, bounds }));
  });
}
