// A KAF behind batch normalisation in training, as one op where the runtime has one: what lies between them is made anew on the way
// back, and never kept.
import * as tf from '@tensorflow/tfjs-core';

import { batchNormTraining, type BatchNormResult } from './batchNorm.ts';
import { expectDtype, expectFloats, lastAxis } from './checkTensor.ts';
import type { OpDefinition } from './cpuKernel.ts';
import { kaf, type KafOptions } from './kaf.ts';

const kernelName = 'KafscopeBatchNormKaf';

/** Whether the runtime in use fuses a KAF with the batch normalisation before it. */
export function canNormalizeKaf(): boolean {
  // tfjs's type leaves out that there may be none.
  const kernel = tf.getKernel(kernelName, tf.getBackend()) as tf.KernelConfig | undefined;
  return kernel !== undefined;
}

/**
 * `kaf` of `batchNormTraining`, bit for bit.
 * @param x `[…, C]` float32. @param gamma `[C]` @param beta `[C]` @param epsilon added to the variance, ≥ 0.
 * @param alpha `[C, D]` float32 of a dictionary that has a grid (server/tensor/wasm/kernels/kafGrid.ts).
 * @returns the KAF's values like x, and the batch's statistics, through which no gradient flows.
 * @throws TypeError if a tensor is not float32; RangeError if a shape does not fit, or the dictionary has no grid.
 */
export function normalizeAndKaf<T extends tf.Tensor>(
  x: T,
  [gamma, beta]: readonly [gamma: tf.Tensor1D, beta: tf.Tensor1D],
  epsilon: number,
  alpha: tf.Tensor2D,
  options: KafOptions,
): BatchNormResult<T> {
  if (!canNormalizeKaf()) {
    const normalized = batchNormTraining(x, gamma, beta, epsilon);
    return { ...normalized, y: kaf(normalized.y, alpha, options) };
  }
  expectDtype('normalizeAndKaf', 'x', x, 'float32');
  const nChannels = lastAxis('normalizeAndKaf', 'x', x);
  expectFloats('normalizeAndKaf', 'gamma', gamma, [nChannels]);
  expectFloats('normalizeAndKaf', 'beta', beta, [nChannels]);
  expectFloats('normalizeAndKaf', 'alpha', alpha, [nChannels, alpha.shape[1]]);
  const [y, mean, variance] = tf
    .engine()
    .runKernel<tf.Tensor[]>(kernelName, { x, gamma, beta, alpha }, { epsilon, ...options }) as [
    T,
    tf.Tensor1D,
    tf.Tensor1D,
  ];
  return { y, mean, variance };
}

type Saved = [
  ...[x: tf.Tensor, gamma: tf.Tensor, alpha: tf.Tensor],
  ...[mean: tf.Tensor, variance: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor],
];

export const normalizedKafOps: OpDefinition = {
  kernels: [],
  gradients: [
    {
      kernelName,
      inputsToSave: ['x', 'gamma', 'alpha'],
      outputsToSave: [false, true, true, true, true],
      gradFunc: (dys, saved, attrs) => {
        const [dy] = dys as tf.Tensor[];
        const [x, gamma, alpha, mean, variance, scale, shift] = saved as Saved;
        const inputs = { dy: dy!, x, gamma, mean, variance, scale, shift, alpha };
        const [dx, dgamma, dbeta, dalpha] = tf.engine().runKernel<tf.Tensor[]>(`${kernelName}Grad`, inputs, attrs) as [
          tf.Tensor,
          tf.Tensor,
          tf.Tensor,
          tf.Tensor,
        ];
        return {
          x: () => dx,
          gamma: () => dgamma,
          beta: () => dbeta,
          alpha: () => {
            if (attrs['gradients'] === 'input') {
              throw new Error("normalizeAndKaf: no gradient with respect to alpha under gradients: 'input'");
            }
            return dalpha;
          },
        };
      },
    },
  ],
};
