// The kernel activation function (KAF) with its gradients with respect to x and alpha.
// Dictionary and bandwidth are fixed here; how alpha is initialised is the business of server/model.
import * as tf from '@tensorflow/tfjs-core';

import { swishSlope, swishValue } from './swish.ts';
import { expectDtype, expectFloats, expectRank, lastAxis } from './checkTensor.ts';
import { floatsOf, inputOf, makeFloats, type OpDefinition } from './cpuKernel.ts';
import { trainedGradient } from './trainedGradient.ts';

export interface KafOptions {
  /** The dictionary is uniform on [−boundary, boundary]. */
  readonly boundary: number;
  /** Inverse squared width of the Gaussian kernels, > 0. */
  readonly gamma: number;
  /** `swish` makes it a residual KAF: swish(x) is added. */
  readonly base: 'none' | 'swish';
  /** `input` leaves out the gradient with respect to alpha, as an attack may. */
  readonly gradients: 'all' | 'input';
}

/**
 * KAF, f(x) = base(x) + Σᵢ αᵢ exp(−γ(x − dᵢ)²) (Scardapane et al., 2017, eq. 6), one α per channel.
 * @param x `[…, C]` float32.
 * @param alpha `[C, D]` float32 with D ≥ 2.
 * @returns `[…, C]`. NaN gives NaN; ±Inf the limit, which is base's.
 * @throws TypeError if a tensor is not float32; RangeError if a shape does not fit.
 * Accuracy: within 1e-5·Σ|α| of float64 on every runtime. No runtime makes a D-fold tensor: `cpu` walks from the nearest dictionary
 * element outwards by a recurrence, `wasm` evaluates cubics that are off by float32's rounding, `tensorflow` loops over the dictionary.
 */
export function kaf<T extends tf.Tensor>(x: T, alpha: tf.Tensor2D, options: KafOptions): T {
  const { boundary, gamma, base, gradients } = options;
  expectDtype('kaf', 'x', x, 'float32');
  const nChannels = lastAxis('kaf', 'x', x);
  expectRank('kaf', 'alpha', alpha, 2);
  const dictionary = alpha.shape[1];
  expectFloats('kaf', 'alpha', alpha, [nChannels, dictionary]);
  if (dictionary < 2)
    throw new RangeError(`kaf: expected a dictionary of at least 2 elements, got ${String(dictionary)}`);
  // The forward kernel ignores `gradients`; the attribute is there for the gradient, which tfjs hands the same attributes.
  return tf.engine().runKernel('KafscopeKaf', { x, alpha }, { boundary, gamma, base, gradients });
}

export const kafOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeKaf',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const x = inputOf(inputs, 'x');
        const alpha = inputOf(inputs, 'alpha');
        const y = forward(
          floatsOf(backend, x),
          floatsOf(backend, alpha),
          channelsOf(alpha),
          attrs as unknown as KafOptions,
        );
        return makeFloats(backend, x.shape, y);
      },
    },
    {
      kernelName: 'KafscopeKafGrad',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const x = inputOf(inputs, 'x');
        const alpha = inputOf(inputs, 'alpha');
        const options = attrs as unknown as KafOptions;
        const { dx, dalpha } = backward(
          floatsOf(backend, inputs['dy']),
          floatsOf(backend, x),
          floatsOf(backend, alpha),
          channelsOf(alpha),
          options,
        );
        const alphaShape = options.gradients === 'all' ? alpha.shape : [0];
        return [makeFloats(backend, x.shape, dx), makeFloats(backend, alphaShape, dalpha)];
      },
    },
  ],
  gradients: [trainedGradient('KafscopeKaf', 'kaf', ['alpha'])],
};

interface Channels {
  readonly count: number;
  readonly dictionary: number;
}

function channelsOf(alpha: tf.TensorInfo): Channels {
  const [count, dictionary] = alpha.shape as [number, number];
  return { count, dictionary };
}

/**
 * The recurrence: with u = x − dⱼ, κⱼ = exp(−γu²), and to the right κᵢ₊₁ = κᵢ·r, r ← r·q with r = exp(2γΔu − γΔ²) at
 * first and q = exp(−2γΔ²); to the left alike with −u. From the nearest j all kernels decrease, so none overflows.
 */
