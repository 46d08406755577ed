import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { areaUnderCurve } from '../../server/trainer/auc.ts';

/** Every pair compared. */
function byPairs(scores: readonly number[], labels: readonly number[]): number {
  const of = (label: number) => scores.filter((_, index) => labels[index] === label);
  const pairs = of(1).flatMap((high) => of(0).map((low): number => (high > low ? 1 : high === low ? 0.5 : 0)));
  return pairs.reduce((sum, value) => sum + value, 0) / pairs.length;
}

const area = (scores: readonly number[], labels: readonly number[]) =>
  areaUnderCurve(Float64Array.from(scores), Int32Array.from(labels));

describe('areaUnderCurve', () => {
  it('is the share of pairs in the right order, ties one half', () => {
    const sample = fc.tuple(fc.integer({ min: -4, max: 4 }), fc.integer({ min: 0, max: 1 }));
    fc.assert(
      fc.property(fc.array(sample, { minLength: 2, maxLength: 40 }), (samples) => {
        const [scores, labels] = [samples.map(([score]) => score), samples.map(([, label]) => label)];
        fc.pre(new Set(labels).size === 2);
        expect(area(scores, labels)).toBeCloseTo(byPairs(scores, labels), 12);
      }),
    );
  });

  it('is that of scikit-learn’s example, 1 and 0 at the ends, and NaN with one class', () => {
    expect(area([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBe(0.75);
    expect([area([1, 2], [0, 1]), area([2, 1], [0, 1])]).toEqual([1, 0]);
    expect([area([1, 2], [1, 1]), area([], [])]).toEqual([NaN, NaN]);
  });

  it('takes NaN for the lowest score, and infinities as they are', () => {
    expect(area([NaN, 0], [0, 1])).toBe(1);
    expect(area([Infinity, 0, -Infinity], [1, 0, 1])).toBe(0.5);
    expect(area([Infinity, -Infinity, Infinity, -Infinity, NaN], [1, 0, 0, 1, 1])).toBe((0.5 + 1 + 0.5 + 0 + 0.5) / 6);
  });
});
