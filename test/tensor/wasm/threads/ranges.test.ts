import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addParts, fixedParts, rangesOf } from '../../../../server/tensor/wasm/threads/ranges.ts';

describe('ranges', () => {
  it('cover the total once, in order, by multiples of the grain, and are no more than allowed', () => {
    const shape = fc.record({
      total: fc.integer({ min: 0, max: 5000 }),
      grain: fc.integer({ min: 1, max: 300 }),
      nMost: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(shape, ({ total, grain, nMost }) => {
        const ranges = rangesOf(total, grain, nMost);
        expect(ranges.length).toBe(Math.min(Math.ceil(total / grain), nMost));
        let end = 0;
        for (const [first, last] of ranges) {
          expect(first).toBe(end);
          expect(first % grain).toBe(0);
          expect(last).toBeGreaterThan(first);
          end = last;
        }
        expect(end).toBe(total);
      }),
    );
  });

  it('that are fixed are at most sixteen', () => {
    expect(fixedParts(1_000_000, 8)).toHaveLength(16);
    expect(fixedParts(20, 8)).toEqual([
      [0, 8],
      [8, 16],
      [16, 20],
    ]);
  });

  it('give parts that add up in order', () => {
    expect([...addParts(Float64Array.of(1, 2, 10, 20, 100, 200), 2)]).toEqual([111, 222]);
    // In another order the small values would be lost.
    expect([...addParts(Float64Array.of(1e16, -1e16, 1), 1)]).toEqual([1]);
    expect([...addParts(new Float64Array(0), 3)]).toEqual([0, 0, 0]);
  });
});
