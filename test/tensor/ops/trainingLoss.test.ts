import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import { besideZero } from '../../../server/model/joins.ts';
import { leastSquares, trainingLosses } from '../../../server/tensor/ops/trainingLoss.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, evaluateGradients, input, integers, scatter } from './contract.ts';

const pass = { mode: 'training', key: null, gradients: 'all', batchStatistics: null } as const;

describeOnEveryRuntime('leastSquares', () => {
  it.each([
    [0, 3],
    [5, 4],
    [37, 10],
  ])('is the squared distance from the class, with its gradient: %i samples, %i classes', (nSamples, nClasses) => {
    const logits = scatter(nSamples * nClasses, 3);
    const labels = Array.from({ length: nSamples }, (_, index) => (3 * index) % nClasses);
    const dy = scatter(nSamples, 1, 2);
    const offsets = Float64Array.from(
      logits,
      (value, n) => value - (n % nClasses === labels[Math.floor(n / nClasses)] ? 1 : 0),
    );
    const losses = Float32Array.from({ length: nSamples }, (_, row) =>
      offsets.subarray(row * nClasses, (row + 1) * nClasses).reduce((sum, offset) => sum + offset * offset, 0),
    );
    const { y, gradients } = evaluateGradients(
      (z: tf.Tensor2D, of: tf.Tensor1D) => leastSquares(z, of),
      [input(logits, [nSamples, nClasses]), integers(labels)],
      dy,
    );
    expectClose(y, losses, { absolute: 1e-5, relative: 1e-6 }, 'losses');
    const slopes = Float32Array.from(offsets, (offset, n) => 2 * offset * dy[Math.floor(n / nClasses)]!);
    expectClose(gradients[0]!, slopes, { absolute: 2e-6, relative: 1e-6 }, 'dlogits');
  });

  it('names a wrong shape or dtype', () => {
    tf.tidy(() => {
      const logits = tf.zeros<tf.Rank.R2>([2, 3]);
      const labels = tf.zeros<tf.Rank.R1>([3], 'int32');
      expect(() => leastSquares(logits, labels)).toThrow(
        new RangeError('leastSquares: expected labels of shape [2], got [3]'),
      );
    });
  });
});

describeOnEveryRuntime('binary cross-entropy', () => {
  it('of one output is −y·log σ(z) − (1 − y)·log(1 − σ(z)), with the gradient σ(z) − y, also where σ is 0 or 1', () => {
    const z = Float32Array.of(0, 0.7, -2.5, 60, -60, 3);
    const labels = [1, 0, 1, 1, 0, 0];
    const { y, gradients } = evaluateGradients(
      (outputs: tf.Tensor2D, of: tf.Tensor1D) =>
        trainingLosses['binary-cross-entropy'](besideZero(outputs, pass) as tf.Tensor2D, of),
      [input(z, [6, 1]), integers(labels)],
      new Float32Array(6).fill(1),
    );
    // log(1 + exp(∓z)), which is stable where the logistic function is not.
    const losses = Float32Array.from(z, (value, n) => Math.log1p(Math.exp(labels[n] === 1 ? -value : value)));
    expectClose(y, losses, { absolute: 1e-6, relative: 1e-6 }, 'losses');
    const slopes = Float32Array.from(z, (value, n) => 1 / (1 + Math.exp(-value)) - labels[n]!);
    expectClose(gradients[0]!, slopes, { absolute: 1e-6, relative: 1e-6 }, 'dz');
  });
});
