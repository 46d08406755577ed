// KafscopeSgdUpdate and KafscopeAdamUpdate over assembly/optimizer.ts: they write their inputs and return nothing.
import type * as tf from '@tensorflow/tfjs-core';
import { sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface SgdInputs {
  readonly parameter: tf.TensorInfo;
  readonly gradient: tf.TensorInfo;
  readonly velocity?: tf.TensorInfo;
}

interface AdamInputs {
  readonly parameter: tf.TensorInfo;
  readonly gradient: tf.TensorInfo;
  readonly firstMoment: tf.TensorInfo;
  readonly secondMoment: tf.TensorInfo;
}

interface SgdAttributes {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

interface AdamAttributes {
  readonly step: number;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** Elements of one range. */
const grain = 4096;

export const optimizerKernels: readonly WasmKernel[] = [
  wasmKernel<SgdInputs, SgdAttributes>('KafscopeSgdUpdate', ({ inputs, attrs, backend }) => {
    const { parameter, gradient, velocity } = inputs;
    const fixed = [
      ...[backend.addressOf(parameter), backend.addressOf(gradient), velocity ? backend.addressOf(velocity) : 0],
      ...[attrs.learningRate, attrs.momentum, attrs.weightDecay],
    ];
    backend.runOver(sizeOf(parameter), grain, 'sgdUpdate', (...range) => [...fixed, ...range]);
    return [];
  }),
  wasmKernel<AdamInputs, AdamAttributes>('KafscopeAdamUpdate', ({ inputs, attrs, backend }) => {
    const { step, learningRate, beta1, beta2, epsilon, weightDecay } = attrs;
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
