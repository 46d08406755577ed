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
    backend.withScratch([countsBytes], (counts) => {
      backend.kernels.selectThresholds(from, size, attrs.count, thresholds.address, counts!, 0, nSamples);
    });
    backend.kernels.keepWinners(from, from, thresholds.address, y.address, size, 0, nSamples);
    return [y.info, thresholds.info];
  }),
  wasmKernel<Gradient, unknown>('KafscopeKWinnersGrad', ({ inputs: { dy, x, thresholds }, backend }) => {
    const nSamples = x.shape[0]!;
    const dx = backend.place(x.shape);
    if (sizeOf(x) === 0) return dx.info;
    backend.kernels.keepWinners(
      ...[backend.addressOf(dy), backend.addressOf(x), backend.addressOf(thresholds), dx.address],
      ...[sizeOf(x) / nSamples, 0, nSamples],
    );
    return dx.info;
  }),
];
