// How far two answers of a network are apart. No averaging: the caller sums or averages.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype, expectRank, expectShape } from './checkTensor.ts';

/**
 * KL(p ‖ q) = Σₖ pₖ·(log pₖ − log qₖ) of each row, p = softmax z, q = softmax z′; its gradients are p·((log p − log q) − KL) and q − p.
 * @param z, @param zPrime logits `[B, K]` float32, K ≥ 1.
 * @returns `[B]`. A NaN or an infinity in a row makes it NaN.
 * @throws TypeError on a wrong dtype; RangeError if a shape does not fit.
 */
export function divergence(z: tf.Tensor2D, zPrime: tf.Tensor2D): tf.Tensor1D {
  expectDtype('divergence', 'z', z, 'float32');
  expectRank('divergence', 'z', z, 2);
  expectDtype('divergence', 'zPrime', zPrime, 'float32');
  expectShape('divergence', 'zPrime', zPrime, z.shape);
  const op = tf.customGrad((...operands) => {
    const [first, second, save] = operands as unknown as [tf.Tensor2D, tf.Tensor2D, tf.GradSaveFunc];
    const [logP, logQ] = [logSoftmax(first), logSoftmax(second)];
    const p = tf.exp(logP);
    const apart = tf.sub(logP, logQ);
    const value = tf.sum(tf.mul(p, apart), 1);
    const ofFirst = tf.mul(p, tf.sub(apart, tf.expandDims(value, 1)));
    const ofSecond = tf.sub(tf.exp(logQ), p);
    save([ofFirst, ofSecond]);
    return {
      value,
      gradFunc: (dy, saved) => {
        const weight = tf.reshape(dy as tf.Tensor, [-1, 1]);
        return saved.map((slope) => tf.mul(slope, weight));
      },
    };
  });
  return op(z, zPrime) as tf.Tensor1D;
}

/** a + factor·b `[B]`, with a gradient: tfjs-core registers none of its own. */
export function weightedSum(a: tf.Tensor1D, b: tf.Tensor1D, factor: number): tf.Tensor1D {
  const op = tf.customGrad((...operands) => {
    const [left, right] = operands as tf.Tensor[];
    return {
      value: tf.add(left!, tf.mul(right!, factor)),
      gradFunc: (dy) => [tf.clone(dy as tf.Tensor), tf.mul(dy as tf.Tensor, factor)],
    };
  });
  return op(a, b) as tf.Tensor1D;
}

function logSoftmax(z: tf.Tensor2D): tf.Tensor2D {
  const below = tf.sub(z, tf.max(z, 1, true));
  return tf.sub(below, tf.log(tf.sum(tf.exp(below), 1, true)));
}
