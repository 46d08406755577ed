import { describe, expect, it } from 'vitest';
import { wilsonInterval } from '../../server/protocol/proportion.ts';

describe('wilsonInterval', () => {
  // By hand from Wilson's formula at z = 1.959964.
  it.each([
    [50, 100, 0.403832, 0.596168],
    [1, 10, 0.017876, 0.40415],
    [0, 10, 0, 0.277533],
    [10, 10, 0.722467, 1],
  ])('of %i in %i is [%f, %f]', (count, total, low, high) => {
    const interval = wilsonInterval(count, total);
    expect(interval.value).toBe(count / total);
    expect(interval.low).toBeCloseTo(low, 5);
    expect(interval.high).toBeCloseTo(high, 5);
  });

  it.each([
    [389, 1000],
    [1, 7],
    [0, 10],
    [10, 10],
  ])('ends for %i in %i at the proportions that a score test just does not reject', (count, total) => {
    const z = 1.959963984540054; // 97.5 % quantile of the standard normal distribution
    const { value, low, high } = wilsonInterval(count, total);
    for (const end of [low, high]) {
      // The defining equation (p̂ − p)² = z² p(1 − p)/n, at rounding of numbers of order one.
      expect((value - end) ** 2).toBeCloseTo((z * z * end * (1 - end)) / total, 12);
    }
    expect(low).toBeLessThanOrEqual(value);
    expect(high).toBeGreaterThanOrEqual(value);
    expect(high - low).toBeGreaterThan(0);
  });

  it('says nothing of nothing', () => {
    expect(wilsonInterval(0, 0)).toEqual({ value: Number.NaN, low: 0, high: 1 });
    expect(wilsonInterval(1, 1).value).toBe(1);
  });
});
