// Fewer points for the same picture: first, lowest, highest and last of each bucket, so that no spike is lost; values that are
// not finite become gaps and marks. Chart.js's own decimation compares with NaN and may drop it, hence this one.

export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface DecimatedCurve {
  readonly x: Float64Array;
  /** NaN breaks the line. */
  readonly y: Float64Array;
  /** Where a value was not finite, at most one of each kind a bucket. */
  readonly marks: readonly NonFiniteMark[];
}

export interface NonFiniteMark {
  readonly x: number;
  /** NaN, Infinity or −Infinity. */
  readonly value: number;
}

/**
 * @param x ascending, as long as `y`.
 * @param range part of the x axis to keep, one neighbour beyond each end included, so that the line leaves the picture; null for all.
 * @param buckets at most so many; each gives five points at most. Bucket borders depend on positions alone, so that a growing
 *   curve does not flicker.
 */
export function decimate(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  options: { range: Range | null; buckets: number },
): DecimatedCurve {
  const first = options.range ? Math.max(0, firstAtLeast(x, options.range.from) - 1) : 0;
  const end = options.range ? Math.min(x.length, firstAbove(x, options.range.to) + 1) : x.length;
  const count = Math.max(0, end - first);
  const stride = bucketLength(count, Math.max(1, options.buckets));
  if (stride === 1) return keepAll(x, y, first, end);
  const kept = { x: [] as number[], y: [] as number[], marks: [] as NonFiniteMark[] };
  for (let start = first; start < end;) {
    const next = Math.min(end, (Math.floor(start / stride) + 1) * stride);
    keepBucket(kept, x, y, start, next);
    start = next;
  }
  return { x: Float64Array.from(kept.x), y: Float64Array.from(kept.y), marks: kept.marks };
}

/** Positions of the points to keep where a resumed run repeats steps: the newest of each; null if all ascend already. */
export function keepNewest(step: readonly number[]): number[] | null {
  let isAscending = true;
  for (let index = 1; index < step.length && isAscending; index++) isAscending = step[index]! > step[index - 1]!;
  if (isAscending) return null;
  const kept: number[] = [];
  let lowest = Infinity;
  for (let index = step.length - 1; index >= 0; index--) {
    if (step[index]! < lowest) {
      lowest = step[index]!;
      kept.push(index);
    }
  }
  return kept.reverse();
}

/** Position of the last x at or before `at`; 0 where all are after; −1 for no points. */
export function indexAt(x: ArrayLike<number>, at: number): number {
  if (x.length === 0) return -1;
  return Math.max(0, firstAbove(x, at) - 1);
}

/** A power of two, so that buckets merge in pairs as a curve grows. */
export function bucketLength(count: number, buckets: number): number {
  return count <= buckets * 2 ? 1 : 2 ** Math.ceil(Math.log2(count / buckets));
}

/** Few enough points to keep as they are. */
function keepAll(x: ArrayLike<number>, y: ArrayLike<number>, start: number, end: number): DecimatedCurve {
  const length = Math.max(0, end - start);
  const kept = { x: new Float64Array(length), y: new Float64Array(length), marks: [] as NonFiniteMark[] };
  for (let index = 0; index < length; index++) {
    const value = y[start + index]!;
    const isFinite = Number.isFinite(value);
    kept.x[index] = x[start + index]!;
    kept.y[index] = isFinite ? value : Number.NaN;
    if (!isFinite) kept.marks.push({ x: x[start + index]!, value });
  }
  return kept;
}

function keepBucket(
  kept: { x: number[]; y: number[]; marks: NonFiniteMark[] },
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  start: number,
  end: number,
): void {
  let lowest = -1;
  let highest = -1;
  let gap = -1;
  let kinds = 0;
  for (let index = start; index < end; index++) {
    const value = y[index]!;
    if (!Number.isFinite(value)) {
      gap = index;
      const kind = Number.isNaN(value) ? 1 : value > 0 ? 2 : 4;
      if ((kinds & kind) === 0) kept.marks.push({ x: x[index]!, value });
      kinds |= kind;
      continue;
    }
    if (lowest < 0 || value < y[lowest]!) lowest = index;
    if (highest < 0 || value > y[highest]!) highest = index;
  }
  let previous = -1;
  const places =
    gap < 0
      ? [start, Math.min(lowest, highest), Math.max(lowest, highest), end - 1]
      : [start, lowest, highest, gap, end - 1].sort((a, b) => a - b);
  for (const index of places) {
    if (index <= previous) continue;
    previous = index;
    const value = y[index]!;
    kept.x.push(x[index]!);
    kept.y.push(Number.isFinite(value) ? value : Number.NaN);
  }
}

function firstAtLeast(x: ArrayLike<number>, at: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (x[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function firstAbove(x: ArrayLike<number>, at: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (x[middle]! <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
