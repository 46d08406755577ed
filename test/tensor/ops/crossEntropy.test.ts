import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { softmaxCrossEntropy } from '../../../server/tensor/ops/crossEntropy.ts';
import * as reference from '../../../server/tensor/reference/crossEntropy.ts';
import { expectClose } from '../expectClose.ts';
import {
  describeOnEveryRuntime,
  evaluate,
  evaluateGradients,
  float64,
  input,
  integers,
  rounded,
  scatter,
} from './contract.ts';

const op = (logits: tf.Tensor2D, labels: tf.Tensor1D) => softmaxCrossEntropy(logits, labels);

function check(logits: Float32Array, labels: Int32Array, nClasses: number): void {
  const nSamples = labels.length;
  const dy = scatter(nSamples, 1, 2);
  const { y, gradients } = evaluateGradients(op, [input(logits, [nSamples, nClasses]), integers(labels)], dy);
  const exact = reference.crossEntropy(float64(logits), labels, nClasses);
  const dlogits = reference.crossEntropyGradient(float64(dy), float64(logits), labels, nClasses);
  // float32, with an exponential and a logarithm that may be polynomials.
  expectClose(y, rounded(exact), { absolute: 2e-6, relative: 2e-6 }, 'losses');
  expectClose(gradients[0]!, rounded(dlogits), { absolute: 1e-6, relative: 4e-6 }, 'dlogits');
}

describeOnEveryRuntime('softmaxCrossEntropy', () => {
  it.each([
    [0, 10],
    [1, 1],
    [1, 2],
    [3, 3],
    [4, 4],
    [5, 5],
    [128, 10],
    [67, 17],
  ])('agrees with the reference in values and gradient: %i samples, %i classes', (nSamples, nClasses) => {
    const labels = Int32Array.from({ length: nSamples }, (_, b) => (b * 7) % nClasses);
    check(scatter(nSamples * nClasses, 8), labels, nClasses);
  });

  it('neither overflows nor loses the loss at logits of ±1000', () => {
    check(Float32Array.of(1000, -1000, 0, -1000, 1000, 0), Int32Array.of(0, 0), 3);
  });

  it('agrees at −Inf logits, whose probability is 0', () => {
    check(Float32Array.of(1, -Infinity, 0, 2, 1, -Infinity), Int32Array.of(0, 2), 3);
  });

  it('agrees for any shape', () => {
    const shape = fc.record({ nSamples: fc.integer({ min: 1, max: 30 }), nClasses: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(shape, ({ nSamples, nClasses }) => {
        check(
          scatter(nSamples * nClasses, 5),
          Int32Array.from({ length: nSamples }, (_, b) => b % nClasses),
          nClasses,
        );
      }),
      { numRuns: 25 },
    );
  });

  it('makes NaN the loss of a row with a NaN or +Inf, or with a label out of range, and no other', () => {
    const logits = Float32Array.of(1, 2, NaN, 1, Infinity, 1, 3, 4, 5, 6, 0, 1);
    const { y } = evaluate(op, [input(logits, [6, 2]), integers([0, 0, 0, 2, -1, 1])]);
    expect([...y].map((loss) => Number.isNaN(loss))).toEqual([false, true, true, true, true, false]);
  });

  it('names a wrong shape or dtype', () => {
    tf.tidy(() => {
      const logits = tf.zeros<tf.Rank.R2>([2, 3]);
      expect(() => softmaxCrossEntropy(logits, tf.zeros([3], 'int32'))).toThrow(
        new RangeError('softmaxCrossEntropy: expected labels of shape [2], got [3]'),
      );
      expect(() => softmaxCrossEntropy(logits, tf.zeros([2]))).toThrow(
        new TypeError('softmaxCrossEntropy: expected labels of dtype int32, got float32'),
      );
      expect(() => softmaxCrossEntropy(tf.zeros([6]) as never, tf.zeros([2], 'int32'))).toThrow(
        new RangeError('softmaxCrossEntropy: expected logits of rank 2, got shape [6]'),
      );
    });
  });
});
