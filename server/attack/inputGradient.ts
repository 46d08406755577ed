// The gradient of the loss with respect to the images. No parameter's gradient is computed on the way.
import * as tf from '@tensorflow/tfjs-core';
import type { Pass } from '../model/layer.ts';
import type { Network } from '../model/network.ts';
import { softmaxCrossEntropy } from '../tensor/ops/crossEntropy.ts';
import { releaseTape } from '../tensor/releaseTape.ts';

/**
 * ∇ₓ Σ cross-entropy(logits(x), label), and the logits; the sum, not the mean, so that each image's gradient is its own.
 * The caller disposes both.
 */
export function inputGradient(
  network: Network,
  images: tf.Tensor4D,
  labels: tf.Tensor1D,
  pass: Pick<Pass, 'mode' | 'key'>,
): { gradient: tf.Tensor4D; logits: tf.Tensor2D } {
  let logits: tf.Tensor2D | null = null;
  const gradient = tf.tidy(
    () =>
      tf.grad((x) => {
        logits = tf.keep(network.forward(x as tf.Tensor4D, { ...pass, gradients: 'input', batchStatistics: null }));
        const losses = softmaxCrossEntropy(logits, labels);
        releaseTape();
        return losses;
      })(images, tf.ones(labels.shape)) as tf.Tensor4D,
  );
  return { gradient, logits: logits! };
}
