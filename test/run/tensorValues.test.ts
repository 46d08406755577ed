// Bytes as numbers, by hand where a golden file has no such value.
import { describe, expect, it } from 'vitest';
import { readValues } from '../../server/run/tensorValues.ts';

const halves = (...bits: number[]) => new Uint8Array(Uint16Array.from(bits).buffer);

describe('the values of a tensor', () => {
  it('of 16-bit floats are exact, from the smallest to infinity', () => {
    const bits = [
      0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x0400, 0x3c00, 0xbc01, 0x7bff, 0x7c00, 0xfc00, 0x7c01, 0xfe00,
    ];
    const subnormal = 2 ** -24;
    expect([...Array.from(readValues('F16', halves(...bits)))]).toEqual([
      ...[0, -0, subnormal, -subnormal, 1023 * subnormal, 1024 * subnormal, 1, -(1 + 1 / 1024), 65_504],
      ...[Infinity, -Infinity, Number.NaN, Number.NaN],
    ]);
  });

  it('of bfloat16 are the upper halves of float32', () => {
    expect([...Array.from(readValues('BF16', halves(0x3f80, 0xc000, 0x7f80, 0x0000)))]).toEqual([1, -2, Infinity, 0]);
  });
});
