// Student's paired test against SciPy 1.17.1: scipy.stats.ttest_rel(a, b), and 2·scipy.stats.t.sf(t, df).
import { describe, expect, it } from 'vitest';
import { meanAndStd, pairedT, twoSidedP } from '../../server/protocol/pairedT.ts';

describe('a paired t-test', () => {
  it('has the p that SciPy has', () => {
    expect(pairedT([0.5, 0.52, 0.55], [0.4, 0.45, 0.43])!.p).toBeCloseTo(0.021854276835417068, 12);
    const other = pairedT([1, 2, 3, 4, 5], [1.1, 1.9, 3.2, 4.3, 4.9])!;
    expect(other.p).toBeCloseTo(0.3739009663000584, 12);
    expect([other.meanDifference, other.pairs]).toEqual([expect.closeTo(-0.08, 12), 5]);
    for (const [t, df, p] of [
      [0, 3, 1],
      [1, 1, 0.5],
      [2.5, 2, 0.12961172022151082],
      [-2.5, 2, 0.12961172022151082],
      [4.303, 2, 0.0499925249852145],
      [12, 4, 0.000276428548502973],
      [0.3, 9, 0.7709907037415248],
    ] as const)
      expect(twoSidedP(t, df)).toBeCloseTo(p, 12);
  });

  it('says nothing of one pair, and for certain where all differ by the same', () => {
    expect(pairedT([1], [2])).toBe(null);
    expect(pairedT([1, 2], [1, 2])!.p).toBe(1);
    expect(pairedT([2, 3], [1, 2])!.p).toBe(0);
  });
});

it('a deviation is that of n − 1, and none of one value', () => {
  expect(meanAndStd([1, 2, 3, 4])).toEqual({ mean: 2.5, std: Math.sqrt(5 / 3), n: 4 });
  expect(meanAndStd([3])).toEqual({ mean: 3, std: null, n: 1 });
});
