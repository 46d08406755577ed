import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { meanAndStd, pairedTest } from '../../server/protocol/pairedTest.ts';

interface Golden {
  readonly cases: readonly { readonly first: number[]; readonly second: number[]; readonly p: number }[];
}

const golden = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, '../golden/pairedTest.json'), 'utf8'),
) as Golden;

describe('a paired t test', () => {
  it.each(golden.cases)('of $first.length pairs has the p of SciPy', ({ first, second, p }) => {
    const tested = pairedTest(first, second);
    // SciPy's own is good to about as much.
    expect(Math.abs(tested.p - p)).toBeLessThan(1e-10 * Math.max(p, 1e-3));
    expect(tested.nPairs).toBe(first.length);
    expect(tested.difference).toBeCloseTo(meanAndStd(first).mean - meanAndStd(second).mean, 12);
    expect(pairedTest(second, first).p).toBe(tested.p);
  });

  it('of two and three pairs has the p of the closed form', () => {
    // t = 1, 0 and 2 with one degree of freedom: 1 − 2 arctan(t)/π.
    expect(pairedTest([0, 2], [0, 0]).p).toBeCloseTo(0.5, 13);
    expect(pairedTest([1, 2], [2, 1]).p).toBe(1);
    expect(pairedTest([1, 3], [0, 0]).p).toBeCloseTo(1 - (2 * Math.atan(2)) / Math.PI, 13);
    // t = √3 and 2 with two: 1 − t/√(2 + t²).
    expect(pairedTest([0, 1, 2], [0, 0, 0]).p).toBeCloseTo(1 - Math.sqrt(0.6), 13);
    expect(pairedTest([3, 3, 0], [0, 0, 0]).p).toBeCloseTo(1 - 2 / Math.sqrt(6), 13);
  });

  it('leaves out pairs with a value that is not finite, and says nothing of fewer than two', () => {
    expect(pairedTest([1, Number.NaN, 3], [2, 2, 5])).toEqual(pairedTest([1, 3], [2, 5]));
    expect(pairedTest([1], [3])).toEqual({ nPairs: 1, difference: -2, p: Number.NaN });
    expect(pairedTest([1, 2], []).nPairs).toBe(0);
  });

  it('of equal differences is certain, and of none at all as uncertain as can be', () => {
    expect(pairedTest([2, 3], [1, 2]).p).toBe(0);
    expect(pairedTest([2, 3], [2, 3]).p).toBe(1);
  });
});

describe('mean and deviation', () => {
  it('are of the finite values, as of a sample', () => {
    expect(meanAndStd([1, 3, Number.NaN, Infinity])).toEqual({ mean: 2, std: Math.SQRT2, n: 2 });
    expect(meanAndStd([5])).toEqual({ mean: 5, std: 0, n: 1 });
    expect(meanAndStd([0])).toEqual({ mean: 0, std: 0, n: 1 });
    expect(meanAndStd([])).toEqual({ mean: Number.NaN, std: Number.NaN, n: 0 });
  });
});
