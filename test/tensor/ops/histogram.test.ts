import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { histogram, type HistogramRange } from '../../../server/tensor/ops/histogram.ts';
import * as reference from '../../../server/tensor/reference/histogram.ts';
import { describeOnEveryRuntime, float64, input, scatter, withoutTrace } from './contract.ts';

function countsOf(x: Float32Array, range: HistogramRange): Int32Array {
  return withoutTrace([input(x)], ([tensor]) => {
    const counts = histogram(tensor!, range);
    expect([counts.dtype, counts.shape]).toEqual(['int32', [range.nBins + 3]]);
    return counts.dataSync<'int32'>().slice();
  });
}

/** Bins whose bounds float32 holds: there the reference's bounds are the op's. */
const exactRange = { low: -4, high: 4, nBins: 16 } as const;

function expected(x: Float32Array): Int32Array {
  return reference.histogram(float64(x), exactRange.low, exactRange.high, exactRange.nBins);
}

describeOnEveryRuntime('histogram', () => {
  it('counts as the reference does, tails included', () => {
    for (const n of [0, 1, 3, 4, 5, 8, 4099]) {
      const x = scatter(n, 6);
      expect(countsOf(x, exactRange)).toEqual(expected(x));
    }
  });

  it('puts every bound into the bin above it, and the last into the last bin', () => {
    const x = Float32Array.from({ length: 17 }, (_, i) => -4 + i / 2);
    expect([...countsOf(x, exactRange)]).toEqual([...Array<number>(15).fill(1), 2, 0, 0, 0]);
    const outside = Float32Array.of(-4.000001, 4.000001, -3e38, 3e38, -0);
    expect([...countsOf(outside, exactRange)].slice(16)).toEqual([2, 2, 0]);
  });

  it('counts NaN and infinities apart', () => {
    const x = Float32Array.of(NaN, 1, Infinity, -Infinity, -1, NaN, 9);
    expect(countsOf(x, exactRange)).toEqual(expected(x));
    expect([...countsOf(x, exactRange)].slice(16)).toEqual([0, 1, 4]);
  });

  it('counts every element once for any range', () => {
    const range = fc.record({
      low: fc.float({ min: -1000, max: 999, noNaN: true }),
      width: fc.float({ min: Math.fround(0.001), max: 1000, noNaN: true }),
      nBins: fc.integer({ min: 1, max: 300 }),
    });
    fc.assert(
      fc.property(range, fc.array(fc.float(), { maxLength: 50 }), ({ low, width, nBins }, values) => {
        fc.pre(Math.fround(low + width) > low);
        const x = Float32Array.from(values);
        const counts = countsOf(x, { low, high: low + width, nBins });
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(x.length);
        expect(counts[nBins + 2]).toBe(x.filter((value) => !Number.isFinite(value)).length);
      }),
      { numRuns: 50 },
    );
  });

  it('names a wrong range, number or dtype', () => {
    tf.tidy(() => {
      const x = tf.zeros([2]);
      const call = (low: number, high: number, nBins: number) => () => histogram(x, { low, high, nBins });
      expect(call(1, 1, 4)).toThrow(new RangeError('histogram: expected low below high, both finite, got 1 and 1'));
      expect(call(NaN, 1, 4)).toThrow(new RangeError('histogram: expected low below high, both finite, got NaN and 1'));
      expect(call(0, 1, 0)).toThrow(new RangeError('histogram: expected at least 1 bin, got 0'));
      expect(() => histogram(tf.zeros([2], 'int32'), exactRange)).toThrow(
        new TypeError('histogram: expected x of dtype float32, got int32'),
      );
    });
  });
});