function forward(
  x: Float32Array,
  alpha: Float32Array,
  { count, dictionary }: Channels,
  options: KafOptions,
): Float32Array {
  const { boundary, gamma, base } = options;
  const step = (2 * boundary) / (dictionary - 1);
  const shrink = Math.exp(-2 * gamma * step * step);
  const y = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const value = x[i]!;
    const row = (i % count) * dictionary;
    const nearest = nearestElement(value, boundary, step, dictionary);
    const offset = value - (nearest * step - boundary);
    const peak = Math.exp(-gamma * offset * offset);
    let sum = alpha[row + nearest]! * peak;
    let kernel = peak;
    let ratio = Math.exp(gamma * step * (2 * offset - step));
    for (let k = nearest + 1; k < dictionary && kernel > 0; k++) {
      kernel *= ratio;
      ratio *= shrink;
      sum += alpha[row + k]! * kernel;
    }
    kernel = peak;
    ratio = Math.exp(gamma * step * (-2 * offset - step));
    for (let k = nearest - 1; k >= 0 && kernel > 0; k--) {
      kernel *= ratio;
      ratio *= shrink;
      sum += alpha[row + k]! * kernel;
    }
    y[i] = base === 'swish' ? swishValue(value) + sum : sum;
  }
  return y;
}

/** dx = dy·(base′(x) − 2γ Σ αᵢ(x − dᵢ)κᵢ) and dalpha = Σ dy·κᵢ, summed in float64 over the rows in order. */
function backward(
  dy: Float32Array,
  x: Float32Array,
  alpha: Float32Array,
  { count, dictionary }: Channels,
  options: KafOptions,
): { dx: Float32Array; dalpha: Float32Array } {
  const { boundary, gamma, base, gradients } = options;
  const step = (2 * boundary) / (dictionary - 1);
  const kernels = new Float64Array(dictionary);
  const sums = new Float64Array(gradients === 'all' ? count * dictionary : 0);
  const dx = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const value = x[i]!;
    const row = (i % count) * dictionary;
    fillKernels(kernels, value, boundary, gamma, step);
    let slope = 0;
    for (let k = 0; k < dictionary; k++) {
      const kernel = kernels[k]!;
      // A kernel that is 0 has slope 0, also where x − d is infinite.
      if (kernel !== 0) slope += alpha[row + k]! * kernel * (value - (k * step - boundary));
    }
    slope *= -2 * gamma;
    if (base === 'swish') slope += swishSlope(value);
    dx[i] = dy[i]! * slope;
    if (gradients === 'all') for (let k = 0; k < dictionary; k++) sums[row + k] = sums[row + k]! + dy[i]! * kernels[k]!;
  }
  return { dx, dalpha: Float32Array.from(sums) };
}

function fillKernels(kernels: Float64Array, value: number, boundary: number, gamma: number, step: number): void {
  const shrink = Math.exp(-2 * gamma * step * step);
  const nearest = nearestElement(value, boundary, step, kernels.length);
  const offset = value - (nearest * step - boundary);
  const peak = Math.exp(-gamma * offset * offset);
  kernels[nearest] = peak;
  let kernel = peak;
  let ratio = Math.exp(gamma * step * (2 * offset - step));
  for (let k = nearest + 1; k < kernels.length; k++) {
    // 0·Inf, at an infinite x, is no kernel but NaN.
    kernel = kernel === 0 ? 0 : kernel * ratio;
    ratio *= shrink;
    kernels[k] = kernel;
  }
  kernel = peak;
  ratio = Math.exp(gamma * step * (-2 * offset - step));
  for (let k = nearest - 1; k >= 0; k--) {
    kernel = kernel === 0 ? 0 : kernel * ratio;
    ratio *= shrink;
    kernels[k] = kernel;
  }
}

/** Index of the dictionary element nearest to x; 0 for NaN, which then spreads through the offset. */
function nearestElement(x: number, boundary: number, step: number, dictionary: number): number {
  const index = Math.round((x + boundary) / step);
  return index > 0 ? Math.min(index, dictionary - 1) : 0;
}
