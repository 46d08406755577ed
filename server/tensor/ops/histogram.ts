// How values are spread: counts in bins of equal width over a range, and of what lies outside. Which range is the caller's to
// choose.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype } from './checkTensor.ts';
import { floatsOf, inputOf, makeIntegers, type OpDefinition } from './cpuKernel.ts';

export interface HistogramRange {
  readonly low: number;
  /** Above low; the last bin includes it. */
  readonly high: number;
  readonly nBins: number;
}

/**
 * Counts of the elements in nBins bins of equal width over [low, high].
 * @param x float32 of any shape.
 * @returns int32 `[nBins + 3]`: the bins, then what is below low, above high, and not finite. No gradient. A bin is
 * ⌊(x − low)·scale⌋ with scale = nBins/(high − low), difference, product, low, high and scale each rounded to float32, so that
 * every runtime counts alike.
 * @throws TypeError if x is not float32; RangeError unless low < high, both finite, and nBins is a positive integer.
 */
export function histogram(x: tf.Tensor, { low, high, nBins }: HistogramRange): tf.Tensor1D {
  expectDtype('histogram', 'x', x, 'float32');
  if (!(Math.fround(low) < Math.fround(high) && Number.isFinite(Math.fround(high - low))))
    throw new RangeError(`histogram: expected low below high, both finite, got ${String(low)} and ${String(high)}`);
  if (!Number.isInteger(nBins) || nBins < 1)
    throw new RangeError(`histogram: expected at least 1 bin, got ${String(nBins)}`);
  return tf.engine().runKernel('KafscopeHistogram', { x }, { low, high, nBins });
}

export const histogramOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeHistogram',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const counts = histogramCounts(floatsOf(backend, inputOf(inputs, 'x')), attrs as unknown as HistogramRange);
        return makeIntegers(backend, [counts.length], counts);
      },
    },
  ],
  gradients: [],
};

/** The counts of `histogram`. */
export function histogramCounts(values: Float32Array, { low, high, nBins }: HistogramRange): Int32Array {
  const counts = new Int32Array(nBins + 3);
  const start = Math.fround(low);
  const end = Math.fround(high);
  const scale = Math.fround(nBins / (high - low));
  for (const value of values) {
    if (!Number.isFinite(value)) counts[nBins + 2]!++;
    else if (value < start) counts[nBins]!++;
    else if (value > end) counts[nBins + 1]!++;
    else counts[Math.min(nBins - 1, Math.floor(Math.fround(Math.fround(value - start) * scale)))]!++;
  }
  return counts;
}
