// KafscopeUniform and KafscopeDropout over assembly/random.ts.
import type * as tf from '@tensorflow/tfjs-core';
import { sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface Key {
  readonly seed: number;
  readonly stream: number;
  readonly counter: number;
}

const wordsBytes = 64;

export const randomKernels: readonly WasmKernel[] = [
  wasmKernel<unknown, { shape: number[]; low: number; high: number; key: Key }>(
    'KafscopeUniform',
    ({ attrs, backend }) => {
      const { shape, low, high, key } = attrs;
      const y = backend.place(shape);
      backend.withScratch([wordsBytes], (words) => {
        backend.kernels.uniform(
          y.address,
          low,
          high - low,
          key.seed,
          key.stream,
          key.counter,
          words!,
          0,
          sizeOf(y.info),
        );
      });
      return y.info;
    },
  ),
  wasmKernel<{ x: tf.TensorInfo }, { rate: number; key: Key }>(
    'KafscopeDropout',
    ({ inputs: { x }, attrs, backend }) => {
      const { rate, key } = attrs;
      const y = backend.place(x.shape);
      backend.withScratch([wordsBytes], (words) => {
        backend.kernels.dropout(
          ...[backend.addressOf(x), y.address, Math.round(rate * 2 ** 24), 1 / (1 - rate)],
          ...[key.seed, key.stream, key.counter, words!, 0, sizeOf(x)],
        );
      });
      return y.info;
    },
  ),
];
