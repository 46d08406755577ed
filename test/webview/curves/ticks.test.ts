import fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnTicks, linearTicks, logTicks } from '../../../webview/curves/ticks.ts';

test('linear ticks are round and inside', () => {
  expect(linearTicks(0, 3120, 4)).toEqual([0, 1000, 2000, 3000]);
  expect(linearTicks(-0.13, 0.52, 4)).toEqual([0, 0.2, 0.4]);
  expect(linearTicks(5, 5, 4)).toEqual([5]);
  expect(linearTicks(-4, 4, 3)).toEqual([-4, -2, 0, 2, 4]);
});

test('between any two numbers there are few ticks, also where doubles lie further apart than ticks would', () => {
  expect(linearTicks(1e30, 1e30 * (1 + 2 ** -50), 4)).toEqual([1e30]);
  expect(linearTicks(1e17, 1e17 + 16, 4)).toEqual([1e17]);
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(finite, finite, fc.integer({ min: 2, max: 7 }), (a, b, count) => {
      expect(linearTicks(Math.min(a, b), Math.max(a, b), count).length).toBeLessThanOrEqual(count + 2);
    }),
  );
  fc.assert(
    fc.property(finite, fc.integer({ min: 1, max: 1000 }), (low, ulps) => {
      expect(linearTicks(low, low + Math.abs(low) * ulps * 2 ** -52, 4).length).toBeLessThanOrEqual(6);
    }),
  );
});

test('linear ticks of what is counted are whole numbers', () => {
  expect(linearTicks(0, 11, 5)).toEqual([0, 2.5, 5, 7.5, 10]);
  expect(linearTicks(0, 11, 5, 1)).toEqual([0, 5, 10]);
  expect(linearTicks(1, 2, 5, 1)).toEqual([1, 2]);
  expect(linearTicks(0, 100, 4, 1)).toEqual([0, 25, 50, 75, 100]);
});

test('columns of steps have a tick at most each, far enough apart, at a step that they hold', () => {
  const everyFifth = [5, 10, 15].map((step) => ({ firstStep: step, lastStep: step }));
  expect(columnTicks(everyFifth, { count: 7, columnsApart: 0.2 })).toEqual([
    { column: 1, step: 10 },
    { column: 2, step: 15 },
  ]);
  const wide = Array.from({ length: 100 }, (_, index) => ({ firstStep: index * 10, lastStep: index * 10 + 9 }));
  expect(columnTicks(wide, { count: 4, columnsApart: 6 })).toEqual([
    { column: 0, step: 0 },
    { column: 25, step: 250 },
    { column: 50, step: 500 },
    { column: 75, step: 750 },
  ]);
  expect(columnTicks(wide, { count: 4, columnsApart: 30 }).map(({ column }) => column)).toEqual([0, 50]);
  expect(columnTicks([], { count: 4, columnsApart: 1 })).toEqual([]);
});

test('log ticks are decades, thinned where many, and 1, 2, 5 where few', () => {
  expect(logTicks(1e-4, 1e2, 4)).toEqual([1e-4, 1e-2, 1, 100]);
  expect(logTicks(0.4, 6, 4)).toEqual([0.5, 1, 2, 5]);
  expect(logTicks(1.2, 1.4, 4).length).toBeGreaterThan(1);
  expect(logTicks(0, 1, 4)).toEqual([]);
});

test('an axis has three ticks, or one at every unit that there is', () => {
  const place = fc.double({ min: 0, max: 1000, noNaN: true });
  fc.assert(
    fc.property(place, place, fc.integer({ min: 2, max: 7 }), fc.constantFrom(0, 1), (a, b, count, unit) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      fc.pre(high - low > 1e-6);
      const nUnits = unit === 0 ? Infinity : Math.floor(high + 1e-9) - Math.ceil(low - 1e-9) + 1;
      expect(linearTicks(low, high, count, unit).length).toBeGreaterThanOrEqual(Math.min(3, nUnits));
    }),
  );
  for (let decades = 2; decades < 12; decades++) {
    for (const count of [2, 4, 7]) expect(logTicks(1, 10 ** decades, count).length).toBeGreaterThanOrEqual(3);
  }
});
