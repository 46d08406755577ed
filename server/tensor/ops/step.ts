// What one training step differs from the next by, and the flag that stops updates on the device. Kernels are given the record and the flag,
// never their numbers, so that a step can be recorded once and replayed, and a step that fails may be noticed steps later.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype, expectFloats, expectShape } from './checkTensor.ts';
import { floatsOf, integersOf, type OpDefinition } from './cpuKernel.ts';

/** The same record in every step of a training, with other numbers. */
export interface StepValues {
  /** Number of the update, from 1. */
  readonly step: number;
  readonly learningRate: number;
}

export type AtStep = Pick<StepValues, 'step'>;

/** int32 `[1]`: 0 while all is well, else the step that broke. Updates that are given it change nothing unless it is 0. */
export type Halted = tf.Variable<tf.Rank.R1>;

export function makeHalted(): Halted {
  return tf.tidy(() => tf.variable(tf.zeros<tf.Rank.R1>([1], 'int32'), false));
}

/** Updates are made again. */
export function clearHalted(halted: Halted): void {
  tf.tidy(() => {
    halted.assign(tf.zeros([1], 'int32'));
  });
}

/**
 * Sets the flag to the step where any of the counts is not 0, unless it is set.
 * @param nonFinite int32 `[n]`
 * @throws TypeError on a wrong dtype; RangeError if a shape does not fit.
 */
export function haltAtNonFinite(halted: Halted, nonFinite: tf.Tensor1D, at: AtStep): void {
  expectDtype('haltAtNonFinite', 'halted', halted, 'int32');
  expectShape('haltAtNonFinite', 'halted', halted, [1]);
  expectDtype('haltAtNonFinite', 'nonFinite', nonFinite, 'int32');
  tf.engine().runKernel('KafscopeHalt', { halted, nonFinite }, { at } as unknown as tf.NamedAttrMap);
}

/**
 * target ← source, in place: every tensor that shares the target's storage changes with it.
 * @throws TypeError if a tensor is not float32; RangeError if shapes differ.
 */
export function overwrite(target: tf.Variable, source: tf.Tensor, halted: Halted | null = null): void {
  expectFloats('overwrite', 'source', source, target.shape);
  const inputs: tf.NamedTensorMap = halted ? { target, source, halted } : { target, source };
  tf.engine().runKernel('KafscopeOverwrite', inputs);
}

/** For kernels whose backend's memory is the host's: whether the flag is given and set. */
export function isHalted(backend: object, halted: tf.TensorInfo | undefined): boolean {
  return halted !== undefined && integersOf(backend, halted)[0] !== 0;
}

export const stepOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeHalt',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { at } = attrs as unknown as { at: AtStep };
        const halted = integersOf(backend, inputs['halted']);
        if (halted[0] === 0 && integersOf(backend, inputs['nonFinite']).some((count) => count > 0)) halted[0] = at.step;
        return [];
      },
    },
    {
      kernelName: 'KafscopeOverwrite',
      kernelFunc: ({ inputs, backend }) => {
        if (!isHalted(backend, inputs['halted'])) {
          floatsOf(backend, inputs['target']).set(floatsOf(backend, inputs['source']));
        }
        return [];
      },
    },
  ],
  gradients: [],
};
