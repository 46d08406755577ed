import { expect, test } from 'vitest';
import { linearTicks, logTicks } from '../../../webview/curves/ticks.ts';

test('linear ticks are round and inside', () => {
  expect(linearTicks(0, 3120, 4)).toEqual([0, 1000, 2000, 3000]);
  expect(linearTicks(-0.13, 0.52, 4)).toEqual([0, 0.2, 0.4]);
  expect(linearTicks(5, 5, 4)).toEqual([5]);
});

test('log ticks are decades, thinned where many, and 1, 2, 5 where few', () => {
  expect(logTicks(1e-4, 1e2, 4)).toEqual([1e-4, 1e-2, 1, 100]);
  expect(logTicks(0.4, 6, 4)).toEqual([0.5, 1, 2, 5]);
  expect(logTicks(1.2, 1.4, 4).length).toBeGreaterThan(1);
  expect(logTicks(0, 1, 4)).toEqual([]);
});
