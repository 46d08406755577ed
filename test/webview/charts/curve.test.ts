import { expect, test } from 'vitest';
import { extentOf, prepareCurves, snapOutwards, yRange, type Curve } from '../../../webview/charts/curve.ts';

const curve = (y: number[], change: Partial<Curve> = {}): Curve => ({
  name: 'c',
  x: y.map((_, index) => index),
  y,
  color: '#000',
  ...change,
});

test('200 curves of 10,000 points stay within the budget and keep each its highest', () => {
  const wave = Array.from({ length: 10_000 }, (_, step) => Math.sin(step));
  const curves = Array.from({ length: 200 }, (_, index) => curve(wave.with(50 * index, 5)));
  const prepared = prepareCurves(curves, { range: null, widthPx: 1000 });
  const points = prepared.reduce((sum, { points: { x } }) => sum + x.length, 0);
  expect(points).toBeLessThanOrEqual(200 * 120 * 5);
  for (const { points: kept } of prepared) expect(Math.max(...kept.y)).toBe(5);
});

test('the range of y holds every finite value and band, with air, and starts at zero rather than below it', () => {
  const prepared = prepareCurves(
    [curve([0, 1, Number.NaN, Infinity], { band: { low: [0, 0, 0, 0], high: [2, 2, 2, 2] } })],
    {
      range: null,
      widthPx: 100,
    },
  );
  expect(yRange(prepared, 'linear')).toEqual({ from: 0, to: 2.12 });
});

test('a log range ignores what has no logarithm', () => {
  const { from, to } = yRange(prepareCurves([curve([0, -1, 0.1, 10])], { range: null, widthPx: 100 }), 'log');
  expect(from).toBeCloseTo(0.1 / 1.15, 12);
  expect(to).toBeCloseTo(11.5, 12);
  expect(yRange([], 'log')).toEqual({ from: 0.1, to: 10 });
});

test('the extent is that of all curves; none has none', () => {
  expect(extentOf([curve([1, 2]), curve([1, 2, 3, 4]), curve([])])).toEqual({ from: 0, to: 3 });
  expect(extentOf([])).toBeNull();
});

test('axes of a growing curve stand still for a while, and hold it', () => {
  const ends = Array.from(
    { length: 500 },
    (_, step) => snapOutwards({ from: 0, to: 3000 + step }, 'linear', { from: false }).to,
  );
  expect(new Set(ends).size).toBeLessThan(15);
  ends.forEach((to, step) => {
    expect(to).toBeGreaterThanOrEqual(3000 + step);
    expect(to).toBeLessThan((3000 + step) * 1.05);
  });
  const log = snapOutwards({ from: 0.013, to: 4.2 }, 'log', { from: true });
  expect(log.from).toBeLessThanOrEqual(0.013);
  expect(log.to).toBeGreaterThanOrEqual(4.2);
});
