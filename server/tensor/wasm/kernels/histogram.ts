// KafscopeHistogram over assembly/histogram.ts.
import type * as tf from '@tensorflow/tfjs-core';
import type { HistogramRange } from '../../ops/histogram.ts';
import { fixedParts } from '../threads/ranges.ts';
import { sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

/** Elements of a part, a multiple of the lanes. */
const grain = 16_384;

export const histogramKernels: readonly WasmKernel[] = [
  wasmKernel<{ x: tf.TensorInfo }, HistogramRange>('KafscopeHistogram', ({ inputs: { x }, attrs, backend }) => {
    const { low, high, nBins } = attrs;
    const counts = backend.place([nBins + 3], 'int32');
    const totals = new Int32Array(backend.pool.buffer, counts.address, nBins + 3).fill(0);
    const parts = fixedParts(sizeOf(x), backend.grainOf('histogram', grain));
    // Each part counts for itself: two threads must not add to one number.
    backend.withScratch([parts.length * totals.byteLength], (address) => {
      const partCounts = new Int32Array(backend.pool.buffer, address!, parts.length * totals.length).fill(0);
      const fixed = [low, high, nBins / (high - low), nBins];
      backend.run(
        'histogram',
        parts.map((part, index) => [
          ...[backend.addressOf(x), address! + index * totals.byteLength, ...fixed, ...part],
        ]),
      );
      partCounts.forEach((count, index) => (totals[index % totals.length]! += count));
    });
    return counts.info;
  }),
];
