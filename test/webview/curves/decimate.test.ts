import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketLength, decimate, indexAt, keepNewest } from '../../../webview/curves/decimate.ts';

const steps = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('decimation', () => {
  test('one spike among a million points is kept', () => {
    const y = new Float64Array(1_000_000).fill(1);
    y[654_321] = 40;
    y[123_456] = -40;
    const kept = decimate(steps(y.length), y, { range: null, buckets: 300 });
    expect(kept.x.length).toBeLessThanOrEqual(300 * 5);
    expect(kept.y[kept.x.indexOf(654_321)]).toBe(40);
    expect(kept.y[kept.x.indexOf(123_456)]).toBe(-40);
  });

  test('each kind of non-finite value breaks the line and is marked at its place', () => {
    const y = new Float64Array(10_000).fill(2);
    y[3000] = Number.NaN;
    y[5000] = Infinity;
    y[7000] = -Infinity;
    const kept = decimate(steps(y.length), y, { range: null, buckets: 50 });
    expect(kept.marks).toEqual([
      { x: 3000, value: Number.NaN },
      { x: 5000, value: Infinity },
      { x: 7000, value: -Infinity },
    ]);
    for (const x of [3000, 5000, 7000]) expect(kept.y[kept.x.indexOf(x)]).toBeNaN();
  });

  test('whatever the values, extremes, ends and every kind of trouble survive in order of x', () => {
    const value = fc.oneof(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.constantFrom(Number.NaN, Infinity, -Infinity),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 400 }), fc.integer({ min: 1, max: 40 }), (y, buckets) => {
        const x = steps(y.length);
        const kept = decimate(x, y, { range: null, buckets });
        const finite = y.filter(Number.isFinite);
        const keptFinite = [...kept.y].filter(Number.isFinite);
        if (finite.length > 0) {
          expect(Math.max(...keptFinite)).toBe(Math.max(...finite));
          expect(Math.min(...keptFinite)).toBe(Math.min(...finite));
        }
        expect(kept.x[0]).toBe(0);
        expect(kept.x.at(-1)).toBe(y.length - 1);
        expect([...kept.x]).toEqual([...new Set(kept.x)].sort((a, b) => a - b));
        const kinds = (values: number[]): string[] =>
          [...new Set(values.filter((v) => !Number.isFinite(v)).map(String))].sort();
        expect(kinds(kept.marks.map((mark) => mark.value))).toEqual(kinds(y));
      }),
    );
  });

  test('a range keeps one neighbour beyond each end', () => {
    const kept = decimate(steps(100), steps(100), { range: { from: 10.5, to: 20.5 }, buckets: 1000 });
    expect([kept.x[0], kept.x.at(-1)]).toEqual([10, 21]);
  });

  test('appending leaves the buckets before it as they are', () => {
    const wave = (count: number): number[] => steps(count).map((index) => Math.sin(index * 7));
    const before = decimate(steps(5000), wave(5000), { range: null, buckets: 64 });
    const after = decimate(steps(5090), wave(5090), { range: null, buckets: 64 });
    expect(bucketLength(5000, 64)).toBe(bucketLength(5090, 64));
    const whole = Math.floor(5000 / bucketLength(5000, 64)) * bucketLength(5000, 64);
    const upTo = (kept: typeof before): number[] => [...kept.x].filter((x) => x < whole);
    expect(upTo(after)).toEqual(upTo(before));
  });

  test('nothing gives nothing', () => {
    expect(decimate([], [], { range: null, buckets: 10 }).x).toHaveLength(0);
  });
});

describe('positions', () => {
  test('of a run that repeats steps after a resume, the newest counts', () => {
    expect(keepNewest([1, 2, 3])).toBeNull();
    expect(keepNewest([1, 2, 3, 4, 3, 4, 5])).toEqual([0, 1, 4, 5, 6]);
  });

  test('at a place, the last point at or before it', () => {
    expect([-5, 0, 3, 9].map((at) => indexAt([0, 2, 4], at))).toEqual([0, 0, 1, 2]);
    expect(indexAt([], 3)).toBe(-1);
  });
});
