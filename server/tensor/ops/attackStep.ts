// One step of a sign attack: move, project onto the ball about the clean image, clamp to the image box.
// Which gradient, how many steps and which restarts is the business of server/attack.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype, expectFloats } from './checkTensor.ts';
import { floatsOf, inputOf, makeFloats, type OpDefinition } from './cpuKernel.ts';

export interface AttackStepOptions {
  /** In pixel units of [0, 1]. */
  readonly stepSize: number;
  /** Radius of the L∞ ball, in pixel units of [0, 1]. */
  readonly epsilon: number;
}

/**
 * One L∞ step, clip(c + clip(x + stepSize·sign(g) − c, ±epsilon), 0, 1) (Madry et al., 2018, §2.1).
 * @param x the present image, @param clean c, @param gradient g: float32 of one shape.
 * @returns like x. sign(0) = sign(NaN) = 0; a NaN in x or clean stays NaN. Each operation is rounded to float32, so
 * that every runtime gives the same bits.
 * @throws TypeError if a tensor is not float32; RangeError if shapes differ.
 */
export function attackStepLinf<T extends tf.Tensor>(
  x: T,
  clean: tf.Tensor,
  gradient: tf.Tensor,
  { stepSize, epsilon }: AttackStepOptions,
): T {
  expectDtype('attackStepLinf', 'x', x, 'float32');
  expectFloats('attackStepLinf', 'clean', clean, x.shape);
  expectFloats('attackStepLinf', 'gradient', gradient, x.shape);
  return tf.engine().runKernel('KafscopeAttackStep', { x, clean, gradient }, { stepSize, epsilon });
}

export const attackStepOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeAttackStep',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const options = attrs as unknown as AttackStepOptions;
        const info = inputOf(inputs, 'x');
        const x = floatsOf(backend, info);
        const clean = floatsOf(backend, inputs['clean']);
        const gradient = floatsOf(backend, inputs['gradient']);
        const step = Math.fround(options.stepSize);
        const radius = Math.fround(options.epsilon);
        const y = new Float32Array(x.length);
        for (let i = 0; i < x.length; i++) {
          const slope = gradient[i]!;
          const moved = Math.fround(x[i]! + (slope > 0 ? step : slope < 0 ? -step : 0));
          const offset = Math.min(Math.max(Math.fround(moved - clean[i]!), -radius), radius);
          y[i] = Math.min(Math.max(Math.fround(clean[i]! + offset), 0), 1);
        }
        return makeFloats(backend, info.shape, y);
      },
    },
  ],
  gradients: [],
};
