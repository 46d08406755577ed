// A formula behind batch normalisation in training, as one op where the runtime has one: what lies between them is made anew on the way
// back, and never kept.
import * as tf from '@tensorflow/tfjs-core';

import { batchNormTraining, type BatchNormResult } from './batchNorm.ts';
import { expectDtype, expectFloats, lastAxis } from './checkTensor.ts';
import type { OpDefinition } from './cpuKernel.ts';
import { applyFormula, type FormulaAttributes } from './formula.ts';

const kernelName = 'KafscopeBatchNormFormula';

/** Whether the runtime in use fuses a formula with the batch normalisation before it. */
export function canNormalizeFormula(): boolean {
  // tfjs's type leaves out that there may be none.
  const kernel = tf.getKernel(kernelName, tf.getBackend()) as tf.KernelConfig | undefined;
  return kernel !== undefined;
}

/**
 * f(γ(x − μ)/√(σ² + ε) + β) for a formula f without parameters: `applyFormula` of `batchNormTraining`, bit for bit.
 * @param x `[…, C]` float32. @param gamma `[C]` @param beta `[C]` @param epsilon added to the variance, ≥ 0.
 * @returns f's values like x, and the batch's statistics, through which no gradient flows.
 * @throws TypeError if a tensor is not float32; RangeError if a shape does not fit.
 */
export function normalizeAndApply<T extends tf.Tensor>(
  x: T,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
  attributes: FormulaAttributes,
): BatchNormResult<T> {
  if (!canNormalizeFormula()) {
    const normalized = batchNormTraining(x, gamma, beta, epsilon);
    return { ...normalized, y: applyFormula(normalized.y, null, attributes) };
  }
  expectDtype('normalizeAndApply', 'x', x, 'float32');
  const nChannels = lastAxis('normalizeAndApply', 'x', x);
  expectFloats('normalizeAndApply', 'gamma', gamma, [nChannels]);
  expectFloats('normalizeAndApply', 'beta', beta, [nChannels]);
  // An object of ours, which tfjs hands through.
  const named = { epsilon, formula: attributes.formula } as unknown as tf.NamedAttrMap;
  const [y, mean, variance] = tf.engine().runKernel<tf.Tensor[]>(kernelName, { x, gamma, beta }, named) as [
    T,
    tf.Tensor1D,
    tf.Tensor1D,
  ];
  return { y, mean, variance };
}

export const normalizedFormulaOps: OpDefinition = {
  kernels: [],
  gradients: [
    {
      kernelName,
      inputsToSave: ['x', 'gamma'],
      outputsToSave: [false, true, true, true, true],
      gradFunc: (dys, saved, attrs) => {
        const [dy] = dys as tf.Tensor[];
        const [x, gamma, mean, variance, scale, shift] = saved as [
          tf.Tensor,
          tf.Tensor,
          tf.Tensor,
          tf.Tensor,
          tf.Tensor,
          tf.Tensor,
        ];
        const inputs = { dy: dy!, x, gamma, mean, variance, scale, shift };
        const [dx, dgamma, dbeta] = tf.engine().runKernel<tf.Tensor[]>(`${kernelName}Grad`, inputs, attrs) as [
          tf.Tensor,
          tf.Tensor,
          tf.Tensor,
        ];
        return { x: () => dx, gamma: () => dgamma, beta: () => dbeta };
      },
    },
  ],
};
