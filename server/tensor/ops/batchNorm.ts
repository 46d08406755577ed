// Batch normalisation over all axes but the last: in training by the batch's statistics, in inference by given ones.
// Running averages of the statistics are the business of server/model.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype, expectFloats, lastAxis } from './checkTensor.ts';
import { floatsOf, inputOf, makeFloats, type OpDefinition } from './cpuKernel.ts';

export interface BatchNormResult<T extends tf.Tensor> {
  readonly y: T;
  /** `[C]` */
  readonly mean: tf.Tensor1D;
  /** `[C]`, biased: divided by the number of rows. */
  readonly variance: tf.Tensor1D;
}

/**
 * Batch normalisation in training, y = γ(x − μ)/√(σ² + ε) + β (Ioffe and Szegedy, 2015, algorithm 1).
 * @param x `[…, C]` float32. @param gamma `[C]` @param beta `[C]` @param epsilon added to the variance, ≥ 0.
 * @returns y like x, and the batch's statistics, through which no gradient flows.
 * @throws TypeError if a tensor is not float32; RangeError if a shape does not fit.
 * Sums are taken in two passes (mean first). Without rows, mean and variance are 0. A NaN or Inf makes its channel NaN.
 */
export function batchNormTraining<T extends tf.Tensor>(
  x: T,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
): BatchNormResult<T> {
  expectDtype('batchNormTraining', 'x', x, 'float32');
  const nChannels = lastAxis('batchNormTraining', 'x', x);
  expectFloats('batchNormTraining', 'gamma', gamma, [nChannels]);
  expectFloats('batchNormTraining', 'beta', beta, [nChannels]);
  const [y, mean, variance] = tf
    .engine()
    .runKernel<tf.Tensor[]>('KafscopeBatchNorm', { x, gamma, beta }, { epsilon }) as [T, tf.Tensor1D, tf.Tensor1D];
  return { y, mean, variance };
}

/**
 * Batch normalisation by given statistics, the same equation.
 * @param x `[…, C]` float32. Others `[C]`. The gradient is with respect to x alone.
 * @throws TypeError if a tensor is not float32; RangeError if a shape does not fit.
 */
export function batchNormInference<T extends tf.Tensor>(
  x: T,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  mean: tf.Tensor1D,
  variance: tf.Tensor1D,
  epsilon: number,
): T {
  const nChannels = lastAxis('batchNormInference', 'x', x);
  for (const [name, tensor] of Object.entries({ gamma, beta, mean, variance })) {
    expectFloats('batchNormInference', name, tensor, [nChannels]);
  }
  return tf.tidy(() => {
    const scale = tf.div<tf.Tensor1D>(gamma, tf.sqrt(tf.add(variance, epsilon)));
    return scaleShift(x, scale, tf.sub(beta, tf.mul(mean, scale)));
  });
}

/**
 * y = scale·x + shift for each channel.
 * @param x `[…, C]` float32. @param scale `[C]` @param shift `[C]`
 * @throws TypeError if a tensor is not float32; RangeError if a shape does not fit.
 */
export function scaleShift<T extends tf.Tensor>(x: T, scale: tf.Tensor1D, shift: tf.Tensor1D): T {
  expectDtype('scaleShift', 'x', x, 'float32');
  const nChannels = lastAxis('scaleShift', 'x', x);
  expectFloats('scaleShift', 'scale', scale, [nChannels]);
  expectFloats('scaleShift', 'shift', shift, [nChannels]);
  return tf.engine().runKernel('KafscopeScaleShift', { x, scale, shift });
}

