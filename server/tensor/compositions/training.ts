// What a training step needs besides its network: optimizer updates in place, the attack's step, and norms.
import * as tf from '@tensorflow/tfjs-core';
import type { AttackStepOptions } from '../ops/attackStep.ts';
import type { AdamUpdate, SgdUpdate } from '../ops/optimizer.ts';
import { composedKernel, type ComposedKernel } from './composition.ts';

interface SgdInputs {
  readonly parameter: tf.Tensor;
  readonly gradient: tf.Tensor;
  readonly velocity?: tf.Tensor;
}

interface AdamInputs {
  readonly parameter: tf.Tensor;
  readonly gradient: tf.Tensor;
  readonly firstMoment: tf.Tensor;
  readonly secondMoment: tf.Tensor;
}

interface AttackInputs {
  readonly x: tf.Tensor;
  readonly clean: tf.Tensor;
  readonly gradient: tf.Tensor;
}

export const trainingKernels: readonly ComposedKernel[] = [
  composedKernel<SgdInputs, SgdUpdate>(
    'KafscopeSgdUpdate',
    ({ parameter, gradient, velocity }, { learningRate, momentum, weightDecay }, backend) => {
      const slope = tf.add(gradient, tf.mul(parameter, weightDecay));
      const step = velocity ? tf.add(tf.mul(velocity, momentum), slope) : slope;
      backend.overwrite(parameter, tf.sub(parameter, tf.mul(step, learningRate)));
      if (velocity) backend.overwrite(velocity, step);
      return [];
    },
  ),
  composedKernel<AdamInputs, AdamUpdate>(
    'KafscopeAdamUpdate',
    ({ parameter, gradient, firstMoment, secondMoment }, attributes, backend) => {
      const { step, learningRate, beta1, beta2, epsilon, weightDecay } = attributes;
      const slope = tf.add(gradient, tf.mul(parameter, weightDecay));
      const first = tf.add(tf.mul(firstMoment, beta1), tf.mul(slope, 1 - beta1));
      const second = tf.add(tf.mul(secondMoment, beta2), tf.mul(tf.square(slope), 1 - beta2));
      const root = tf.add(tf.div(tf.sqrt(second), Math.sqrt(1 - beta2 ** step)), epsilon);
      const change = tf.div(tf.mul(first, learningRate / (1 - beta1 ** step)), root);
      backend.overwrite(parameter, tf.sub(parameter, change));
      backend.overwrite(firstMoment, first);
      backend.overwrite(secondMoment, second);
      return [];
    },
  ),
  composedKernel<AttackInputs, AttackStepOptions>(
    'KafscopeAttackStep',
    ({ x, clean, gradient }, { stepSize, epsilon }) => {
      // Not sign: of NaN it is NaN. On TensorFlow a gradient below 1.2e-38 is 0: it flushes such numbers.
      const still = tf.zerosLike(gradient);
      const backwards = tf.where(tf.less(gradient, 0), tf.fill(gradient.shape, -stepSize), still);
      const step = tf.where(tf.greater(gradient, 0), tf.fill(gradient.shape, stepSize), backwards);
      const offset = clamp(tf.sub(tf.add(x, step), clean), -epsilon, epsilon);
      return clamp(tf.add(clean, offset), 0, 1);
    },
  ),
  composedKernel<readonly tf.Tensor[], undefined>('KafscopeNorms', (tensors) => {
    if (tensors.length === 0) return [tf.zeros([0]), tf.zeros([0], 'int32')];
    const norms = tensors.map((tensor) => tf.tidy(() => tf.sqrt(tf.sum(tf.square(tensor)))));
    const counts = tensors.map((tensor) => tf.tidy(() => tf.sum(tf.cast(tf.logicalNot(tf.isFinite(tensor)), 'int32'))));
    return [tf.stack(norms), tf.cast(tf.stack(counts), 'int32')];
  }),
];

/** NaN stays NaN. */
function clamp(x: tf.Tensor, low: number, high: number): tf.Tensor {
  return tf.minimum(tf.maximum(x, low), high);
}
