// Maxout: the largest of K values for each unit. The K linear maps that make them are the layer before, K times as wide.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype, lastAxis } from './checkTensor.ts';
import { floatsOf, inputOf, makeFloats, type OpDefinition } from './cpuKernel.ts';

/**
 * y_c = max_k x_{k·C + c} (Goodfellow et al., 2013; thesis 4.5): the last axis of x is K blocks of C, one for each map.
 * @param x `[…, K·C]` float32. @param maps K ≥ 1.
 * @returns `[…, C]`. A NaN among its K values gives NaN. The gradient goes to the largest, of equal ones (and of several NaN) to the
 * first.
 * @throws TypeError if x is not float32; RangeError if its last axis is no multiple of K, or K no integer of at least 1.
 */
export function maxout<T extends tf.Tensor>(x: T, maps: number): T {
  expectDtype('maxout', 'x', x, 'float32');
  const width = lastAxis('maxout', 'x', x);
  if (!(Number.isInteger(maps) && maps >= 1))
    throw new RangeError(`maxout: expected maps to be an integer of at least 1, got ${String(maps)}`);
  if (width % maps !== 0)
    throw new RangeError(`maxout: expected x with a multiple of ${maps} channels, got ${String(width)}`);
  return tf.engine().runKernel('KafscopeMaxout', { x }, { maps });
}

export const maxoutOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeMaxout',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const x = inputOf(inputs, 'x');
        const shape = maxoutShape(x.shape, mapsOf(attrs));
        const values = floatsOf(backend, x);
        const winners = winnersOf(values, x.shape.at(-1)!, mapsOf(attrs));
        return makeFloats(
          backend,
          shape,
          Float32Array.from(winners, (winner) => values[winner]!),
        );
      },
    },
    {
      kernelName: 'KafscopeMaxoutGrad',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const x = inputOf(inputs, 'x');
        const dy = floatsOf(backend, inputs['dy']);
        const values = floatsOf(backend, x);
        const dx = new Float32Array(values.length);
        winnersOf(values, x.shape.at(-1)!, mapsOf(attrs)).forEach((winner, n) => {
          dx[winner] = dy[n]!;
        });
        return makeFloats(backend, x.shape, dx);
      },
    },
  ],
  gradients: [
    {
      kernelName: 'KafscopeMaxout',
      inputsToSave: ['x'],
      gradFunc: (dy, saved, attrs) => {
        const [x] = saved as [tf.Tensor];
        return { x: () => tf.engine().runKernel('KafscopeMaxoutGrad', { dy: dy as tf.Tensor, x }, attrs) };
      },
    },
  ],
};

/** `[…, K·C]` → `[…, C]`. */
export function maxoutShape(shape: readonly number[], maps: number): number[] {
  return [...shape.slice(0, -1), shape.at(-1)! / maps];
}

function mapsOf(attrs: tf.NamedAttrMap | undefined): number {
  return (attrs as unknown as { maps: number }).maps;
}

/** Where in x the largest of each output is. */
function winnersOf(x: Float32Array, width: number, maps: number): Int32Array {
  const nUnits = width / maps;
  return Int32Array.from({ length: x.length / maps }, (_, n) => {
    const first = Math.floor(n / nUnits) * width + (n % nUnits);
    let winner = first;
    for (let map = 1; map < maps; map++) {
      const other = first + map * nUnits;
      if (!Number.isNaN(x[winner]!) && !(x[other]! <= x[winner]!)) winner = other;
    }
    return winner;
  });
}
