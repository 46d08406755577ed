// The gradient of a loss with respect to the images. No parameter's gradient is computed on the way.
import * as tf from '@tensorflow/tfjs-core';
import type { Pass } from '../model/layer.ts';
import type { Network } from '../model/network.ts';
import { releaseTape } from '../tensor/releaseTape.ts';

/**
 * ∇ₓ Σ loss(logits(x)), the losses and the logits; the sum, not the mean, so that each image's gradient is its own.
 * @param lossOf losses `[batch]` of logits `[batch, classes]`, with a gradient
 * @returns tensors that the caller disposes
 */
export function inputGradient<T extends tf.Tensor>(
  network: Pick<Network, 'forward'>,
  images: T,
  lossOf: (logits: tf.Tensor2D) => tf.Tensor1D,
  pass: Pick<Pass, 'mode' | 'key'> & Partial<Pick<Pass, 'batchStatistics'>>,
): { gradient: T; logits: tf.Tensor2D; losses: tf.Tensor1D } {
  return tf.tidy(() => {
    let kept: tf.Tensor2D | null = null;
    const { value, grad } = tf.valueAndGrad((x) => {
      kept = tf.keep(network.forward(x!, { batchStatistics: null, ...pass, gradients: 'input' }));
      const losses = lossOf(kept);
      releaseTape();
      return losses;
    })(images, tf.ones([images.shape[0]!]));
    const logits = (kept! as tf.Tensor2D).clone();
    tf.dispose(kept!);
    return { gradient: grad as T, logits, losses: value as tf.Tensor1D };
  });
}
