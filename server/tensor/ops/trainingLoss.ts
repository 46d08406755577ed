// The losses that training may minimise (Peconi, 2020, §2.2.1), of each sample: the caller averages.
import * as tf from '@tensorflow/tfjs-core';
import type { LossName } from '../../protocol/plan.ts';
import { expectDtype, expectRank, expectShape } from './checkTensor.ts';
import { softmaxCrossEntropy } from './crossEntropy.ts';

/** Losses `[B]` of logits `[B, K]` and labels `[B]`. */
export type TrainingLoss = (logits: tf.Tensor2D, labels: tf.Tensor1D) => tf.Tensor1D;

/** Binary cross-entropy of one output z is that of the logits [0, z], which the network makes of it. */
export const trainingLosses: Readonly<Record<LossName, TrainingLoss>> = {
  'cross-entropy': softmaxCrossEntropy,
  'binary-cross-entropy': softmaxCrossEntropy,
  'least-squares': leastSquares,
};

/**
 * Σₖ (zₖ − [k = y])², with gradient 2(zₖ − [k = y]).
 * @param logits `[B, K]` float32. @param labels `[B]` int32 in [0, K), K ≥ 2.
 * @returns losses `[B]`. A NaN or an infinity in a row makes its loss NaN or infinite.
 * @throws TypeError on a wrong dtype; RangeError if a shape does not fit.
 */
export function leastSquares(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D {
  expectDtype('leastSquares', 'logits', logits, 'float32');
  expectRank('leastSquares', 'logits', logits, 2);
  expectDtype('leastSquares', 'labels', labels, 'int32');
  expectShape('leastSquares', 'labels', labels, [logits.shape[0]]);
  const op = tf.customGrad((...operands) => {
    const [z, save] = operands as unknown as [tf.Tensor2D, tf.GradSaveFunc];
    const offset = tf.sub(z, tf.oneHot(labels, z.shape[1]));
    save([offset]);
    return {
      value: tf.sum(tf.square(offset), 1),
      gradFunc: (dy, [saved]) => tf.tidy(() => tf.mul(saved!, tf.mul(tf.reshape(dy as tf.Tensor, [-1, 1]), 2))),
    };
  });
  return op(logits) as tf.Tensor1D;
}

/**
 * Cross-entropy with smoothed labels (Szegedy et al., 2016, section 7): −Σₖ qₖ·log pₖ, q_y = 1 − s + s/K and s/K elsewhere, with
 * gradient p − q.
 * @param smoothing s in [0, 1).
 */
export function smoothedCrossEntropy(smoothing: number): TrainingLoss {
  return (logits, labels) => {
    const op = tf.customGrad((...operands) => {
      const [z, save] = operands as unknown as [tf.Tensor2D, tf.GradSaveFunc];
      const nClasses = z.shape[1];
      const below = tf.sub(z, tf.max(z, 1, true));
      const logP = tf.sub(below, tf.log(tf.sum(tf.exp(below), 1, true)));
      const q = tf.add(tf.mul(tf.oneHot(labels, nClasses), 1 - smoothing), smoothing / nClasses);
      save([tf.sub(tf.exp(logP), q)]);
      return {
        value: tf.neg(tf.sum(tf.mul(q, logP), 1)),
        gradFunc: (dy, [slope]) => tf.tidy(() => tf.mul(slope!, tf.reshape(dy as tf.Tensor, [-1, 1]))),
      };
    });
    return op(logits) as tf.Tensor1D;
  };
}
