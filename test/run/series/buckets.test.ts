// Stretches of rows by values counted by hand.
import { describe, expect, it } from 'vitest';
import { Bucket, type BucketParts } from '../../../server/run/series/buckets.ts';

const none = Number.NaN;

function bucketOf(...rows: readonly (readonly number[])[]): Bucket {
  const bucket = new Bucket(rows[0]!.length);
  for (const row of rows) bucket.take(row);
  return bucket;
}

function partsOf({ first, low, high, last, marks, mean, nRows }: BucketParts) {
  const [firsts, lows, highs, lasts] = [first, low, high, last].map((values) => [...values]);
  return { first: firsts, low: lows, high: highs, last: lasts, marks: [...marks], mean: [...mean], nRows };
}

describe('a bucket of rows', () => {
  it('has the first, lowest, highest and last of each series, and its mean', () => {
    expect(partsOf(bucketOf([3, -1], [-2, 0.5], [5, -4], [4, 2.5]))).toEqual({
      ...{ first: [3, -1], low: [-2, -4], high: [5, 2.5], last: [4, 2.5], marks: [0, 0], mean: [2.5, -0.5], nRows: 4 },
    });
    expect(partsOf(bucketOf([7]))).toEqual({
      first: [7],
      low: [7],
      high: [7],
      last: [7],
      marks: [0],
      mean: [7],
      nRows: 1,
    });
  });

  it('leaves what is not finite out of lowest, highest and mean, and marks each kind', () => {
    const rows = [
      [none, 1, Infinity, -Infinity, none],
      [4, Infinity, none, -Infinity, Infinity],
      [8, -Infinity, none, -1, -Infinity],
    ];
    expect(partsOf(bucketOf(...rows))).toEqual({
      first: [none, 1, Infinity, -Infinity, none],
      low: [4, 1, none, -1, none],
      high: [8, 1, none, -1, none],
      last: [8, -Infinity, none, -1, -Infinity],
      marks: [1, 6, 3, 4, 7],
      mean: [6, 1, 0, -1, 0],
      nRows: 3,
    });
  });

  it('begins anew when it is cleared, whatever it held', () => {
    const bucket = bucketOf([none, -5, 9], [Infinity, 50, 7]);
    bucket.clear();
    expect(bucket.nRows).toBe(0);
    for (const value of [1, 3]) bucket.take([value, value, value]);
    const expected = { first: 1, low: 1, high: 3, last: 3, marks: 0, mean: 2 };
    expect(partsOf(bucket)).toEqual({
      ...Object.fromEntries(Object.entries(expected).map(([part, value]) => [part, [value, value, value]])),
      nRows: 2,
    });
  });
});

describe('buckets joined', () => {
  it('are what all their rows are, each mean by its rows', () => {
    const joined = new Bucket(2);
    joined.join(bucketOf([2, -1], [6, -3]));
    joined.join(bucketOf([9, 5]));
    joined.join(bucketOf([-4, 0], [0, 1], [5, -7]));
    expect(partsOf(joined)).toEqual({
      ...{ first: [2, -1], low: [-4, -7], high: [9, 5], last: [5, -7], marks: [0, 0], mean: [3, -5 / 6], nRows: 6 },
    });
  });

  it('hold the marks of all of them, and no value of what has none', () => {
    const joined = new Bucket(3);
    joined.join(bucketOf([none, 1, Infinity], [none, 3, Infinity]));
    joined.join(bucketOf([6, none, -Infinity]));
    joined.join(bucketOf([2, -Infinity, none]));
    expect(partsOf(joined)).toEqual({
      ...{ first: [none, 1, Infinity], low: [2, 1, none], high: [6, 3, none] },
      ...{ last: [2, -Infinity, none], marks: [1, 5, 7], mean: [4, 2, 0], nRows: 4 },
    });
  });

  it('take nothing from an empty one, before or after', () => {
    const joined = new Bucket(1);
    joined.join(new Bucket(1));
    expect(joined.nRows).toBe(0);
    joined.join(bucketOf([4], [2]));
    joined.join(new Bucket(1));
    expect(partsOf(joined)).toEqual({ first: [4], low: [2], high: [4], last: [2], marks: [0], mean: [3], nRows: 2 });
  });

  it('begin anew when cleared, and take rows as well', () => {
    const joined = bucketOf([none], [-100], [100]);
    joined.clear();
    joined.join(bucketOf([5], [7]));
    joined.take([12]);
    expect(partsOf(joined)).toEqual({ first: [5], low: [5], high: [12], last: [12], marks: [0], mean: [8], nRows: 3 });
  });
});
