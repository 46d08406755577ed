import { describe, expect, test } from 'vitest';
import type { SeriesTable } from '../../../server/protocol/series.ts';
import { bucketCurve, extended } from '../../../webview/curves/bucketCurve.ts';

function table(change: Partial<SeriesTable['series'][number]> = {}): SeriesTable {
  return {
    ...{ rowsPerBucket: 4, firstRow: 0, firstStep: Float64Array.of(1, 5), lastStep: Float64Array.of(4, 7) },
    ...{ firstMs: Float64Array.of(0, 0), lastMs: Float64Array.of(0, 0) },
    series: [
      {
        ...{ tag: 'loss', first: Float64Array.of(2, 6), low: Float64Array.of(1, 5), high: Float64Array.of(9, 6) },
        ...{ last: Float64Array.of(3, 5), marks: Uint8Array.of(0, 0), ...change },
      },
    ],
  };
}

describe('a curve of buckets', () => {
  test('goes through the first, the lowest, the highest and the last value of each', () => {
    expect(bucketCurve([table()], 'loss')).toEqual({
      step: [1, 2.5, 2.5, 4, 5, 6, 6, 7],
      value: [2, 1, 9, 3, 6, 5, 6, 5],
    });
    expect(bucketCurve([table()], 'accuracy')).toBeNull();
    expect(bucketCurve([], 'loss')).toBeNull();
  });

  test('has what is not finite at its place, of each kind once', () => {
    const { step, value } = bucketCurve([table({ marks: Uint8Array.of(7, 0) })], 'loss')!;
    expect(step.slice(0, 7)).toEqual([1, 2.5, 2.5, 2.5, 2.5, 2.5, 4]);
    expect(value.slice(0, 7)).toEqual([2, 1, 9, Number.NaN, Infinity, -Infinity, 3]);
    const broken = table({
      low: Float64Array.of(Number.NaN, 5),
      high: Float64Array.of(Number.NaN, 6),
      marks: Uint8Array.of(1, 0),
    });
    expect(bucketCurve([broken], 'loss')!.value.slice(0, 3)).toEqual([2, Number.NaN, 3]);
  });

  test('of rows has each of them', () => {
    const { low: _, high: __, last: ___, ...rows } = table().series[0]!;
    expect(bucketCurve([{ ...table(), rowsPerBucket: 1, series: [rows] }], 'loss')).toEqual({
      step: [1, 5],
      value: [2, 6],
    });
  });

  test('has its average at the last step of each bucket, and goes on with rows that came since', () => {
    const curve = bucketCurve([table({ smooth: Float64Array.of(2.5, 4.5) })], 'loss')!;
    expect(curve.smooth).toEqual({ step: [4, 7], value: [2.5, 4.5] });
    expect(extended(curve, [5, 7, 8, 9], [0, 0, 4, 3])).toMatchObject({
      step: [1, 2.5, 2.5, 4, 5, 6, 6, 7, 8, 9],
      value: [2, 1, 9, 3, 6, 5, 6, 5, 4, 3],
    });
    expect(extended(curve, [5, 7], [0, 0])).toBe(curve);
  });

  test('has its mean in the middle of each bucket, where that was asked for', () => {
    const curve = bucketCurve([table({ mean: Float64Array.of(2.5, 4.5) })], 'loss')!;
    expect(curve.smooth).toEqual({ step: [2.5, 6], value: [2.5, 4.5] });
  });
});
