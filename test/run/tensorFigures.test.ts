// Statistics of tensors that come part by part.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FirstRound } from '../../server/run/tensorFigures.ts';
import type { TensorFigures } from '../../server/run/tensorFigures.ts';
import { readGolden } from '../golden/readGolden.ts';
import { dtypeBytes } from '../../server/run/safetensors.ts';
import type { Dtype } from '../../server/run/safetensors.ts';
import { readValues } from '../../server/run/tensorValues.ts';

function figuresOf(...parts: readonly (readonly number[])[]): TensorFigures {
  const first = new FirstRound();
  for (const part of parts) first.add(part);
  const second = first.end();
  for (const part of parts) second.add(part);
  return second.end();
}

const counted = (histogram: readonly number[]) => histogram.reduce((sum, count) => sum + count, 0);

describe('the figures of a tensor', () => {
  it('are the same to the last bit, however it is cut into parts', () => {
    const values = fc.array(fc.oneof(fc.float(), fc.double(), fc.constantFrom(0, -0, 1)), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(values, { maxLength: 5 }), (parts) => {
        expect(figuresOf(...parts)).toEqual(figuresOf(parts.flat()));
      }),
      { seed: 5, numRuns: 2000 },
    );
  });

  it('are those of textbooks', () => {
    const { l2, min, max, mean, std, nonFinite } = figuresOf([3, -4], [Number.NaN, 0], [5, Infinity]);
    expect({ l2, min, max, mean, nonFinite }).toEqual({ l2: Math.sqrt(50), min: -4, max: 5, mean: 1, nonFinite: 2 });
    expect(std).toBeCloseTo(Math.sqrt((4 + 25 + 1 + 16) / 4), 12);
  });

  it('of one value are itself, and of none no numbers', () => {
    const ofOne = figuresOf([Number.NaN, -7]);
    expect(ofOne).toMatchObject({ l2: 7, min: -7, max: -7, mean: -7, std: 0, nonFinite: 1 });
    const none = { l2: Number.NaN, min: Number.NaN, max: Number.NaN, mean: Number.NaN, std: Number.NaN };
    expect(figuresOf([])).toEqual({ ...none, nonFinite: 0, histogram: new Array<number>(40).fill(0) });
    expect(figuresOf([Infinity])).toMatchObject({ ...none, nonFinite: 1 });
  });

  it('have forty bins of equal width from the least value to the largest, which is in the last', () => {
    const { histogram } = figuresOf(Array.from({ length: 401 }, (_, index) => index / 10));
    expect(histogram).toHaveLength(40);
    expect(histogram.slice(0, 39).every((count) => count === 10)).toBe(true);
    expect(histogram[39]).toBe(11);
  });

  it.each([
    ['wider than the largest number', [-1.7e308, 1.7e308, 1.6e308, 0], { 0: 1, 20: 1, 38: 1, 39: 1 }],
    ['as narrow as can be', [0, 5e-324, 5e-324], { 0: 1, 39: 2 }],
    ['narrow beside zero', [4e-308, 8e-308, 6e-308], { 0: 1, 20: 1, 39: 1 }],
    ['narrow beside its distance from zero', [1e-300, 1e-300 + 4e-308, 1e-300 + 3e-308], { 0: 1, 30: 1, 39: 1 }],
    ['of one value', [7, 7, 7], { 0: 3 }],
  ])('count each value of a range that is %s', (_, values, bins) => {
    const { histogram } = figuresOf(values);
    expect(Object.fromEntries([...histogram.entries()].filter(([, count]) => count > 0))).toEqual(bins);
  });

  it('count in the outermost bins what a file that is written to gives only in the second round', () => {
    const first = new FirstRound();
    first.add([0, 1]);
    const second = first.end();
    second.add([-5, 9]);
    const { histogram } = second.end();
    expect([counted(histogram), histogram[0], histogram[39]]).toEqual([2, 1, 1]);
  });
});

describe('the values of a tensor', () => {
  it('of F16 are those of IEEE 754, all 65,536', () => {
    const halves = Uint16Array.from({ length: 65_536 }, (_, half) => half);
    const values = Array.from(readValues('F16', new Uint8Array(halves.buffer)));
    const expected = Array.from(halves, (half) => {
      const [sign, exponent, fraction] = [half >> 15 ? -1 : 1, (half >> 10) & 31, (half & 1023) / 1024];
      if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
      return exponent === 0 ? sign * fraction * 2 ** -14 : sign * (1 + fraction) * 2 ** (exponent - 15);
    });
    expect(values).toEqual(expected);
  });

  it.each(['F8_E4M3', 'F8_E5M2', 'F8_E8M0'] as const)('of %s are PyTorch’s, all 256', (dtype) => {
    const { numbers } = readGolden<{ numbers: Record<string, (number | string)[]> }>('float8');
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const named: Record<string, number> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity };
    const expected = numbers[dtype]!.map((value) => (typeof value === 'string' ? named[value] : value));
    expect(Array.from(readValues(dtype, bytes))).toEqual(expected);
  });

  it.each(Object.entries(dtypeBytes) as [Dtype, number][])('of %s are those of a part of a buffer', (dtype, bytes) => {
    const values = Uint8Array.from({ length: 3 * bytes }, (_, index) => (index * 37) % 113);
    const buffer = new Uint8Array(16 + values.length + 16).fill(0xee);
    buffer.set(values, 16);
    const part = buffer.subarray(16, 16 + values.length);
    const read = Array.from(readValues(dtype, part));
    expect(read).toHaveLength(3);
    expect(read).toEqual(Array.from(readValues(dtype, values)));
  });
});
