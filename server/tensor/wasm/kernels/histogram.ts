// KafscopeHistogram over assembly/histogram.ts.
import type * as tf from '@tensorflow/tfjs-core';
import type { HistogramRange } from '../../ops/histogram.ts';
import { sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

export const histogramKernels: readonly WasmKernel[] = [
  wasmKernel<{ x: tf.TensorInfo }, HistogramRange>('KafscopeHistogram', ({ inputs: { x }, attrs, backend }) => {
    const { low, high, nBins } = attrs;
    const counts = backend.place([nBins + 3], 'int32');
    new Int32Array(backend.pool.buffer, counts.address, nBins + 3).fill(0);
    backend.kernels.histogram(
      ...[backend.addressOf(x), counts.address, low, high, nBins / (high - low), nBins, 0, sizeOf(x)],
    );
    return counts.info;
  }),
];
