// KafscopeCrossEntropy and its gradient.
import * as tf from '@tensorflow/tfjs-core';
import { composedKernel, type ComposedKernel } from './composition.ts';

interface GradInputs {
  readonly dy: tf.Tensor1D;
  readonly probabilities: tf.Tensor2D;
  readonly labels: tf.Tensor1D;
}

export const crossEntropyKernels: readonly ComposedKernel[] = [
  composedKernel<{ logits: tf.Tensor2D; labels: tf.Tensor1D }, undefined>(
    'KafscopeCrossEntropy',
    ({ logits, labels }) => {
      const [, nClasses] = logits.shape;
      const shifted = tf.sub(logits, tf.max(logits, 1, true));
      const exponentials = tf.exp(shifted);
      const sums = tf.sum(exponentials, 1, true);
      // Chosen, not multiplied: 0·(−Inf) is NaN.
      const chosen = tf.sum(tf.where(isOfLabel(labels, nClasses), shifted, tf.zerosLike(shifted)), 1);
      const losses = tf.sub(tf.log(tf.squeeze(sums, [1])), chosen);
      const isValid = tf.logicalAnd(tf.greaterEqual(labels, 0), tf.less(labels, nClasses));
      return [tf.where(isValid, losses, tf.fill([labels.size], NaN)), tf.div(exponentials, sums)];
    },
  ),
  composedKernel<GradInputs, undefined>('KafscopeCrossEntropyGrad', ({ dy, probabilities, labels }) => {
    const isLabel = tf.cast(isOfLabel(labels, probabilities.shape[1]), 'float32');
    return tf.mul(tf.expandDims(dy, 1), tf.sub(probabilities, isLabel));
  }),
];

/** `[B, K]`, true where the class is the sample's label. */
function isOfLabel(labels: tf.Tensor1D, nClasses: number): tf.Tensor2D {
  return tf.equal(tf.expandDims(labels, 1), tf.range(0, nClasses, 1, 'int32'));
}
