import { expect, test } from 'vitest';
import { commonRange, rangeWithout } from '../../../webview/charts/commonRange.ts';

const curve = (low: number, high: number) => Float64Array.of(low, 0, high);

test('small multiples share the range of all finite values', () => {
  expect(commonRange([curve(-1, 2), curve(-3, 1), Float64Array.of(NaN, Infinity, 4)])).toEqual({ low: -3, high: 4 });
  expect(commonRange([])).toEqual({ low: -1, high: 1 });
  expect(commonRange([Float64Array.of(2, 2)])).toEqual({ low: -1, high: 1 });
});

test('they are not flattened by a few that reach far beyond the others', () => {
  const usual = Array.from({ length: 30 }, (_, i) => curve(-1 - i / 100, 2 + i / 100));
  expect(commonRange([...usual, curve(-2, 1000)])).toEqual({ low: -1.27, high: 2.27 });
  expect(commonRange([...usual, curve(-2000, 1)]).low).toBeCloseTo(-1.27, 12);
  // Not so far that nothing of the others would be seen.
  expect(commonRange([...usual, curve(-2, 5)])).toEqual({ low: -2, high: 5 });
});

test('of ten pictures or fewer none is cut off', () => {
  const usual = Array.from({ length: 9 }, () => curve(-1, 2));
  expect(commonRange([...usual, curve(-2, 1000)])).toEqual({ low: -2, high: 1000 });
});

test('a derivative that would flatten its function is cut off', () => {
  expect(rangeWithout(curve(-2, 3), [curve(-1, 1)])).toBeNull();
  expect(rangeWithout(curve(-100, 3), [curve(-1, 1)])).toEqual({ from: -1.1, to: 1.1 });
  expect(rangeWithout(Float64Array.of(NaN), [curve(-1, 1)])).toBeNull();
});
