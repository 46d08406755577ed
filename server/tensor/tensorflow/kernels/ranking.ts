// KafscopeKWinners and its gradient, and KafscopeHistogram, which counts the values as the runtime `cpu` does.
import * as tf from '@tensorflow/tfjs-core';
import { histogramCounts, type HistogramRange } from '../../ops/histogram.ts';
import { tensorflowKernel, type TensorflowKernel } from './tensorflowKernel.ts';

export const rankingKernels: readonly TensorflowKernel[] = [
  tensorflowKernel<{ x: tf.Tensor }, { count: number }>('KafscopeKWinners', ({ x }, { count }) => {
    const nSamples = x.shape[0]!;
    if (x.size === 0) return [tf.zerosLike(x), tf.zeros([nSamples])];
    const rows = tf.reshape(x, [nSamples, x.size / nSamples]);
    // TensorFlow gives NaN no place in an order: here it is the largest.
    const isNaN = tf.isNaN(rows);
    const ranked = tf.where(isNaN, tf.fill(rows.shape, Infinity), rows);
    const least = tf.min(tf.topk(ranked, count).values, 1);
    const nNaN = tf.sum(tf.cast(isNaN, 'float32'), 1);
    const thresholds = tf.where(tf.greaterEqual(nNaN, count), tf.fill([nSamples], NaN), least);
    return [keepWinners(x, x, thresholds), thresholds];
  }),
  tensorflowKernel<{ dy: tf.Tensor; x: tf.Tensor; thresholds: tf.Tensor }, undefined>(
    'KafscopeKWinnersGrad',
    ({ dy, x, thresholds }) => keepWinners(dy, x, thresholds),
  ),
  tensorflowKernel<{ x: tf.Tensor }, HistogramRange>('KafscopeHistogram', ({ x }, range) =>
    tf.tensor1d(histogramCounts(x.dataSync<'float32'>(), range), 'int32'),
  ),
];

function keepWinners(values: tf.Tensor, x: tf.Tensor, thresholds: tf.Tensor): tf.Tensor {
  const perSample = tf.reshape(thresholds, [thresholds.size, ...x.shape.slice(1).map(() => 1)]);
  const isKept = tf.logicalOr(tf.greaterEqual(x, perSample), tf.isNaN(x));
  return tf.where(isKept, values, tf.zerosLike(values));
}
