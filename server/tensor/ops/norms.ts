// Euclidean norms and non-finite counts of many tensors at once, read back synchronously.
import * as tf from '@tensorflow/tfjs-core';

import { readFloats, readIntegers } from '../read.ts';
import { expectDtype } from './checkTensor.ts';
import { floatsOf, makeFloats, makeIntegers, type OpDefinition } from './cpuKernel.ts';

/**
 * The Euclidean norm of each tensor, and how many of its elements are NaN or infinite.
 * @param tensors float32, of any shapes. A norm over a NaN is NaN, over an infinity infinite, of nothing 0.
 * @returns one entry a tensor, in the order given. Summed in float64.
 * @throws TypeError if a tensor is not float32.
 */
export function tensorNorms(tensors: readonly tf.Tensor[]): { norms: Float32Array; nonFinite: Int32Array } {
  tensors.forEach((tensor, index) => {
    expectDtype('tensorNorms', `tensors[${String(index)}]`, tensor, 'float32');
  });
  const [norms, nonFinite] = tf.tidy(() => {
    // tfjs's own variadic kernels (Concat, AddN) take their inputs as an array, too.
    const inputs = [...tensors] as unknown as tf.NamedTensorMap;
    const outputs = tf.engine().runKernel<tf.Tensor[]>('KafscopeNorms', inputs);
    return [readFloats(outputs[0]!), readIntegers(outputs[1]!)];
  });
  return { norms, nonFinite };
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
  ],
  gradients: [],
};
