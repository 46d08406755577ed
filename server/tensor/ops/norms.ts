// Euclidean norms and non-finite counts of many tensors at once, and what gradients are multiplied by to be held to a length.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype, expectRank } from './checkTensor.ts';
import { floatsOf, makeFloats, makeIntegers, type OpDefinition } from './cpuKernel.ts';

/** One entry a tensor, in the order given. The caller disposes. */
export interface TensorNorms {
  readonly norms: tf.Tensor1D;
  /** int32 */
  readonly nonFinite: tf.Tensor1D;
}

/**
 * The Euclidean norm of each tensor, and how many of its elements are NaN or infinite.
 * @param tensors float32, of any shapes. A norm over a NaN is NaN, over an infinity infinite, of nothing 0.
 * @returns summed in float64.
 * @throws TypeError if a tensor is not float32.
 */
export function tensorNorms(tensors: readonly tf.Tensor[]): TensorNorms {
  tensors.forEach((tensor, index) => {
    expectDtype('tensorNorms', `tensors[${String(index)}]`, tensor, 'float32');
  });
  // tfjs's own variadic kernels (Concat, AddN) take their inputs as an array, too.
  const inputs = [...tensors] as unknown as tf.NamedTensorMap;
  const [norms, nonFinite] = tf.engine().runKernel<tf.Tensor[]>('KafscopeNorms', inputs) as [tf.Tensor1D, tf.Tensor1D];
  return { norms, nonFinite };
}

/**
 * min(1, limit/norm): `global`, of the norm of all together, √Σ norm²; `layer`, of each. Of NaN it is 1.
 * @param norms float32 `[n]`. @returns float32 `[n]`.
 * @throws TypeError on a wrong dtype; RangeError if a shape does not fit.
 */
export function clipFactors(norms: tf.Tensor1D, type: 'global' | 'layer', limit: number): tf.Tensor1D {
  expectDtype('clipFactors', 'norms', norms, 'float32');
  expectRank('clipFactors', 'norms', norms, 1);
  return tf.engine().runKernel('KafscopeClipFactors', { norms }, { type, limit });
}

export const normsOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeNorms',
      kernelFunc: ({ inputs, backend }) => {
        const tensors = inputs as unknown as readonly tf.TensorInfo[];
        const norms = new Float32Array(tensors.length);
        const nonFinite = new Int32Array(tensors.length);
        tensors.forEach((tensor, index) => {
          const values = floatsOf(backend, tensor);
          let sum = 0;
          let count = 0;
          for (let i = 0; i < values.length; i++) {
            sum += values[i]! * values[i]!;
            if (!Number.isFinite(values[i]!)) count++;
          }
          norms[index] = Math.sqrt(sum);
          nonFinite[index] = count;
        });
        return [makeFloats(backend, [tensors.length], norms), makeIntegers(backend, [tensors.length], nonFinite)];
      },
    },
    {
      kernelName: 'KafscopeClipFactors',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { type, limit } = attrs as unknown as { type: 'global' | 'layer'; limit: number };
        const norms = floatsOf(backend, inputs['norms']);
        const total = Math.sqrt(norms.reduce((sum, norm) => sum + norm * norm, 0));
        const factors = norms.map((norm) => {
          const length = type === 'global' ? total : norm;
          return length > limit ? limit / length : 1;
        });
        return makeFloats(backend, [norms.length], factors);
      },
    },
  ],
  gradients: [],
};
