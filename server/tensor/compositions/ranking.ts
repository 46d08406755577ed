// KafscopeKWinners and its gradient, and KafscopeHistogram, which counts the values as the runtime `cpu` does.
import * as tf from '@tensorflow/tfjs-core';
import { histogramCounts, type HistogramRange } from '../ops/histogram.ts';
import type { WinnersAttributes } from '../ops/kWinners.ts';
import { readFloats } from '../read.ts';
import { composedKernel, type ComposedKernel } from './composition.ts';

export const rankingKernels: readonly ComposedKernel[] = [
  composedKernel<{ x: tf.Tensor }, WinnersAttributes>('KafscopeKWinners', ({ x }, attributes) => {
    const { count, nLanes, isExact } = attributes;
    const nGroups = x.shape[0]! * nLanes;
    if (x.size === 0) return [tf.zerosLike(x), tf.zeros([nGroups]), tf.zeros([nGroups], 'int32')];
    const rows = asGroups(x, nLanes);
    // A library may give NaN no place in an order: here it is the largest.
    const isNaN = tf.isNaN(rows);
    const ranked = tf.where(isNaN, tf.fill(rows.shape, Infinity), rows);
    const least = tf.min(tf.topk(ranked, count).values, 1);
    const nNaN = tf.sum(tf.cast(isNaN, 'float32'), 1);
    const thresholds = tf.where(tf.greaterEqual(nNaN, count), tf.fill([nGroups], NaN), least);
    const isAbove = tf.logicalOr(isNaN, tf.greater(rows, tf.reshape(thresholds, [nGroups, 1])));
    const quotas = isExact
      ? tf.sub(tf.scalar(count, 'int32'), tf.sum(tf.cast(isAbove, 'int32'), 1))
      : tf.fill([nGroups], -1, 'int32');
    return [keepWinners(x, x, thresholds, quotas, attributes), thresholds, quotas];
  }),
  composedKernel<{ dy: tf.Tensor; x: tf.Tensor; thresholds: tf.Tensor; quotas: tf.Tensor }, WinnersAttributes>(
    'KafscopeKWinnersGrad',
    ({ dy, x, thresholds, quotas }, attributes) =>
      x.size === 0 ? tf.zerosLike(x) : keepWinners(dy, x, thresholds, quotas, attributes),
  ),
  composedKernel<{ x: tf.Tensor }, HistogramRange>('KafscopeHistogram', ({ x }, range) =>
    tf.tensor1d(histogramCounts(readFloats(x), range), 'int32'),
  ),
];

/** `[groups, size]`: a sample a row, or a channel of it. */
function asGroups(x: tf.Tensor, nLanes: number): tf.Tensor2D {
  const nSamples = x.shape[0]!;
  const size = x.size / nSamples / nLanes;
  if (nLanes === 1) return tf.reshape(x, [nSamples, size]);
  return tf.reshape(tf.transpose(tf.reshape(x, [nSamples, size, nLanes]), [0, 2, 1]), [nSamples * nLanes, size]);
}

/** `values` of the winners; the ties are counted along their group. */
function keepWinners(
  values: tf.Tensor,
  x: tf.Tensor,
  thresholds: tf.Tensor,
  quotas: tf.Tensor,
  { nLanes, isExact }: WinnersAttributes,
): tf.Tensor {
  const rows = asGroups(x, nLanes);
  const nGroups = rows.shape[0];
  const least = tf.reshape(thresholds, [nGroups, 1]);
  const isTie = tf.equal(rows, least);
  const isAmongFirst = isExact
    ? tf.lessEqual(tf.cumsum(tf.cast(isTie, 'int32'), 1), tf.reshape(quotas, [nGroups, 1]))
    : tf.onesLike(isTie);
  const isAbove = tf.logicalOr(tf.greater(rows, least), tf.isNaN(rows));
  const isKept = tf.logicalOr(isAbove, tf.logicalAnd(isTie, isAmongFirst));
  const nSamples = x.shape[0]!;
  const inPlace =
    nLanes === 1 ? isKept : tf.transpose(tf.reshape(isKept, [nSamples, nLanes, rows.shape[1]]), [0, 2, 1]);
  return tf.where(tf.reshape(inPlace, x.shape), values, tf.zerosLike(values));
}
