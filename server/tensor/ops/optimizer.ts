// Optimizer updates in place: the parameter's and the moments' storage is written, and every tensor that shares it
// (a clone, the live values of one of the backend `cpu`) changes with it. Learning-rate schedules live in server/trainer.
import * as tf from '@tensorflow/tfjs-core';

import { expectFloats } from './checkTensor.ts';
import { floatsOf, type OpDefinition } from './cpuKernel.ts';

export interface SgdUpdate {
  readonly parameter: tf.Variable;
  readonly gradient: tf.Tensor;
  /** Null exactly when momentum is 0 and no velocity is kept. */
  readonly velocity: tf.Variable | null;
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

export interface AdamUpdate {
  readonly parameter: tf.Variable;
  readonly gradient: tf.Tensor;
  readonly firstMoment: tf.Variable;
  readonly secondMoment: tf.Variable;
  /** Number of this update, from 1. */
  readonly step: number;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/**
 * One step of SGD with momentum as in PyTorch: g ← g + weightDecay·w, v ← momentum·v + g, w ← w − learningRate·v.
 * Parameter and velocity are changed in place; a NaN or Inf in the gradient reaches them.
 * @throws TypeError if a tensor is not float32; RangeError if shapes differ, or momentum is given without a velocity.
 */
export function sgdUpdate(update: SgdUpdate): void {
  const { parameter, gradient, velocity, learningRate, momentum, weightDecay } = update;
  expectFloats('sgdUpdate', 'gradient', gradient, parameter.shape);
  if (velocity !== null) expectFloats('sgdUpdate', 'velocity', velocity, parameter.shape);
  else if (momentum !== 0)
    throw new RangeError('sgdUpdate: expected a velocity with a momentum other than 0, got null');
  const inputs: tf.NamedTensorMap = velocity === null ? { parameter, gradient } : { parameter, gradient, velocity };
  tf.engine().runKernel('KafscopeSgdUpdate', inputs, { learningRate, momentum, weightDecay });
}

/**
 * One step of Adam (Kingma and Ba, 2015, algorithm 1) as in PyTorch, weight decay in its L2 form:
 * g ← g + weightDecay·w, m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g²,
 * w ← w − learningRate/(1 − β₁ᵗ) · m/(√v/√(1 − β₂ᵗ) + epsilon). In place, as sgdUpdate.
 * @throws TypeError if a tensor is not float32; RangeError if shapes differ, or the step is not a positive integer.
 */
export function adamUpdate(update: AdamUpdate): void {
  const { parameter, gradient, firstMoment, secondMoment, ...attributes } = update;
  expectFloats('adamUpdate', 'gradient', gradient, parameter.shape);
  expectFloats('adamUpdate', 'firstMoment', firstMoment, parameter.shape);
  expectFloats('adamUpdate', 'secondMoment', secondMoment, parameter.shape);
  if (!Number.isInteger(update.step) || update.step < 1) {
    throw new RangeError(`adamUpdate: expected a step of at least 1, got ${String(update.step)}`);
  }
  tf.engine().runKernel('KafscopeAdamUpdate', { parameter, gradient, firstMoment, secondMoment }, attributes);
}

export const optimizerOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeSgdUpdate',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { learningRate, momentum, weightDecay } = attrs as unknown as SgdUpdate;
        const weights = floatsOf(backend, inputs['parameter']);
        const gradient = floatsOf(backend, inputs['gradient']);
        if (inputs['velocity'] === undefined) {
          for (let i = 0; i < weights.length; i++) {
            weights[i] = weights[i]! - learningRate * (gradient[i]! + weightDecay * weights[i]!);
          }
          return [];
        }
        const velocity = floatsOf(backend, inputs['velocity']);
        for (let i = 0; i < weights.length; i++) {
          velocity[i] = momentum * velocity[i]! + (gradient[i]! + weightDecay * weights[i]!);
          weights[i] = weights[i]! - learningRate * velocity[i]!;
        }
        return [];
      },
    },
    {
      kernelName: 'KafscopeAdamUpdate',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { step, learningRate, beta1, beta2, epsilon, weightDecay } = attrs as unknown as AdamUpdate;
        const weights = floatsOf(backend, inputs['parameter']);
        const gradient = floatsOf(backend, inputs['gradient']);
        const first = floatsOf(backend, inputs['firstMoment']);
        const second = floatsOf(backend, inputs['secondMoment']);
        const stepSize = learningRate / (1 - beta1 ** step);
        const correction = Math.sqrt(1 - beta2 ** step);
        for (let i = 0; i < weights.length; i++) {
          const slope = gradient[i]! + weightDecay * weights[i]!;
          first[i] = beta1 * first[i]! + (1 - beta1) * slope;
          second[i] = beta2 * second[i]! + (1 - beta2) * slope * slope;
          weights[i] = weights[i]! - (stepSize * first[i]!) / (Math.sqrt(second[i]!) / correction + epsilon);
        }
        return [];
      },
    },
  ],
  gradients: [],
};
