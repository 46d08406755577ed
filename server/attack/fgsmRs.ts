// The single-step attack with random start of fast adversarial training.
import * as tf from '@tensorflow/tfjs-core';
import type { Network } from '../model/network.ts';
import type { ThreatPlan } from '../protocol/plan.ts';
import { uniform, type RandomKey } from '../tensor/ops/random.ts';
import { inputGradient } from './inputGradient.ts';
import { inUnits, stepInBall, type ColumnUnits } from './threatBall.ts';

/**
 * Adversarial examples for one training step (Wong, Rice & Kolter 2020, algorithm 3): δ ~ U[−ε, ε], g = ∇ₓ loss(x + δ),
 * δ ← clip(δ + stepSize·sign g, ±ε), result clip(x + δ, 0, 1). The pass uses the batch's own normalisation statistics, which
 * leave no trace in the running ones, and dropout masks of its own.
 * @param keys for the random start and for the pass's dropout
 * @param units of a table's columns, whose samples have no box to stay in; the caller's
 * @returns images like `clean`; the caller disposes
 */
export function attackForTraining(
  network: Network,
  { images: clean, labels }: { readonly images: tf.Tensor4D; readonly labels: tf.Tensor1D },
  { epsilon, stepSize }: ThreatPlan,
  keys: { readonly start: RandomKey; readonly dropout: RandomKey },
  units: ColumnUnits = null,
): tf.Tensor4D {
  return tf.tidy(() => {
    const start = tf.add<tf.Tensor4D>(clean, inUnits(uniform(clean.shape, -epsilon, epsilon, keys.start), units));
    const { gradient, logits } = inputGradient(network, start, labels, { mode: 'training', key: keys.dropout });
    logits.dispose();
    return stepInBall(start, clean, gradient, { stepSize, epsilon }, units);
  });
}
