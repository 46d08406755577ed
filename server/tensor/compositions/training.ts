// What a training step needs besides its network: optimizer updates in place, the attack's step, and norms.
import * as tf from '@tensorflow/tfjs-core';
import type { AttackStepOptions } from '../ops/attackStep.ts';
import { momentumAt, type AdamUpdate, type SgdUpdate, type StatisticMove, type WeightDecay } from '../ops/optimizer.ts';
import type { AtStep } from '../ops/step.ts';
import { composedKernel, type ComposedKernel, type ComposingBackend } from './composition.ts';

interface SgdInputs {
  readonly parameter: tf.Tensor;
  readonly gradient: tf.Tensor;
  readonly velocity?: tf.Tensor;
  readonly halted?: tf.Tensor;
}

interface AdamInputs {
  readonly parameter: tf.Tensor;
  readonly gradient: tf.Tensor;
  readonly firstMoment: tf.Tensor;
  readonly secondMoment: tf.Tensor;
  readonly halted?: tf.Tensor;
}

interface AttackInputs {
  readonly x: tf.Tensor;
  readonly clean: tf.Tensor;
  readonly gradient: tf.Tensor;
}

interface DecayInputs {
  readonly parameter: tf.Tensor;
  readonly halted?: tf.Tensor;
}

interface StatisticInputs {
  readonly statistic: tf.Tensor;
  readonly batch: tf.Tensor;
  readonly halted?: tf.Tensor;
}

interface OverwriteInputs {
  readonly target: tf.Tensor;
  readonly source: tf.Tensor;
  readonly halted?: tf.Tensor;
}

interface HaltInputs {
  readonly halted: tf.Tensor;
  readonly nonFinite: tf.Tensor;
}

interface ClipOptions {
  readonly type: 'global' | 'layer';
  readonly limit: number;
}

export const trainingKernels: readonly ComposedKernel[] = [
  composedKernel<SgdInputs, SgdUpdate>(
    'KafscopeSgdUpdate',
    ({ parameter, gradient, velocity, halted }, { at, momentum, weightDecay }, backend) => {
      const slope = tf.add(gradient, tf.mul(parameter, weightDecay));
      const step = velocity ? tf.add(tf.mul(velocity, momentum), slope) : slope;
      replace(backend, parameter, tf.sub(parameter, tf.mul(step, at.learningRate)), halted);
      if (velocity) replace(backend, velocity, step, halted);
      return [];
    },
  ),
  composedKernel<AdamInputs, AdamUpdate>(
    'KafscopeAdamUpdate',
    ({ parameter, gradient, firstMoment, secondMoment, halted }, attributes, backend) => {
      const { at, beta1, beta2, epsilon, weightDecay } = attributes;
      const { step, learningRate } = at;
      const slope = tf.add(gradient, tf.mul(parameter, weightDecay));
      const first = tf.add(tf.mul(firstMoment, beta1), tf.mul(slope, 1 - beta1));
      const second = tf.add(tf.mul(secondMoment, beta2), tf.mul(tf.square(slope), 1 - beta2));
      const root = tf.add(tf.div(tf.sqrt(second), Math.sqrt(1 - beta2 ** step)), epsilon);
      const change = tf.div(tf.mul(first, learningRate / (1 - beta1 ** step)), root);
      replace(backend, parameter, tf.sub(parameter, change), halted);
      replace(backend, firstMoment, first, halted);
      replace(backend, secondMoment, second, halted);
      return [];
    },
  ),
  composedKernel<DecayInputs, WeightDecay>('KafscopeDecay', ({ parameter, halted }, { at, weightDecay }, backend) => {
    replace(backend, parameter, tf.mul(parameter, 1 - at.learningRate * weightDecay), halted);
    return [];
  }),
  composedKernel<StatisticInputs, StatisticMove>(
    'KafscopeMoveStatistic',
    ({ statistic, batch, halted }, move, backend) => {
      const momentum = momentumAt(move);
      const moved = tf.add(tf.mul(statistic, momentum), tf.mul(batch, (1 - momentum) * move.scale));
      replace(backend, statistic, moved, halted);
      return [];
    },
  ),
  composedKernel<OverwriteInputs, undefined>('KafscopeOverwrite', ({ target, source, halted }, _, backend) => {
    // Not the source itself, which the caller keeps.
    replace(backend, target, tf.mul(source, 1), halted);
    return [];
  }),
  composedKernel<HaltInputs, { readonly at: AtStep }>('KafscopeHalt', ({ halted, nonFinite }, { at }, backend) => {
    const isBroken = tf.logicalAnd(tf.equal(halted, 0), tf.greater(tf.sum(nonFinite), 0));
    backend.overwrite(halted, tf.where(isBroken, tf.fill([1], at.step, 'int32'), halted));
    return [];
  }),
  composedKernel<{ readonly norms: tf.Tensor1D }, ClipOptions>('KafscopeClipFactors', ({ norms }, { type, limit }) => {
    const lengths = type === 'layer' ? norms : tf.mul(tf.onesLike(norms), tf.sqrt(tf.sum(tf.square(norms))));
    return tf.where(tf.greater(lengths, limit), tf.div(limit, lengths), tf.onesLike(norms));
  }),
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

/** In place, unless the flag is set. */
function replace(backend: ComposingBackend, target: tf.Tensor, source: tf.Tensor, halted: tf.Tensor | undefined): void {
  if (!halted) {
    backend.overwrite(target, source);
    return;
  }
  const isHalted = tf.reshape(
    tf.greater(halted, 0),
    target.shape.map(() => 1),
  );
  backend.overwrite(target, tf.where(tf.broadcastTo(isHalted, target.shape), target, source));
}

/** NaN stays NaN. */
function clamp(x: tf.Tensor, low: number, high: number): tf.Tensor {
  return tf.minimum(tf.maximum(x, low), high);
}
