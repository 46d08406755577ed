// The range of values that small multiples share.

import type { Range } from '../curves/decimate.ts';

export interface ValueRange {
  readonly low: number;
  readonly high: number;
}

/** How many times as far as nine in ten the rest may reach before they are cut off. */
const mostTimes = 3;

/**
 * Of all finite values; where a few pictures reach so far that nothing of the others would be seen, of nine in ten. Of nothing, or
 * of one value, [−1, 1].
 */
export function commonRange(pictures: readonly Float64Array[]): ValueRange {
  const ranges = pictures.flatMap((values) => finiteRange(values) ?? []);
  const lows = ranges.map(({ low }) => low).sort((a, b) => b - a);
  const highs = ranges.map(({ high }) => high).sort((a, b) => a - b);
  const at = (sorted: readonly number[], share: number) => sorted[Math.ceil(share * (sorted.length - 1))] ?? 0;
  const [most, all] = [0.9, 1].map((share) => ({ low: at(lows, share), high: at(highs, share) })) as [
    ValueRange,
    ValueRange,
  ];
  const range = all.high - all.low > mostTimes * (most.high - most.low) && most.high > most.low ? most : all;
  return range.high > range.low ? range : { low: -1, high: 1 };
}

/** The range of curves that a companion, such as their derivative, would flatten; null where it leaves them their room. */
export function rangeWithout(companion: Float64Array, curves: readonly Float64Array[]): Range | null {
  const { low, high } = commonRange(curves);
  const other = finiteRange(companion);
  const span = high - low;
  if (!other || Math.max(high, other.high) - Math.min(low, other.low) <= mostTimes * span) return null;
  return { from: low - span / 20, to: high + span / 20 };
}

function finiteRange(values: Float64Array): ValueRange | null {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? { low, high } : null;
}
