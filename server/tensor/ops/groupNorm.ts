// Group normalisation: each sample by the statistics of groups of its own channels. With one group it is layer normalisation over a
// sample's whole feature map. Nothing of other samples enters, so that training and inference are the same.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype, expectFloats, lastAxis } from './checkTensor.ts';
import { floatsOf, inputOf, makeFloats, type OpDefinition } from './cpuKernel.ts';

/**
 * y = γ(x − μ)/√(σ² + ε) + β, μ and σ² over the rows and the C/groups channels of a sample's group (Wu & He, 2018, equations 1, 2
 * and 6; with one group Ba, Kiros & Hinton, 2016).
 * @param x `[N, …, C]` float32. @param gamma `[C]` @param beta `[C]` @param groups divides C. @param epsilon ≥ 0.
 * @returns y like x.
 * @throws TypeError if a tensor is not float32; RangeError if a shape does not fit or groups is no divisor of C.
 * A NaN or Inf makes its sample's group NaN.
 */
export function groupNorm<T extends tf.Tensor>(
  x: T,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  { groups, epsilon }: { readonly groups: number; readonly epsilon: number },
): T {
  expectDtype('groupNorm', 'x', x, 'float32');
  const nChannels = lastAxis('groupNorm', 'x', x);
  expectFloats('groupNorm', 'gamma', gamma, [nChannels]);
  expectFloats('groupNorm', 'beta', beta, [nChannels]);
  if (!(Number.isInteger(groups) && groups >= 1 && nChannels % groups === 0)) {
    throw new RangeError(`groupNorm: expected groups to divide ${String(nChannels)} channels, got ${String(groups)}`);
  }
  const [y] = tf.engine().runKernel<tf.Tensor[]>('KafscopeGroupNorm', { x, gamma, beta }, { groups, epsilon });
  return y as T;
}

/** Of x `[N, …, C]`: N samples of so many rows of C channels. */
export function samplesOf(shape: readonly number[]): { nSamples: number; nRows: number; nChannels: number } {
  const nChannels = shape.at(-1)!;
  return { nSamples: shape[0]!, nRows: shape.slice(1, -1).reduce((rows, length) => rows * length, 1), nChannels };
}

export const groupNormOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeGroupNorm',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const x = inputOf(inputs, 'x');
        const gamma = floatsOf(backend, inputs['gamma']);
        const beta = floatsOf(backend, inputs['beta']);
        const groups = Number(attrs?.['groups']);
        const values = floatsOf(backend, x);
        const { mean, variance } = statistics(values, x.shape, groups);
        const y = new Float32Array(values.length);
        eachValue(x.shape, groups, (index, channel, group) => {
          const scale = gamma[channel]! / Math.sqrt(variance[group]! + Number(attrs?.['epsilon']));
          y[index] = (values[index]! - mean[group]!) * scale + beta[channel]!;
        });
        const perGroup = [x.shape[0]!, groups];
        return [
          makeFloats(backend, x.shape, y),
          makeFloats(backend, perGroup, Float32Array.from(mean)),
          makeFloats(backend, perGroup, Float32Array.from(variance)),
        ];
      },
    },
    {
      kernelName: 'KafscopeGroupNormGrad',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const x = inputOf(inputs, 'x');
        const gamma = floatsOf(backend, inputs['gamma']);
        const [dy, values] = [floatsOf(backend, inputs['dy']), floatsOf(backend, x)];
        const [mean, variance] = [floatsOf(backend, inputs['mean']), floatsOf(backend, inputs['variance'])];
        const [groups, epsilon] = [Number(attrs?.['groups']), Number(attrs?.['epsilon'])];
        const inverse = Float64Array.from(variance, (value) => 1 / Math.sqrt(value + epsilon));
        const dgamma = new Float64Array(gamma.length);
        const dbeta = new Float64Array(gamma.length);
        const slopes = new Float64Array(mean.length);
        const products = new Float64Array(mean.length);
        eachValue(x.shape, groups, (index, channel, group) => {
          const normalized = (values[index]! - mean[group]!) * inverse[group]!;
          dgamma[channel]! += dy[index]! * normalized;
          dbeta[channel]! += dy[index]!;
          slopes[group]! += dy[index]! * gamma[channel]!;
          products[group]! += dy[index]! * gamma[channel]! * normalized;
        });
        const dx = new Float32Array(values.length);
        const nInGroup = values.length / mean.length;
        eachValue(x.shape, groups, (index, channel, group) => {
          const normalized = (values[index]! - mean[group]!) * inverse[group]!;
          const common = (slopes[group]! + normalized * products[group]!) / nInGroup;
          dx[index] = inverse[group]! * (dy[index]! * gamma[channel]! - common);
        });
        return [
          makeFloats(backend, x.shape, dx),
          makeFloats(backend, [gamma.length], Float32Array.from(dgamma)),
          makeFloats(backend, [gamma.length], Float32Array.from(dbeta)),
        ];
      },
    },
  ],
  gradients: [
    {
      kernelName: 'KafscopeGroupNorm',
      inputsToSave: ['x', 'gamma'],
      outputsToSave: [false, true, true],
      gradFunc: (dys, saved, attrs) => {
        const [dy] = dys as [tf.Tensor, tf.Tensor, tf.Tensor];
        const [x, gamma, mean, variance] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
        const [dx, dgamma, dbeta] = tf
          .engine()
          .runKernel<tf.Tensor[]>('KafscopeGroupNormGrad', { dy, x, gamma, mean, variance }, attrs) as [
          tf.Tensor,
          tf.Tensor,
          tf.Tensor,
        ];
        return { x: () => dx, gamma: () => dgamma, beta: () => dbeta };
      },
    },
  ],
};

/** Means and biased variances `[N, groups]`, two passes in float64. */
function statistics(
  x: Float32Array,
  shape: readonly number[],
  groups: number,
): { mean: Float64Array; variance: Float64Array } {
  const mean = new Float64Array(shape[0]! * groups);
  const variance = new Float64Array(mean.length);
  const nInGroup = x.length / Math.max(1, mean.length);
  eachValue(shape, groups, (index, _, group) => {
    mean[group]! += x[index]! / nInGroup;
  });
  eachValue(shape, groups, (index, _, group) => {
    variance[group]! += (x[index]! - mean[group]!) ** 2 / nInGroup;
  });
  return { mean, variance };
}

/** Calls with each value's index, its channel, and its place in `[N, groups]`. */
function eachValue(
  shape: readonly number[],
  groups: number,
  visit: (index: number, channel: number, group: number) => void,
): void {
  const { nSamples, nRows, nChannels } = samplesOf(shape);
  const width = nChannels / groups;
  let index = 0;
  for (let sample = 0; sample < nSamples; sample++) {
    for (let row = 0; row < nRows; row++) {
      for (let channel = 0; channel < nChannels; channel++) {
        visit(index++, channel, sample * groups + Math.floor(channel / width));
      }
    }
  }
}
