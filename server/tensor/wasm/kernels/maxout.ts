// KafscopeMaxout and its gradient over assembly/maxout.ts.
import type * as tf from '@tensorflow/tfjs-core';
import { maxoutShape } from '../../ops/maxout.ts';
import { sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface Attributes {
  readonly maps: number;
}

export const maxoutKernels: readonly WasmKernel[] = [
  wasmKernel<{ x: tf.TensorInfo }, Attributes>('KafscopeMaxout', ({ inputs: { x }, attrs: { maps }, backend }) => {
    const y = backend.place(maxoutShape(x.shape, maps));
    if (sizeOf(x) === 0) return y.info;
    const width = x.shape.at(-1)!;
    const fixed = [backend.addressOf(x), y.address, width / maps, maps];
    backend.runOver(sizeOf(x) / width, grainOf(width), 'maxoutForward', (...range) => [...fixed, ...range]);
    return y.info;
  }),
  wasmKernel<{ dy: tf.TensorInfo; x: tf.TensorInfo }, Attributes>(
    'KafscopeMaxoutGrad',
    ({ inputs: { dy, x }, attrs: { maps }, backend }) => {
      const dx = backend.place(x.shape);
      if (sizeOf(x) === 0) return dx.info;
      const width = x.shape.at(-1)!;
      const fixed = [backend.addressOf(dy), backend.addressOf(x), dx.address, width / maps, maps];
      backend.runOver(sizeOf(x) / width, grainOf(width), 'maxoutBackward', (...range) => [...fixed, ...range]);
      return dx.info;
    },
  ),
];

/** Rows of one range, of some 16,000 values of x. */
function grainOf(width: number): number {
  return Math.ceil(16_384 / width);
}
