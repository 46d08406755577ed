import { expect, test } from 'vitest';
import { smooth } from '../../../webview/curves/smooth.ts';

test('a constant stays what it is from the first value on', () => {
  for (const value of smooth(Array<number>(50).fill(2.5), 0.99)) expect(value).toBeCloseTo(2.5, 12); // rounding alone
});

test('weight 0 gives the curve itself', () => {
  expect([...smooth([1, 5, -2], 0)]).toEqual([1, 5, -2]);
});

test('it is the debiased average of all values so far', () => {
  const values = [1, 4, 2, 8];
  const weight = 0.6;
  const expected = values.map((_, index) => {
    const weights = values.slice(0, index + 1).map((_value, age) => weight ** (index - age));
    const total = weights.reduce((a, b) => a + b, 0);
    return weights.reduce((sum, part, age) => sum + (part * values[age]!) / total, 0);
  });
  smooth(values, weight).forEach((value, index) => {
    expect(value).toBeCloseTo(expected[index]!, 12);
  });
});

test('values that are not finite leave a gap and do not spoil what follows', () => {
  const smoothed = smooth([1, Number.NaN, Infinity, 1, 1], 0.9);
  expect(smoothed[1]).toBeNaN();
  expect(smoothed[2]).toBeNaN();
  expect(smoothed[4]).toBeCloseTo(1, 12);
});
