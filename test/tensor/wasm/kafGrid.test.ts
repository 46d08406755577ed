import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kafGrid, type KafGrid } from '../../../server/tensor/wasm/kernels/kafGrid.ts';

/** What the pieces give at t from the kernel's centre; 0 beyond them. */
function pieceAt({ h, nPieces }: KafGrid, coefficients: Float32Array, t: number): number {
  const piece = Math.round(t / h);
  const at = 4 * (piece + (nPieces - 1) / 2);
  if (at < 0 || at >= coefficients.length) return 0;
  const s = t / h - piece;
  const [c0, c1, c2, c3] = coefficients.subarray(at, at + 4) as unknown as [number, number, number, number];
  return c0 + s * (c1 + s * (c2 + s * c3));
}

const settings = fc.record({
  dictionary: fc.integer({ min: 2, max: 100 }),
  boundary: fc.double({ min: 0.5, max: 8, noNaN: true }),
  q: fc.double({ min: 0.01, max: 5, noNaN: true }),
});

describe('the grid of a KAF', () => {
  it('has pieces that are off the kernel by float32’s rounding, and its slope too', () => {
    fc.assert(
      fc.property(settings, fc.double({ min: -8, max: 8, noNaN: true }), ({ dictionary, boundary, q }, sigmas) => {
        const gamma = q / ((2 * boundary) / (dictionary - 1)) ** 2;
        const grid = kafGrid(dictionary, boundary, gamma)!;
        const sigma = 1 / Math.sqrt(2 * gamma);
        const t = sigmas * sigma;
        const value = Math.exp(-gamma * t * t);
        // Cubics by 1.9e-7 at most, float32 coefficients, and what is cut off at 2.1e-9.
        expect(Math.abs(pieceAt(grid, grid.values, t) - value)).toBeLessThan(3.5e-7);
        const slope = -2 * gamma * t * value * sigma;
        expect(Math.abs(pieceAt(grid, grid.slopes, t) * sigma - slope)).toBeLessThan(6e-7);
      }),
      { numRuns: 500 },
    );
  });

  it('covers the dictionary and what its kernels reach, with every element at the centre of an entry', () => {
    fc.assert(
      fc.property(settings, ({ dictionary, boundary, q }) => {
        const step = (2 * boundary) / (dictionary - 1);
        const { h, perStep, nEntries, nPieces, lowest, shift, limit } = kafGrid(dictionary, boundary, q / step ** 2)!;
        const centreOf = (entry: number) => (lowest + entry + shift) * h;
        const middle = (nPieces - 1) / 2;
        for (const i of [0, dictionary - 1]) {
          expect(centreOf(1 + i * perStep + middle)).toBeCloseTo(-boundary + i * step, 9);
        }
        // The pieces of the last element end one entry before the last.
        expect(1 + (dictionary - 1) * perStep + nPieces).toBe(nEntries - 1);
        expect(centreOf(0)).toBeCloseTo(-limit, 9);
        expect(centreOf(nEntries - 1)).toBeCloseTo(limit, 9);
        expect(Number.isInteger(lowest)).toBe(true);
      }),
    );
  });

  it('is not made where there would be too many pieces', () => {
    expect(kafGrid(20, 3, 1e6)).toBeNull();
    expect(kafGrid(20, 3, 1e-9)).toBeNull();
    expect(kafGrid(20, 3, NaN)).toBeNull();
    expect(kafGrid(20, 3, 19 ** 2 / 216)?.nEntries).toBe(208);
  });
});
