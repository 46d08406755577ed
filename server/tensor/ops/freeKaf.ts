// The kernel activation function whose dictionary and bandwidth are trained as well (KAF_Free of the thesis, §7.1), with all four
// gradients. Without a uniform grid every kernel is an exponential; kaf.ts is the fast one.
import * as tf from '@tensorflow/tfjs-core';

import { swishSlope, swishValue } from './swish.ts';
import { expectDtype, expectFloats, expectRank, lastAxis } from './checkTensor.ts';
import { floatsOf, inputOf, makeFloats, type OpDefinition } from './cpuKernel.ts';
import { trainedGradient } from './trainedGradient.ts';

export interface FreeKafOptions {
  /** `swish` makes it a residual KAF: swish(x) is added. */
  readonly base: 'none' | 'swish';
  /** `input` leaves out all gradients but x's, as an attack may. */
  readonly gradients: 'all' | 'input';
}

/**
 * KAF, f(x) = base(x) + Σᵢ αᵢ exp(−γ(x − dᵢ)²) with α, d and γ = exp(logGamma) of each channel, so that γ stays above 0.
 * Gradients: ∂f/∂dᵢ = 2γ(x − dᵢ)αᵢκᵢ and ∂f/∂(log γ) = −γ Σᵢ αᵢ(x − dᵢ)²κᵢ.
 * @param x `[…, C]` float32.
 * @param alpha `[C, D]` float32. @param dictionary `[C, D]` float32. @param logGamma `[C]` float32.
 * @returns `[…, C]`. NaN gives NaN; ±Inf the limit, which is base's.
 * @throws TypeError if a tensor is not float32; RangeError if a shape does not fit.
 */
export function freeKaf<T extends tf.Tensor>(
  x: T,
  alpha: tf.Tensor2D,
  dictionary: tf.Tensor2D,
  logGamma: tf.Tensor1D,
  options: FreeKafOptions,
): T {
  expectDtype('freeKaf', 'x', x, 'float32');
  const nChannels = lastAxis('freeKaf', 'x', x);
  expectRank('freeKaf', 'alpha', alpha, 2);
  expectFloats('freeKaf', 'alpha', alpha, [nChannels, alpha.shape[1]]);
  expectFloats('freeKaf', 'dictionary', dictionary, alpha.shape);
  expectFloats('freeKaf', 'logGamma', logGamma, [nChannels]);
  return tf.engine().runKernel('KafscopeFreeKaf', { x, alpha, dictionary, logGamma }, { ...options });
}

export const freeKafOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeFreeKaf',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { base } = attrs as unknown as FreeKafOptions;
        const x = inputOf(inputs, 'x');
        const coefficients = coefficientsOf(backend, inputs);
        return makeFloats(backend, x.shape, forward(floatsOf(backend, x), coefficients, base));
      },
    },
    {
      kernelName: 'KafscopeFreeKafGrad',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { base, gradients } = attrs as unknown as FreeKafOptions;
        const x = inputOf(inputs, 'x');
        const alpha = inputOf(inputs, 'alpha');
        const dy = floatsOf(backend, inputs['dy']);
        const computed = backward(dy, floatsOf(backend, x), coefficientsOf(backend, inputs), base);
        const sums = [
          [alpha.shape, computed.dalpha],
          [alpha.shape, computed.ddictionary],
          [inputOf(inputs, 'logGamma').shape, computed.dlogGamma],
        ] as const;
        return [
          makeFloats(backend, x.shape, computed.dx),
          ...sums.map(([shape, values]) =>
            gradients === 'all'
              ? makeFloats(backend, shape, Float32Array.from(values))
              : makeFloats(backend, [0], new Float32Array(0)),
          ),
        ];
      },
    },
  ],
  gradients: [trainedGradient('KafscopeFreeKaf', 'freeKaf', ['alpha', 'dictionary', 'logGamma'])],
};

interface Coefficients {
  readonly alpha: Float32Array;
  readonly dictionary: Float32Array;
  /** γ of each channel. */
  readonly gamma: Float64Array;
  /** D. */
  readonly size: number;
}

function coefficientsOf(backend: object, inputs: tf.NamedTensorInfoMap): Coefficients {
  return {
    alpha: floatsOf(backend, inputs['alpha']),
    dictionary: floatsOf(backend, inputs['dictionary']),
    gamma: Float64Array.from(floatsOf(backend, inputs['logGamma']), Math.exp),
    size: inputOf(inputs, 'alpha').shape[1]!,
  };
}

function forward(x: Float32Array, { alpha, dictionary, gamma, size }: Coefficients, base: 'none' | 'swish') {
  return x.map((value, n) => {
    const channel = n % gamma.length;
    let sum = base === 'swish' ? swishValue(value) : 0;
    for (let k = channel * size; k < (channel + 1) * size; k++) {
      sum += alpha[k]! * Math.exp(-gamma[channel]! * (value - dictionary[k]!) ** 2);
    }
    return sum;
  });
}

/** Sums in float64 over the rows in order. */
function backward(
  dy: Float32Array,
  x: Float32Array,
  { alpha, dictionary, gamma, size }: Coefficients,
  base: 'none' | 'swish',
): { dx: Float32Array; dalpha: Float64Array; ddictionary: Float64Array; dlogGamma: Float64Array } {
  const dalpha = new Float64Array(alpha.length);
  const ddictionary = new Float64Array(alpha.length);
  const dlogGamma = new Float64Array(gamma.length);
  const dx = x.map((value, n) => {
    const channel = n % gamma.length;
    const upstream = dy[n]!;
    const rate = gamma[channel]!;
    let slope = base === 'swish' ? swishSlope(value) : 0;
    for (let k = channel * size; k < (channel + 1) * size; k++) {
      const kernel = Math.exp(-rate * (value - dictionary[k]!) ** 2);
      // A kernel that is 0 has no slope, also where x − d is infinite.
      const offset = kernel === 0 ? 0 : value - dictionary[k]!;
      const pull = 2 * rate * offset * alpha[k]! * kernel;
      slope -= pull;
      dalpha[k]! += upstream * kernel;
      ddictionary[k]! += upstream * pull;
      dlogGamma[channel]! -= (upstream * pull * offset) / 2;
    }
    return upstream * slope;
  });
  return { dx, dalpha, ddictionary, dlogGamma };
}
