// The batch-normalisation layer and its running statistics. The op itself is in server/tensor/ops.
import * as tf from '@tensorflow/tfjs-core';
import { batchNormInference, batchNormTraining } from '../tensor/ops/batchNorm.ts';
import { moveStatistic } from '../tensor/ops/optimizer.ts';
import type { AtStep, Halted } from '../tensor/ops/step.ts';
import type { ActivationLayer } from './activationLayer.ts';
import type { BatchStatistics, Layer } from './layer.ts';
import type { ParameterMaker, Statistic } from './parameters.ts';

/** Keras's. */
const epsilon = 1e-3;

/**
 * By the batch's statistics in training, by the running ones in inference.
 * @param makeNext makes the activation layer that follows, of which it then is one layer; null for none
 */
export function makeBatchNorm(
  layer: string,
  channels: number,
  maker: ParameterMaker,
  makeNext: (() => ActivationLayer) | null = null,
): Layer {
  const gamma = maker.make<tf.Rank.R1>(layer, 'gamma', [channels], { type: 'constant', value: 1 });
  const beta = maker.make<tf.Rank.R1>(layer, 'beta', [channels], { type: 'constant', value: 0 });
  const runningMean = maker.makeStatistic(layer, 'mean', channels);
  const runningVariance = maker.makeStatistic(layer, 'variance', channels);
  const next = makeNext?.();
  const fused = next?.applyNormalized;
  const apply: Layer = next && !fused ? next.apply : (x) => x;
  return (x, pass) => {
    if (pass.mode === 'inference') {
      const y = batchNormInference(x, gamma, beta, runningMean, runningVariance, epsilon);
      return next ? next.apply(y, pass) : y;
    }
    const { y, mean, variance } = fused
      ? fused(x, { gamma, beta, epsilon }, pass)
      : batchNormTraining(x, gamma, beta, epsilon);
    pass.batchStatistics?.push({ mean: tf.keep(mean), variance: tf.keep(variance), nValues: x.size / channels });
    return apply(y, pass);
  };
}

/**
 * Moves the running statistics towards a batch's, the variance Bessel-corrected. The momentum of update t is (t − 1)/(t + 9)
 * (polynomial-decay averaging, Shamir & Zhang 2013, η = 9: mostly the last tenth of the updates), up to Keras's 0.99 from
 * update 991 on. With 0.99 alone, a short run would be tested with statistics of weights long gone.
 * @param statistics in pairs, mean and variance, in the order of the layers
 */
export function updateStatistics(
  statistics: readonly Statistic[],
  batch: readonly BatchStatistics[],
  at: AtStep,
  halted: Halted | null = null,
): void {
  batch.forEach(({ mean, variance, nValues }, index) => {
    const bessel = nValues > 1 ? nValues / (nValues - 1) : 1;
    const how = { at, maxMomentum: 0.99, lag: 9, halted };
    moveStatistic({ ...how, statistic: statistics[2 * index]!.variable, batch: mean, scale: 1 });
    moveStatistic({ ...how, statistic: statistics[2 * index + 1]!.variable, batch: variance, scale: bessel });
  });
}
