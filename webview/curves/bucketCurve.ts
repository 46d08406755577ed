// Buckets of a series as the points of a curve: the first, the lowest, the highest and the last of each, and what is not finite at its place.
import type { SeriesTable, TagSeries } from '../../server/protocol/series.ts';

export interface BucketCurve {
  /** Steps, ascending. */
  readonly step: readonly number[];
  readonly value: readonly number[];
  /** The moving average, at the last row of each bucket, or the mean, in its middle; absent where neither was asked for. */
  readonly smooth?: { readonly step: readonly number[]; readonly value: readonly number[] };
}

/** Null where no table has the tag. @param along what stands for a point's place: its step, or milliseconds since the epoch */
export function bucketCurve(
  tables: readonly SeriesTable[],
  tag: string,
  along: 'step' | 'time' = 'step',
): BucketCurve | null {
  for (const table of tables) {
    const series = table.series.find((each) => each.tag === tag);
    if (!series) continue;
    const { firstStep, lastStep, firstMs, lastMs } = table;
    return pointsOf(along === 'step' ? { first: firstStep, last: lastStep } : { first: firstMs, last: lastMs }, series);
  }
  return null;
}

/** Rows that came since belong behind it. */
export function extended(curve: BucketCurve, step: readonly number[], value: readonly number[]): BucketCurve {
  const last = curve.step.at(-1) ?? -Infinity;
  const from = step.findIndex((each) => each > last);
  if (from < 0) return curve;
  return { ...curve, step: [...curve.step, ...step.slice(from)], value: [...curve.value, ...value.slice(from)] };
}

const nonFinite = [
  [1, Number.NaN],
  [2, Infinity],
  [4, -Infinity],
] as const;

function pointsOf(
  places: { readonly first: Float64Array; readonly last: Float64Array },
  { first, low, high, last, marks, mean, smooth }: TagSeries,
): BucketCurve {
  const step: number[] = [];
  const value: number[] = [];
  const put = (at: number, what: number): void => {
    step.push(at);
    value.push(what);
  };
  for (let index = 0; index < first.length; index++) {
    const from = places.first[index]!;
    const to = places.last[index]!;
    if (!low || !high || !last) {
      put(from, first[index]!);
      continue;
    }
    const middle = (from + to) / 2;
    put(from, first[index]!);
    if (!Number.isNaN(low[index]!)) {
      put(middle, low[index]!);
      put(middle, high[index]!);
    }
    if (marks[index] !== 0) for (const [bit, what] of nonFinite) if ((marks[index]! & bit) !== 0) put(middle, what);
    put(to, last[index]!);
  }
  if (smooth) return { step, value, smooth: { step: [...places.last], value: [...smooth] } };
  if (!mean) return { step, value };
  const middles = Array.from(places.first, (from, index) => (from + places.last[index]!) / 2);
  return { step, value, smooth: { step: middles, value: [...mean] } };
}
