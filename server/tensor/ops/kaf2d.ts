// The two-dimensional kernel activation function, of pairs of channels, with its gradients with respect to x and alpha.
import * as tf from '@tensorflow/tfjs-core';

import * as reference from '../reference/kaf2d.ts';
import { expectDtype, expectFloats, expectRank, lastAxis } from './checkTensor.ts';
import { floatsOf, inputOf, makeFloats, type OpDefinition } from './cpuKernel.ts';
import { trainedGradient } from './trainedGradient.ts';

export interface Kaf2dOptions {
  /** The dictionary is the D × D points of a uniform grid on [−boundary, boundary]². */
  readonly boundary: number;
  /** Inverse squared width of the Gaussian kernels, > 0. */
  readonly gamma: number;
  /** `input` leaves out the gradient with respect to alpha, as an attack may. */
  readonly gradients: 'all' | 'input';
}

/**
 * 2D-KAF, f(u, v) = Σᵢ Σⱼ αᵢⱼ exp(−γ((u − dᵢ)² + (v − dⱼ)²)) (Scardapane et al., 2017, §3.2): channels c and C + c of x are a pair and
 * become one. The kernel is a product, so no runtime makes a D²-fold tensor; `wasm` evaluates 2·D cubics that are off by float32's rounding.
 * @param x `[…, 2·C]` float32.
 * @param alpha `[C, D·D]` float32 with D ≥ 2, row i of the first.
 * @returns `[…, C]`. NaN in one of a pair gives NaN; ±Inf the limit 0.
 * @throws TypeError if a tensor is not float32; RangeError if a shape does not fit.
 */
export function kaf2d(x: tf.Tensor, alpha: tf.Tensor2D, { boundary, gamma, gradients }: Kaf2dOptions): tf.Tensor {
  expectDtype('kaf2d', 'x', x, 'float32');
  const width = lastAxis('kaf2d', 'x', x);
  if (width % 2 !== 0) throw new RangeError(`kaf2d: expected x with pairs of channels, got ${String(width)} channels`);
  expectRank('kaf2d', 'alpha', alpha, 2);
  const side = Math.round(Math.sqrt(alpha.shape[1]));
  if (side < 2) throw new RangeError(`kaf2d: expected at least 2 × 2 coefficients, got ${String(alpha.shape[1])}`);
  expectFloats('kaf2d', 'alpha', alpha, [width / 2, side * side]);
  return tf.engine().runKernel('KafscopeKaf2d', { x, alpha }, { boundary, gamma, gradients });
}

export const kaf2dOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeKaf2d',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const x = inputOf(inputs, 'x');
        const alpha = inputOf(inputs, 'alpha');
        const y = reference.kaf2d(floatsOf(backend, x), floatsOf(backend, alpha), optionsOf(alpha, attrs));
        return makeFloats(backend, [...x.shape.slice(0, -1), alpha.shape[0]!], Float32Array.from(y));
      },
    },
    {
      kernelName: 'KafscopeKaf2dGrad',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const x = inputOf(inputs, 'x');
        const alpha = inputOf(inputs, 'alpha');
        const [dy, xs, alphas] = [inputs['dy'], x, alpha].map((tensor) => floatsOf(backend, tensor));
        const { dx, dalpha } = reference.kaf2dGradients(dy!, xs!, alphas!, optionsOf(alpha, attrs));
        const wantsAlpha = attrs?.['gradients'] === 'all';
        return [
          makeFloats(backend, x.shape, Float32Array.from(dx)),
          makeFloats(backend, wantsAlpha ? alpha.shape : [0], Float32Array.from(wantsAlpha ? dalpha : [])),
        ];
      },
    },
  ],
  gradients: [trainedGradient('KafscopeKaf2d', 'kaf2d', ['alpha'])],
};

function optionsOf({ shape }: tf.TensorInfo, attrs: tf.NamedAttrMap | undefined): reference.Kaf2dReference {
  const { boundary, gamma } = attrs as unknown as Kaf2dOptions;
  return { channels: shape[0]!, side: Math.round(Math.sqrt(shape[1]!)), boundary, gamma };
}
