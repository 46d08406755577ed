// How values are spread, counted on the device: tensors over their own range, channels over a given one, and how far two spreads are apart.
import * as tf from '@tensorflow/tfjs-core';
import { histogram } from '../tensor/ops/histogram.ts';
import { beginFloats, beginIntegers, beginTidy, type Reading } from '../tensor/read.ts';

export interface Spread {
  /** The lowest and the highest value of all the tensors together; NaN where one is NaN. */
  readonly low: number;
  readonly high: number;
  /** Of each tensor, int32 `[nBins]`, bins of equal width over that range. What is not finite is in none. */
  readonly counts: readonly Int32Array[];
}

/** What a range of one value is divided by instead of 0: all are in the first bin. */
const tiniest = 1.2e-38;

/**
 * Counts of each tensor's values over the range that all of them have, which nobody has to know before: a bin is
 * ⌊((x − low)/(high − low))·nBins⌋, each operation rounded to float32, and the highest value is in the last.
 */
export function beginSpread(tensors: readonly tf.Tensor[], nBins: number): Reading<Spread> {
  return beginTidy(() => {
    // The lowest by way of the highest, which every runtime has a fast kernel for.
    const highest = (sign: 1 | -1) =>
      tensors.map((tensor) => tf.mul(tf.max(sign === 1 ? tensor : tf.mul(tensor, -1)), sign));
    const low = highest(-1).reduce((a, b) => tf.minimum(a, b));
    const high = highest(1).reduce((a, b) => tf.maximum(a, b));
    const width = tf.maximum(tf.sub(high, low), tiniest);
    const counts = tensors.map((tensor) => {
      const places = tf.div(tf.sub(tf.reshape(tensor, [-1]), low), width);
      return beginIntegers(histogram(places, { low: 0, high: 1, nBins }));
    });
    const ends = beginFloats(tf.stack([low, high]));
    return () => {
      const [lowest, highest] = ends();
      return { low: lowest!, high: highest!, counts: counts.map((read) => read().slice(0, nBins)) };
    };
  });
}

/**
 * Counts of each channel's values, the last axis, over [low, high]: int32 `[channels, nBins + 2]`, row by row: below, the bins, above.
 */
export function beginChannelCounts(
  x: tf.Tensor,
  { low, high, nBins }: { readonly low: number; readonly high: number; readonly nBins: number },
): Reading<Int32Array> {
  const channels = x.shape.at(-1)!;
  const size = nBins + 2;
  const read = beginTidy(() => {
    const rows = tf.reshape(x, [-1, channels]);
    // Bin 0 is what is below, so a channel's values lie in [0, size).
    const places = tf.clipByValue(tf.add(tf.mul(tf.sub(rows, low), nBins / (high - low)), 1), 0.5, nBins + 1.5);
    const first = tf.mul(tf.range(0, channels, 1, 'float32'), size);
    return beginIntegers(histogram(tf.add(places, first), { low: 0, high: channels * size, nBins: channels * size }));
  });
  return () => read().slice(0, channels * size);
}

/**
 * The largest distance of two cumulative distributions at the borders of bins that they share: the two-sample statistic of Kolmogorov and
 * Smirnov of values that are told apart by their bins alone, and at most that of the values themselves.
 */
export function ksDistance(a: Int32Array, b: Int32Array): number {
  const total = (counts: Int32Array) => counts.reduce((sum, count) => sum + count, 0);
  const [nA, nB] = [total(a), total(b)];
  let [sumA, sumB, most] = [0, 0, 0];
  for (let bin = 0; bin < a.length; bin++) {
    sumA += a[bin]!;
    sumB += b[bin]!;
    most = Math.max(most, Math.abs(sumA / nA - sumB / nB));
  }
  return nA === 0 || nB === 0 ? Number.NaN : most;
}

/** Counts in 255ths of `largest`, a byte each; at least 1 where there are any. */
export function inBytes(counts: Int32Array, largest: number): Uint8Array {
  return Uint8Array.from(counts, (count) => (count === 0 ? 0 : Math.max(1, Math.round((255 * count) / largest))));
}

/** Of bins that are a multiple of `nBins`, so many, each the sum of neighbours. */
export function joinBins(counts: Int32Array, nBins: number): Int32Array {
  const joined = new Int32Array(nBins);
  const each = counts.length / nBins;
  counts.forEach((count, bin) => (joined[Math.floor(bin / each)]! += count));
  return joined;
}
