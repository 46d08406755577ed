// Softmax cross-entropy from logits and integer labels. No averaging: the caller sums or averages the losses.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype, expectRank, expectShape } from './checkTensor.ts';
import { floatsOf, inputOf, integersOf, makeFloats, type OpDefinition } from './cpuKernel.ts';

/**
 * Softmax cross-entropy of each sample, −log softmax(z)_y = log Σ exp(zₖ − max z) − (z_y − max z).
 * @param logits `[B, K]` float32 with K ≥ 1.
 * @param labels `[B]` int32 in [0, K).
 * @returns losses `[B]`. A label outside [0, K), a NaN or a +Inf in a row make its loss NaN.
 * @throws TypeError on a wrong dtype; RangeError if a shape does not fit.
 */
export function softmaxCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D {
  expectDtype('softmaxCrossEntropy', 'logits', logits, 'float32');
  expectRank('softmaxCrossEntropy', 'logits', logits, 2);
  expectDtype('softmaxCrossEntropy', 'labels', labels, 'int32');
  expectShape('softmaxCrossEntropy', 'labels', labels, [logits.shape[0]]);
  return tf.tidy(() => {
    const [losses] = tf.engine().runKernel<tf.Tensor[]>('KafscopeCrossEntropy', { logits, labels }) as [tf.Tensor1D];
    return losses;
  });
}

export const crossEntropyOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeCrossEntropy',
      kernelFunc: ({ inputs, backend }) => {
        const info = inputOf(inputs, 'logits');
        const [nSamples, nClasses] = info.shape as [number, number];
        const logits = floatsOf(backend, info);
        const labels = integersOf(backend, inputs['labels']);
        const losses = new Float32Array(nSamples);
        const probabilities = new Float32Array(logits.length);
        for (let b = 0; b < nSamples; b++) {
          const row = logits.subarray(b * nClasses, (b + 1) * nClasses);
          let largest = -Infinity;
          for (let k = 0; k < nClasses; k++) largest = Math.max(largest, row[k]!);
          let sum = 0;
          for (let k = 0; k < nClasses; k++) sum += Math.exp(row[k]! - largest);
          for (let k = 0; k < nClasses; k++) probabilities[b * nClasses + k] = Math.exp(row[k]! - largest) / sum;
          losses[b] = Math.log(sum) - ((row[labels[b]!] ?? NaN) - largest);
        }
        return [makeFloats(backend, [nSamples], losses), makeFloats(backend, info.shape, probabilities)];
      },
    },
    {
      kernelName: 'KafscopeCrossEntropyGrad',
      kernelFunc: ({ inputs, backend }) => {
        const info = inputOf(inputs, 'probabilities');
        const [nSamples, nClasses] = info.shape as [number, number];
        const probabilities = floatsOf(backend, info);
        const labels = integersOf(backend, inputs['labels']);
        const dy = floatsOf(backend, inputs['dy']);
        const dlogits = new Float32Array(probabilities.length);
        for (let b = 0; b < nSamples; b++) {
          for (let k = 0; k < nClasses; k++) {
            const i = b * nClasses + k;
            dlogits[i] = dy[b]! * (probabilities[i]! - (k === labels[b] ? 1 : 0));
          }
        }
        return makeFloats(backend, info.shape, dlogits);
      },
    },
  ],
  gradients: [
    {
      kernelName: 'KafscopeCrossEntropy',
      inputsToSave: ['labels'],
      outputsToSave: [false, true],
      gradFunc: (dys, saved) => {
        const [dy] = dys as [tf.Tensor, tf.Tensor];
        const [labels, probabilities] = saved as [tf.Tensor, tf.Tensor];
        return { logits: () => tf.engine().runKernel('KafscopeCrossEntropyGrad', { dy, probabilities, labels }) };
      },
    },
  ],
};
