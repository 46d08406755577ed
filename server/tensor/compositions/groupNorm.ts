// KafscopeGroupNorm and its gradient: two passes over [N, rows, groups, C/groups], mean first.
import * as tf from '@tensorflow/tfjs-core';
import { samplesOf } from '../ops/groupNorm.ts';
import { composedKernel, type ComposedKernel } from './composition.ts';

interface Attributes {
  readonly groups: number;
  readonly epsilon: number;
}

interface NormInputs {
  readonly x: tf.Tensor;
  readonly gamma: tf.Tensor1D;
  readonly beta: tf.Tensor1D;
}

interface NormGradInputs {
  readonly dy: tf.Tensor;
  readonly x: tf.Tensor;
  readonly gamma: tf.Tensor1D;
  readonly mean: tf.Tensor2D;
  readonly variance: tf.Tensor2D;
}

/** Rows and the channels of a group. */
const within = [1, 3];

export const groupNormKernels: readonly ComposedKernel[] = [
  composedKernel<NormInputs, Attributes>('KafscopeGroupNorm', ({ x, gamma, beta }, { groups, epsilon }) => {
    const grouped = inGroups(x, groups);
    const share = 1 / Math.max(1, grouped.shape[1]! * grouped.shape[3]!);
    const mean = tf.mul(tf.sum(grouped, within, true), share);
    const centred = tf.sub(grouped, mean);
    const variance = tf.mul(tf.sum(tf.square(centred), within, true), share);
    const normalized = tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)));
    const y = tf.add(tf.mul(normalized, perChannel(gamma, groups)), perChannel(beta, groups));
    const perGroup: [number, number] = [x.shape[0]!, groups];
    return [tf.reshape(y, x.shape), tf.reshape(mean, perGroup), tf.reshape(variance, perGroup)];
  }),
  composedKernel<NormGradInputs, Attributes>(
    'KafscopeGroupNormGrad',
    ({ dy, x, gamma, mean, variance }, { groups, epsilon }) => {
      const [nSamples] = x.shape;
      const upstream = inGroups(dy, groups);
      const perGroup = [nSamples!, 1, groups, 1];
      const inverse = tf.rsqrt(tf.add(tf.reshape(variance, perGroup), epsilon));
      const normalized = tf.mul(tf.sub(inGroups(x, groups), tf.reshape(mean, perGroup)), inverse);
      const products = tf.mul(upstream, normalized);
      const slopes = tf.mul(upstream, perChannel(gamma, groups));
      const share = 1 / Math.max(1, upstream.shape[1]! * upstream.shape[3]!);
      const meanSlope = tf.mul(tf.sum(slopes, within, true), share);
      const meanProduct = tf.mul(tf.sum(tf.mul(slopes, normalized), within, true), share);
      const dx = tf.mul(inverse, tf.sub(slopes, tf.add(meanSlope, tf.mul(normalized, meanProduct))));
      const channels = [gamma.size];
      return [
        tf.reshape(dx, x.shape),
        tf.reshape(tf.sum(products, [0, 1]), channels),
        tf.reshape(tf.sum(upstream, [0, 1]), channels),
      ];
    },
  ),
];

function inGroups(x: tf.Tensor, groups: number): tf.Tensor4D {
  const { nSamples, nRows, nChannels } = samplesOf(x.shape);
  return tf.reshape(x, [nSamples, nRows, groups, nChannels / groups]);
}

function perChannel(values: tf.Tensor1D, groups: number): tf.Tensor {
  return tf.reshape(values, [1, 1, groups, values.size / groups]);
}
