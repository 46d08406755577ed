// KafscopeActivation and its gradient.
import * as tf from '@tensorflow/tfjs-core';
import type { ActivationAttributes } from '../../ops/activation.ts';
import { tensorflowKernel, type TensorflowKernel } from './tensorflowKernel.ts';

export const activationKernels: readonly TensorflowKernel[] = [
  tensorflowKernel<{ x: tf.Tensor }, ActivationAttributes>('KafscopeActivation', ({ x }, { type, alpha }) => {
    switch (type) {
      case 'relu':
        return tf.relu(x);
      case 'elu':
        return tf.where(tf.greater(x, 0), x, tf.mul(tf.expm1(x), alpha));
      case 'swish':
        return swish(x);
      default:
        return type satisfies never;
    }
  }),
  tensorflowKernel<{ dy: tf.Tensor; x: tf.Tensor }, ActivationAttributes>(
    'KafscopeActivationGrad',
    ({ dy, x }, { type, alpha }) => {
      switch (type) {
        case 'relu':
          // As in PyTorch, a NaN x lets dy through: the loss is NaN then anyway.
          return tf.where(tf.lessEqual(x, 0), tf.zerosLike(dy), dy);
        case 'elu':
          return tf.where(tf.greater(x, 0), dy, tf.mul(dy, tf.mul(tf.exp(x), alpha)));
        case 'swish':
          return tf.mul(dy, swishSlope(x));
        default:
          return type satisfies never;
      }
    },
  ),
];

/** x·σ(x), with its limits at ±Inf: below −100 the value is under 4e-42 in magnitude. */
export function swish(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const clamped = tf.maximum(x, -100);
    return tf.mul(clamped, tf.sigmoid(clamped));
  });
}

/** σ(x)·(1 + x·(1 − σ(x))), with its limits 0 and 1 at ±Inf. */
export function swishSlope(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const clamped = tf.minimum(tf.maximum(x, -100), 100);
    const sigmoid = tf.sigmoid(clamped);
    return tf.mul(sigmoid, tf.add(1, tf.mul(clamped, tf.sub(1, sigmoid))));
  });
}
