// KafscopeSgdUpdate and KafscopeAdamUpdate over assembly/optimizer.ts: they write their inputs and return nothing.
import type * as tf from '@tensorflow/tfjs-core';
import { isHalted, type StepValues } from '../../ops/step.ts';
import { sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface SgdInputs {
  readonly parameter: tf.TensorInfo;
  readonly gradient: tf.TensorInfo;
  readonly velocity?: tf.TensorInfo;
  readonly halted?: tf.TensorInfo;
}

interface AdamInputs {
  readonly parameter: tf.TensorInfo;
  readonly gradient: tf.TensorInfo;
  readonly firstMoment: tf.TensorInfo;
  readonly secondMoment: tf.TensorInfo;
  readonly halted?: tf.TensorInfo;
}

interface SgdAttributes {
  readonly at: StepValues;
  readonly momentum: number;
  readonly weightDecay: number;
}

interface AdamAttributes {
  readonly at: StepValues;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** Elements of one range. */
const grain = 4096;

export const optimizerKernels: readonly WasmKernel[] = [
  wasmKernel<SgdInputs, SgdAttributes>('KafscopeSgdUpdate', ({ inputs, attrs, backend }) => {
    const { parameter, gradient, velocity, halted } = inputs;
    if (isHalted(backend, halted)) return [];
    const fixed = [
      ...[backend.addressOf(parameter), backend.addressOf(gradient), velocity ? backend.addressOf(velocity) : 0],
      ...[attrs.at.learningRate, attrs.momentum, attrs.weightDecay],
    ];
    backend.runOver(sizeOf(parameter), grain, 'sgdUpdate', (...range) => [...fixed, ...range]);
    return [];
  }),
  wasmKernel<AdamInputs, AdamAttributes>('KafscopeAdamUpdate', ({ inputs, attrs, backend }) => {
    if (isHalted(backend, inputs.halted)) return [];
    const { beta1, beta2, epsilon, weightDecay } = attrs;
    const { step, learningRate } = attrs.at;
    const { parameter, gradient, firstMoment, secondMoment } = inputs;
    const fixed = [
      ...[parameter, gradient, firstMoment, secondMoment].map((tensor) => backend.addressOf(tensor)),
      ...[learningRate / (1 - beta1 ** step), Math.sqrt(1 - beta2 ** step)],
      ...[beta1, beta2, epsilon, weightDecay],
    ];
    backend.runOver(sizeOf(parameter), grain, 'adamUpdate', (...range) => [...fixed, ...range]);
    return [];
  }),
];
