// KafscopeBatchNorm, its gradient, and KafscopeScaleShift. Two passes, mean first; sums over no rows are 0.
import * as tf from '@tensorflow/tfjs-core';
import { asRows, composedKernel, type ComposedKernel } from './composition.ts';

interface NormInputs {
  readonly x: tf.Tensor;
  readonly gamma: tf.Tensor1D;
  readonly beta: tf.Tensor1D;
}

interface NormGradInputs {
  readonly dy: tf.Tensor;
  readonly x: tf.Tensor;
  readonly gamma: tf.Tensor1D;
  readonly mean: tf.Tensor1D;
  readonly variance: tf.Tensor1D;
}

interface ScaleShiftInputs {
  readonly x: tf.Tensor;
  readonly scale: tf.Tensor1D;
  readonly shift: tf.Tensor1D;
}

export const batchNormKernels: readonly ComposedKernel[] = [
  composedKernel<NormInputs, { epsilon: number }>('KafscopeBatchNorm', ({ x, gamma, beta }, { epsilon }) => {
    const rows = asRows(x, gamma.size);
    const share = 1 / Math.max(rows.shape[0], 1);
    const mean = tf.mul(tf.sum(rows, 0), share);
    const centred = tf.sub(rows, mean);
    const variance = tf.mul(tf.sum(tf.square(centred), 0), share);
    const scale = tf.div(gamma, tf.sqrt(tf.add(variance, epsilon)));
    return [tf.reshape(tf.add(tf.mul(centred, scale), beta), x.shape), mean, variance];
  }),
  composedKernel<NormGradInputs, { epsilon: number }>(
    'KafscopeBatchNormGrad',
    ({ dy, x, gamma, mean, variance }, { epsilon }) => {
      const upstream = asRows(dy, gamma.size);
      const inverse = tf.rsqrt(tf.add(variance, epsilon));
      const normalized = tf.mul(tf.sub(asRows(x, gamma.size), mean), inverse);
      const dgamma = tf.sum(tf.mul(upstream, normalized), 0);
      const dbeta = tf.sum(upstream, 0);
      const share = 1 / Math.max(upstream.shape[0], 1);
      const common = tf.add(tf.mul(normalized, tf.mul(dgamma, share)), tf.mul(dbeta, share));
      const dx = tf.mul(tf.sub(upstream, common), tf.mul(gamma, inverse));
      return [tf.reshape(dx, x.shape), dgamma, dbeta];
    },
  ),
  composedKernel<ScaleShiftInputs, undefined>('KafscopeScaleShift', ({ x, scale, shift }) =>
    tf.add(tf.mul(x, scale), shift),
  ),
];
