// KafscopeKWinners and its gradient over assembly/kWinners.ts.
import type * as tf from '@tensorflow/tfjs-core';
import { sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

const countsBytes = 2048 * 4;

interface Gradient {
  readonly dy: tf.TensorInfo;
  readonly x: tf.TensorInfo;
  readonly thresholds: tf.TensorInfo;
}

export const kWinnersKernels: readonly WasmKernel[] = [
  wasmKernel<{ x: tf.TensorInfo }, { count: number }>('KafscopeKWinners', ({ inputs: { x }, attrs, backend }) => {
    const nSamples = x.shape[0]!;
    const y = backend.place(x.shape);
    const thresholds = backend.place([nSamples]);
    backend.floats(thresholds.address, nSamples).fill(0);
    if (sizeOf(x) === 0) return [y.info, thresholds.info];
    const from = backend.addressOf(x);
    const size = sizeOf(x) / nSamples;
    const selection = [from, size, attrs.count, thresholds.address];
    const counts = { argument: selection.length, sizeBytes: countsBytes };
    backend.runOver(nSamples, 1, 'selectThresholds', (...range) => [...selection, 0, ...range], counts);
    const fixed = [from, from, thresholds.address, y.address, size];
    backend.runOver(nSamples, samplesPerRange(size), 'keepWinners', (...range) => [...fixed, ...range]);
    return [y.info, thresholds.info];
  }),
  wasmKernel<Gradient, unknown>('KafscopeKWinnersGrad', ({ inputs: { dy, x, thresholds }, backend }) => {
    const nSamples = x.shape[0]!;
    const dx = backend.place(x.shape);
    if (sizeOf(x) === 0) return dx.info;
    const size = sizeOf(x) / nSamples;
    const fixed = [...[dy, x, thresholds].map((tensor) => backend.addressOf(tensor)), dx.address, size];
    backend.runOver(nSamples, samplesPerRange(size), 'keepWinners', (...range) => [...fixed, ...range]);
    return dx.info;
  }),
];

/** So many that a range has some 16,000 values. */
function samplesPerRange(size: number): number {
  return Math.ceil(16_384 / size);
}
