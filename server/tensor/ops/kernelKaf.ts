// Kernel activation functions of any kernels that ../../formula/kafKernels.ts has, alone or several beside each other; kaf.ts is the one
// of Gaussian kernels alone.
import * as tf from '@tensorflow/tfjs-core';

import type { KafKernelName } from '../../formula/kafKernels.ts';
import * as reference from '../reference/kernelKaf.ts';
import { expectDtype, expectFloats, expectRank, lastAxis } from './checkTensor.ts';
import { floatsOf, inputOf, makeFloats, type OpDefinition } from './cpuKernel.ts';
import { trainedGradient } from './trainedGradient.ts';

export interface KernelKafOptions {
  /** M kernels, at least one. */
  readonly kernels: readonly KafKernelName[];
  /** The dictionary is uniform on [−boundary, boundary]. */
  readonly boundary: number;
  /** Of those kernels that have a width, > 0. */
  readonly gamma: number;
  readonly base: 'none' | 'swish';
  /** `input` leaves out the gradient with respect to alpha, as an attack may. */
  readonly gradients: 'all' | 'input';
}

/**
 * f(x) = base(x) + Σₘ Σᵢ αₘᵢ κₘ(x, dᵢ) (Scardapane et al., 2017, eq. 6, for each kernel).
 * @param x `[…, C]` float32.
 * @param alpha `[C, M·D]` float32 with D ≥ 2: the coefficients of the first kernel, then of the second, …
 * @returns `[…, C]`. NaN gives NaN; ±Inf the limit, or NaN where the coefficients of rising kernels sum to 0.
 * @throws TypeError if a tensor is not float32; RangeError if a shape does not fit.
 * Accuracy: within 1e-5·Σ|α|·sup|κ| of float64 on every runtime, where sup is over the x at hand.
 */
export function kernelKaf<T extends tf.Tensor>(x: T, alpha: tf.Tensor2D, options: KernelKafOptions): T {
  const { kernels } = options;
  expectDtype('kernelKaf', 'x', x, 'float32');
  const nChannels = lastAxis('kernelKaf', 'x', x);
  expectRank('kernelKaf', 'alpha', alpha, 2);
  const dictionary = Math.floor(alpha.shape[1] / kernels.length);
  if (!(dictionary >= 2)) {
    const got = `${String(alpha.shape[1])} coefficients for ${String(kernels.length)} kernels`;
    throw new RangeError(`kernelKaf: expected a dictionary of at least 2 elements, got ${got}`);
  }
  expectFloats('kernelKaf', 'alpha', alpha, [nChannels, kernels.length * dictionary]);
  return tf.engine().runKernel('KafscopeKernelKaf', { x, alpha }, { ...options, kernels: [...kernels] });
}

/**
 * The coefficients of a multi-KAF: those of one dictionary, αᵢ, shared by all kernels, and a weight of each kernel, μₘ
 * (Scardapane et al., 2019, “Multikernel activation functions”).
 * @param alpha `[C, D]` float32. @param mixture `[C, M]` float32.
 * @returns `[C, M·D]`, μₘ·αᵢ, as `kernelKaf` takes them.
 */
export function mixKernels(alpha: tf.Tensor2D, mixture: tf.Tensor2D): tf.Tensor2D {
  const [nChannels, size] = alpha.shape;
  const nKernels = mixture.shape[1];
  expectFloats('mixKernels', 'mixture', mixture, [nChannels, nKernels]);
  const op = tf.customGrad((...inputs) => {
    const [alphas, weights, save] = inputs as unknown as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([alphas, weights]);
    const value = tf.mul(tf.reshape(weights, [nChannels, nKernels, 1]), tf.reshape(alphas, [nChannels, 1, size]));
    return {
      value: tf.reshape(value, [nChannels, nKernels * size]),
      gradFunc: (dy, saved) => {
        const [savedAlphas, savedWeights] = saved as [tf.Tensor, tf.Tensor];
        const slopes = tf.reshape(dy as tf.Tensor, [nChannels, nKernels, size]);
        const ofAlpha = tf.mul(slopes, tf.reshape(savedWeights, [nChannels, nKernels, 1]));
        const ofMixture = tf.mul(slopes, tf.reshape(savedAlphas, [nChannels, 1, size]));
        return [tf.sum(ofAlpha, 1), tf.sum(ofMixture, 2)];
      },
    };
  });
  return op(alpha, mixture) as tf.Tensor2D;
}

export const kernelKafOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeKernelKaf',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const x = inputOf(inputs, 'x');
        const alpha = inputOf(inputs, 'alpha');
        const options = optionsOf(alpha, attrs as unknown as KernelKafOptions);
        const y = reference.kernelKaf(floatsOf(backend, x), floatsOf(backend, alpha), options);
        return makeFloats(backend, x.shape, Float32Array.from(y));
      },
    },
    {
      kernelName: 'KafscopeKernelKafGrad',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const x = inputOf(inputs, 'x');
        const alpha = inputOf(inputs, 'alpha');
        const options = optionsOf(alpha, attrs as unknown as KernelKafOptions);
        const [dy, xs, alphas] = [inputs['dy'], x, alpha].map((tensor) => floatsOf(backend, tensor));
        const { dx, dalpha } = reference.kernelKafGradients(dy!, xs!, alphas!, options);
        const wantsAlpha = attrs?.['gradients'] === 'all';
        return [
          makeFloats(backend, x.shape, Float32Array.from(dx)),
          makeFloats(backend, wantsAlpha ? alpha.shape : [0], Float32Array.from(wantsAlpha ? dalpha : [])),
        ];
      },
    },
  ],
  gradients: [trainedGradient('KafscopeKernelKaf', 'kernelKaf', ['alpha'])],
};

function optionsOf({ shape }: tf.TensorInfo, options: KernelKafOptions): reference.KernelKafReference {
  const { kernels, boundary, gamma, base } = options;
  return { channels: shape[0]!, dictionary: shape[1]! / kernels.length, kernels, boundary, gamma, base };
}
