// Inverted dropout whose mask is drawn again in the backward pass instead of being kept.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype } from './checkTensor.ts';
import { floatsOf, inputOf, makeFloats, type OpDefinition } from './cpuKernel.ts';
import { forEachBlock, type RandomKey } from './random.ts';

/**
 * Inverted dropout, y = x·m/(1 − rate), m = 0 with probability rate (Srivastava et al., 2014).
 * @param x float32 of any shape. @param rate drop probability in [0, 1).
 * @param key element i is kept if ⌊word i/2⁸⌋ ≥ round(rate·2²⁴); the same key gives the same mask on every runtime.
 * @returns like x. A dropped element is 0, also where x is NaN or infinite.
 * @throws TypeError if x is not float32; RangeError if the rate is outside [0, 1).
 */
export function dropout<T extends tf.Tensor>(x: T, rate: number, key: RandomKey): T {
  expectDtype('dropout', 'x', x, 'float32');
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`dropout: expected a rate in [0, 1), got ${String(rate)}`);
  return tf.engine().runKernel('KafscopeDropout', { x }, { rate, key } as unknown as tf.NamedAttrMap);
}

export const dropoutOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeDropout',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { rate, key } = attrs as unknown as { rate: number; key: RandomKey };
        const info = inputOf(inputs, 'x');
        const x = floatsOf(backend, info);
        const scale = Math.fround(1 / (1 - rate));
        const isKept = dropoutMask(x.length, rate, key);
        return makeFloats(
          backend,
          info.shape,
          x.map((value, i) => (isKept[i] === 1 ? value * scale : 0)),
        );
      },
    },
  ],
  gradients: [
    {
      kernelName: 'KafscopeDropout',
      gradFunc: (dy, _saved, attrs) => ({
        x: () => tf.engine().runKernel('KafscopeDropout', { x: dy as tf.Tensor }, attrs),
      }),
    },
  ],
};

/** 1 for each element that dropout keeps, else 0. */
export function dropoutMask(nElements: number, rate: number, key: RandomKey): Uint8Array {
  const isKept = new Uint8Array(nElements);
  const threshold = Math.round(rate * 0x100_0000);
  forEachBlock(nElements, key, (words, start) => {
    const end = Math.min(4, nElements - start);
    for (let k = 0; k < end; k++) isKept[start + k] = words[k]! >>> 8 >= threshold ? 1 : 0;
  });
  return isKept;
}
