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
      case 'step':
        return tf.where(tf.isNaN(x), x, tf.cast(tf.greaterEqual(x, 0), 'float32'));
      case 'sigmoid':
        return tf.sigmoid(x);
      case 'tanh':
        return tf.tanh(x);
      case 'leaky-relu':
        return tf.where(tf.greater(x, 0), x, tf.mul(x, alpha));
      case 'gelu': {
        // Beyond −40 the value is 0; clamping there keeps −Inf·0 out.
        const clamped = tf.maximum(x, -40);
        return tf.mul(clamped, normalDistribution(clamped));
      }
      case 'softplus': {
        const rest = tf.log1p(tf.exp(tf.neg(tf.abs(tf.mul(x, alpha)))));
        return tf.add(tf.maximum(x, 0), tf.div(rest, alpha));
      }
      case 'smooth-relu': {
        const above = tf.maximum(x, 0);
        // The clamp keeps Inf − Inf out.
        return tf.sub(above, tf.div(tf.log1p(tf.minimum(tf.mul(above, alpha), 3e38)), alpha));
      }
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
        case 'step':
          return tf.where(tf.less(tf.abs(x), alpha), dy, tf.zerosLike(dy));
        case 'sigmoid':
          return tf.mul(dy, tf.mul(tf.sigmoid(x), tf.sigmoid(tf.neg(x))));
        case 'tanh':
          return tf.mul(dy, tf.sub(1, tf.square(tf.tanh(x))));
        case 'leaky-relu':
          return tf.where(tf.greater(x, 0), dy, tf.mul(dy, alpha));
        case 'gelu': {
          const clamped = tf.minimum(tf.maximum(x, -40), 40);
          const density = tf.div(tf.exp(tf.mul(tf.square(clamped), -0.5)), Math.sqrt(2 * Math.PI));
          return tf.mul(dy, tf.add(normalDistribution(clamped), tf.mul(clamped, density)));
        }
        case 'softplus':
          return tf.mul(dy, tf.sigmoid(tf.mul(x, alpha)));
        case 'smooth-relu': {
          const slope = tf.sub(1, tf.div(1, tf.add(1, tf.mul(x, alpha))));
          return tf.where(tf.lessEqual(x, 0), tf.zerosLike(dy), tf.mul(dy, slope));
        }
        default:
          return type satisfies never;
      }
    },
  ),
];

/** Φ(x) of the standard normal distribution; below 0 to within 6e-8, not of itself. */
function normalDistribution(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
}

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