export const batchNormOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeBatchNorm',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const x = inputOf(inputs, 'x');
        const gamma = floatsOf(backend, inputs['gamma']);
        const beta = floatsOf(backend, inputs['beta']);
        const { y, mean, variance } = normalize(floatsOf(backend, x), gamma, beta, Number(attrs?.['epsilon']));
        return [
          makeFloats(backend, x.shape, y),
          makeFloats(backend, [gamma.length], mean),
          makeFloats(backend, [gamma.length], variance),
        ];
      },
    },
    {
      kernelName: 'KafscopeBatchNormGrad',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const x = inputOf(inputs, 'x');
        const gamma = floatsOf(backend, inputs['gamma']);
        const { dx, dgamma, dbeta } = normalizeGrad(
          floatsOf(backend, inputs['dy']),
          floatsOf(backend, x),
          gamma,
          floatsOf(backend, inputs['mean']),
          floatsOf(backend, inputs['variance']),
          Number(attrs?.['epsilon']),
        );
        return [
          makeFloats(backend, x.shape, dx),
          makeFloats(backend, [gamma.length], dgamma),
          makeFloats(backend, [gamma.length], dbeta),
        ];
      },
    },
    {
      kernelName: 'KafscopeScaleShift',
      kernelFunc: ({ inputs, backend }) => {
        const info = inputOf(inputs, 'x');
        const x = floatsOf(backend, info);
        const scale = floatsOf(backend, inputs['scale']);
        const shift = floatsOf(backend, inputs['shift']);
        const nChannels = scale.length;
        const y = new Float32Array(x.length);
        for (let i = 0; i < x.length; i++) y[i] = x[i]! * scale[i % nChannels]! + shift[i % nChannels]!;
        return makeFloats(backend, info.shape, y);
      },
    },
  ],
  gradients: [
    {
      kernelName: 'KafscopeBatchNorm',
      inputsToSave: ['x', 'gamma'],
      outputsToSave: [false, true, true],
      gradFunc: (dys, saved, attrs) => {
        const [dy] = dys as [tf.Tensor, tf.Tensor, tf.Tensor];
        const [x, gamma, mean, variance] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
        const [dx, dgamma, dbeta] = tf
          .engine()
          .runKernel<tf.Tensor[]>('KafscopeBatchNormGrad', { dy, x, gamma, mean, variance }, attrs) as [
          tf.Tensor,
          tf.Tensor,
          tf.Tensor,
        ];
        return { x: () => dx, gamma: () => dgamma, beta: () => dbeta };
      },
    },
    {
      kernelName: 'KafscopeScaleShift',
      inputsToSave: ['x', 'scale'],
      gradFunc: (dys, saved) => {
        const dy = dys as tf.Tensor;
        const [x, scale] = saved as [tf.Tensor, tf.Tensor1D];
        const rows = [...x.shape.keys()].slice(0, -1);
        return {
          x: () => tf.engine().runKernel('KafscopeScaleShift', { x: dy, scale, shift: tf.zerosLike(scale) }),
          scale: () => tf.sum(tf.mul(dy, x), rows),
          shift: () => tf.sum(dy, rows),
        };
      },
    },
  ],
};

function normalize(
  x: Float32Array,
  gamma: Float32Array,
  beta: Float32Array,
  epsilon: number,
): { y: Float32Array; mean: Float32Array; variance: Float32Array } {
  const nChannels = gamma.length;
  const nRows = nChannels === 0 ? 0 : x.length / nChannels;
  const means = new Float64Array(nChannels);
  const variances = new Float64Array(nChannels);
  for (let i = 0; i < x.length; i++) means[i % nChannels] = means[i % nChannels]! + x[i]!;
  if (nRows > 0) for (let c = 0; c < nChannels; c++) means[c] = means[c]! / nRows;
  for (let i = 0; i < x.length; i++) {
    const centred = x[i]! - means[i % nChannels]!;
    variances[i % nChannels] = variances[i % nChannels]! + centred * centred;
  }
  if (nRows > 0) for (let c = 0; c < nChannels; c++) variances[c] = variances[c]! / nRows;
  const scales = variances.map((variance, c) => gamma[c]! / Math.sqrt(variance + epsilon));
  const y = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const c = i % nChannels;
    y[i] = (x[i]! - means[c]!) * scales[c]! + beta[c]!;
  }
  return { y, mean: Float32Array.from(means), variance: Float32Array.from(variances) };
}

/** dx = γ/√(σ² + ε) · (dy − mean(dy) − x̂·mean(dy·x̂)), dgamma = Σ dy·x̂, dbeta = Σ dy. */
function normalizeGrad(
  dy: Float32Array,
  x: Float32Array,
  gamma: Float32Array,
  mean: Float32Array,
  variance: Float32Array,
  epsilon: number,
): { dx: Float32Array; dgamma: Float32Array; dbeta: Float32Array } {
  const nChannels = gamma.length;
  const nRows = nChannels === 0 ? 0 : x.length / nChannels;
  const inverse = Float64Array.from(variance, (value) => 1 / Math.sqrt(value + epsilon));
  const dgamma = new Float64Array(nChannels);
  const dbeta = new Float64Array(nChannels);
  for (let i = 0; i < x.length; i++) {
    const c = i % nChannels;
    dgamma[c] = dgamma[c]! + dy[i]! * (x[i]! - mean[c]!) * inverse[c]!;
    dbeta[c] = dbeta[c]! + dy[i]!;
  }
  const dx = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const c = i % nChannels;
    const normalized = (x[i]! - mean[c]!) * inverse[c]!;
    dx[i] = gamma[c]! * inverse[c]! * (dy[i]! - (dbeta[c]! + normalized * dgamma[c]!) / nRows);
  }
  return { dx, dgamma: Float32Array.from(dgamma), dbeta: Float32Array.from(dbeta) };
}
