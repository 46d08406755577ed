// The fixed activations: ReLU, ELU, Swish; elementwise, with their derivatives. Trainable ones are in kaf.ts.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype } from './checkTensor.ts';
import { floatsOf, inputOf, makeFloats, type OpDefinition } from './cpuKernel.ts';

export interface ActivationAttributes {
  readonly type: 'relu' | 'elu' | 'swish';
  /** ELU's scale for negative x; other types ignore it. */
  readonly alpha: number;
}

/**
 * ReLU, max(0, x). The derivative at 0 is 0.
 * @param x float32 of any shape. NaN gives NaN.
 * @throws TypeError if x is not float32.
 */
export function relu<T extends tf.Tensor>(x: T): T {
  return runActivation(x, { type: 'relu', alpha: 0 });
}

/**
 * ELU, x for x > 0 and alpha·(exp(x) − 1) otherwise (Clevert et al., 2015, eq. 15).
 * @param x float32 of any shape. NaN gives NaN, −Inf gives −alpha.
 * @throws TypeError if x is not float32.
 */
export function elu<T extends tf.Tensor>(x: T, alpha: number): T {
  return runActivation(x, { type: 'elu', alpha });
}

/**
 * Swish, x·σ(x) (Ramachandran et al., 2017), also called SiLU.
 * @param x float32 of any shape. NaN gives NaN, −Inf the limit 0.
 * @throws TypeError if x is not float32.
 */
export function swish<T extends tf.Tensor>(x: T): T {
  return runActivation(x, { type: 'swish', alpha: 0 });
}

/** x·σ(x), with its limits at ±Inf. */
export function swishValue(x: number): number {
  // Below −100 the value is under 4e-42 in magnitude; clamping there keeps −Inf/Inf out.
  const clamped = Math.max(x, -100);
  return clamped / (1 + Math.exp(-clamped));
}

/** σ(x)·(1 + x·(1 − σ(x))), with its limits 0 and 1 at ±Inf. */
export function swishSlope(x: number): number {
  const clamped = Math.min(Math.max(x, -100), 100);
  const sigmoid = 1 / (1 + Math.exp(-clamped));
  return sigmoid * (1 + clamped * (1 - sigmoid));
}

export const activationOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeActivation',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { type, alpha } = attrs as unknown as ActivationAttributes;
        const x = inputOf(inputs, 'x');
        return makeFloats(backend, x.shape, activate(floatsOf(backend, x), type, alpha));
      },
    },
    {
      kernelName: 'KafscopeActivationGrad',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { type, alpha } = attrs as unknown as ActivationAttributes;
        const x = inputOf(inputs, 'x');
        const dy = floatsOf(backend, inputs['dy']);
        return makeFloats(backend, x.shape, activateGrad(dy, floatsOf(backend, x), type, alpha));
      },
    },
  ],
  gradients: [
    {
      kernelName: 'KafscopeActivation',
      inputsToSave: ['x'],
      gradFunc: (dy, saved, attrs) => ({
        x: () => {
          const [x] = saved as [tf.Tensor];
          return tf.engine().runKernel('KafscopeActivationGrad', { dy: dy as tf.Tensor, x }, attrs);
        },
      }),
    },
  ],
};

function runActivation<T extends tf.Tensor>(x: T, attributes: ActivationAttributes): T {
  expectDtype(attributes.type, 'x', x, 'float32');
  return tf.engine().runKernel('KafscopeActivation', { x }, { ...attributes });
}

function activate(x: Float32Array, name: ActivationAttributes['type'], alpha: number): Float32Array {
  const y = new Float32Array(x.length);
  switch (name) {
    case 'relu':
      for (let i = 0; i < x.length; i++) y[i] = Math.max(x[i]!, 0);
      break;
    case 'elu':
      for (let i = 0; i < x.length; i++) y[i] = x[i]! > 0 ? x[i]! : alpha * Math.expm1(x[i]!);
      break;
    case 'swish':
      for (let i = 0; i < x.length; i++) y[i] = swishValue(x[i]!);
      break;
    default:
      name satisfies never;
  }
  return y;
}

function activateGrad(
  dy: Float32Array,
  x: Float32Array,
  name: ActivationAttributes['type'],
  alpha: number,
): Float32Array {
  const dx = new Float32Array(x.length);
  switch (name) {
    case 'relu':
      // As in PyTorch, a NaN x lets dy through: the loss is NaN then anyway.
      for (let i = 0; i < x.length; i++) dx[i] = x[i]! <= 0 ? 0 : dy[i]!;
      break;
    case 'elu':
      for (let i = 0; i < x.length; i++) dx[i] = x[i]! > 0 ? dy[i]! : dy[i]! * alpha * Math.exp(x[i]!);
      break;
    case 'swish':
      for (let i = 0; i < x.length; i++) dx[i] = dy[i]! * swishSlope(x[i]!);
      break;
    default:
      name satisfies never;
  }
  return dx;
}
