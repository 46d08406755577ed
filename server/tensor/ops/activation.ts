// The fixed activations, elementwise, with their derivatives. Trainable ones are in channelActivation.ts, kaf.ts and freeKaf.ts.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype } from './checkTensor.ts';
import { floatsOf, inputOf, makeFloats, type OpDefinition } from './cpuKernel.ts';

export type ActivationType =
  'relu' | 'elu' | 'swish' | 'step' | 'sigmoid' | 'tanh' | 'leaky-relu' | 'gelu' | 'softplus' | 'smooth-relu';

export interface ActivationAttributes {
  readonly type: ActivationType;
  /** ELU's α, the slope of leaky ReLU, softplus's a, SmoothReLU's β, the reach of a step's gradient; others ignore it. */
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

/**
 * Threshold, 1 for x ≥ 0 and 0 otherwise. Its derivative is 0 everywhere; with a reach above 0 the gradient passes straight
 * through where |x| < reach (Bengio et al., 2013; clipped at 1 by Hubara et al., 2016, eq. 4).
 * @param x float32 of any shape. NaN gives NaN, and no gradient.
 * @throws TypeError if x is not float32.
 */
export function step<T extends tf.Tensor>(x: T, reach = 0): T {
  return runActivation(x, { type: 'step', alpha: reach });
}

/**
 * Logistic sigmoid, σ(x) = 1/(1 + exp(−x)).
 * @param x float32 of any shape. NaN gives NaN.
 * @throws TypeError if x is not float32.
 */
export function sigmoid<T extends tf.Tensor>(x: T): T {
  return runActivation(x, { type: 'sigmoid', alpha: 0 });
}

/**
 * Hyperbolic tangent.
 * @param x float32 of any shape. NaN gives NaN.
 * @throws TypeError if x is not float32.
 */
export function tanh<T extends tf.Tensor>(x: T): T {
  return runActivation(x, { type: 'tanh', alpha: 0 });
}

/**
 * Leaky ReLU, x for x > 0 and slope·x otherwise (Maas et al., 2013). The derivative at 0 is the slope.
 * @param x float32 of any shape. NaN gives NaN.
 * @throws TypeError if x is not float32.
 */
export function leakyRelu<T extends tf.Tensor>(x: T, slope: number): T {
  return runActivation(x, { type: 'leaky-relu', alpha: slope });
}

/**
 * GELU, x·Φ(x) with the exact Φ, not its approximation by tanh (Hendrycks and Gimpel, 2016).
 * @param x float32 of any shape. NaN gives NaN, −Inf the limit 0.
 * @throws TypeError if x is not float32.
 * Accuracy: Φ within 1.2e-7 of itself, and of 1 − Φ (see normalTail).
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  return runActivation(x, { type: 'gelu', alpha: 0 });
}

/**
 * Softplus, (1/a)·log(1 + exp(a·x)) (Dugas et al., 2001, for a = 1); nearer to ReLU the larger a.
 * @param x float32 of any shape. NaN gives NaN, −Inf the limit 0.
 * @throws TypeError if x is not float32; RangeError unless a is above 0.
 */
export function softplus<T extends tf.Tensor>(x: T, a: number): T {
  if (!(a > 0)) throw new RangeError(`softplus: expected a above 0, got ${String(a)}`);
  return runActivation(x, { type: 'softplus', alpha: a });
}

/**
 * SmoothReLU, x − (1/β)·log(βx + 1) for x ≥ 0 and 0 otherwise (Xie et al., 2020, §4.2).
 * @param x float32 of any shape. NaN gives NaN.
 * @throws TypeError if x is not float32; RangeError unless β is above 0.
 */
export function smoothRelu<T extends tf.Tensor>(x: T, beta: number): T {
  if (!(beta > 0)) throw new RangeError(`smooth-relu: expected beta above 0, got ${String(beta)}`);
  return runActivation(x, { type: 'smooth-relu', alpha: beta });
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

function activate(x: Float32Array, type: ActivationType, alpha: number): Float32Array {
  return x.map(valueOf(type, alpha));
}

function activateGrad(dy: Float32Array, x: Float32Array, type: ActivationType, alpha: number): Float32Array {
  const slope = slopeOf(type, alpha);
  return x.map((value, i) => {
    const factor = slope(value);
    // Nothing passes where the slope is 0, not even an infinity.
    return factor === 0 ? 0 : dy[i]! * factor;
  });
}

function valueOf(type: ActivationType, alpha: number): (x: number) => number {
  switch (type) {
    case 'relu':
      return (x) => Math.max(x, 0);
    case 'elu':
      return (x) => (x > 0 ? x : alpha * Math.expm1(x));
    case 'swish':
      return swishValue;
    case 'step':
      return (x) => (x >= 0 ? 1 : x < 0 ? 0 : x);
    case 'sigmoid':
      return logistic;
    case 'tanh':
      return Math.tanh;
    case 'leaky-relu':
      return (x) => (x > 0 ? x : alpha * x);
    case 'gelu':
      return geluValue;
    case 'softplus':
      return (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(alpha * x))) / alpha;
    case 'smooth-relu':
      // The clamp keeps Inf − Inf out.
      return (x) => (x <= 0 ? 0 : x - Math.log1p(Math.min(alpha * x, Number.MAX_VALUE)) / alpha);
  }
}

function slopeOf(type: ActivationType, alpha: number): (x: number) => number {
  switch (type) {
    case 'relu':
      // As in PyTorch, a NaN x lets dy through: the loss is NaN then anyway.
      return (x) => (x <= 0 ? 0 : 1);
    case 'elu':
      return (x) => (x > 0 ? 1 : alpha * Math.exp(x));
    case 'swish':
      return swishSlope;
    case 'step':
      return (x) => (Math.abs(x) < alpha ? 1 : 0);
    case 'sigmoid':
      return (x) => logistic(x) * logistic(-x);
    case 'tanh':
      return (x) => 1 - Math.tanh(x) ** 2;
    case 'leaky-relu':
      return (x) => (x > 0 ? 1 : alpha);
    case 'gelu':
      return geluSlope;
    case 'softplus':
      return (x) => logistic(alpha * x);
    case 'smooth-relu':
      return (x) => (x <= 0 ? 0 : 1 - 1 / (1 + alpha * x));
  }
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function geluValue(x: number): number {
  // Beyond −40 the value is under 1e-300; clamping there keeps −Inf·0 out.
  const clamped = Math.max(x, -40);
  const tail = normalTail(Math.abs(x));
  return clamped * (x > 0 ? 1 - tail : tail);
}

/** Φ(x) + x·φ(x), with its limits 0 and 1. */
function geluSlope(x: number): number {
  const clamped = Math.min(Math.max(x, -40), 40);
  const tail = normalTail(Math.abs(clamped));
  const density = Math.exp((-clamped * clamped) / 2) / Math.sqrt(2 * Math.PI);
  return (clamped > 0 ? 1 - tail : tail) + clamped * density;
}

/**
 * 1 − Φ(x) = ½·erfc(x/√2) for x ≥ 0, by the Chebyshev fit of Press et al. (Numerical Recipes in C, 2nd ed., §6.2): within
 * 1.2e-7 of itself everywhere.
 */
function normalTail(x: number): number {
  const z = x * Math.SQRT1_2;
  const t = 1 / (1 + z / 2);
  const exponent = tailCoefficients.reduceRight((sum, coefficient) => sum * t + coefficient, 0);
  return (t / 2) * Math.exp(exponent - z * z);
}

const tailCoefficients = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
];
