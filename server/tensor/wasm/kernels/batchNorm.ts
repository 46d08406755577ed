// KafscopeBatchNorm, its gradient, and KafscopeScaleShift over assembly/batchNorm.ts. The [C]-sized arithmetic is done here in
// float64.
import type * as tf from '@tensorflow/tfjs-core';
import type { WasmBackend } from '../wasmBackend.ts';
import { addParts, fixedParts } from '../threads/ranges.ts';
import { roundUp, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface Normalized {
  readonly x: tf.TensorInfo;
  readonly gamma: tf.TensorInfo;
  readonly beta: tf.TensorInfo;
}

interface NormalizedGradient {
  readonly dy: tf.TensorInfo;
  readonly x: tf.TensorInfo;
  readonly gamma: tf.TensorInfo;
  readonly mean: tf.TensorInfo;
  readonly variance: tf.TensorInfo;
}

interface ScaleAndShift {
  readonly x: tf.TensorInfo;
  readonly scale: tf.TensorInfo;
  readonly shift: tf.TensorInfo;
}

export const batchNormKernels: readonly WasmKernel[] = [
  wasmKernel<Normalized, { epsilon: number }>('KafscopeBatchNorm', ({ inputs: { x, gamma, beta }, attrs, backend }) => {
    const { nRows, nChannels, padded, rowsPerBlock, grain } = rowsOf(x, gamma);
    const parts = fixedParts(nRows, backend.grainOf('channelMoments', grain));
    const y = backend.place(x.shape);
    const mean = backend.place([nChannels]);
    const variance = backend.place([nChannels]);
    const gammas = channelValues(backend, gamma);
    const betas = channelValues(backend, beta);
    const means = backend.floats(mean.address, nChannels);
    const variances = backend.floats(variance.address, nChannels);
    const sizesBytes = [parts.length * padded * 16, padded * 4, padded * 4, padded * 4];
    backend.withScratch(sizesBytes, (moments, center, scale, shift) => {
      backend.run(
        'channelMoments',
        parts.map(([first, last], part) => [
          ...[backend.addressOf(x) + first * nChannels * 4, last - first, nChannels],
          ...[moments! + part * padded * 16, rowsPerBlock],
        ]),
      );
      const momentValues = combineMoments(
        new Float64Array(backend.pool.buffer, moments!, parts.length * padded * 2),
        parts,
        padded,
      );
      const centers = backend.floats(center!, padded).fill(0);
      const scales = backend.floats(scale!, padded).fill(0);
      const shifts = backend.floats(shift!, padded).fill(0);
      for (let channel = 0; channel < nChannels; channel++) {
        const channelVariance = nRows > 0 ? momentValues[2 * channel + 1]! / nRows : 0;
        means[channel] = momentValues[2 * channel]!;
        variances[channel] = channelVariance;
        centers[channel] = means[channel]!;
        scales[channel] = gammas[channel]! / Math.sqrt(channelVariance + attrs.epsilon);
        // What rounding the mean to float32 has moved.
        shifts[channel] = betas[channel]! + (centers[channel]! - momentValues[2 * channel]!) * scales[channel]!;
      }
      const fixed = [backend.addressOf(x), y.address, nChannels, center!, scale!, shift!];
      backend.runOver(nRows, grain, 'normalizeRows', (...range) => [...fixed, ...range, rowsPerBlock]);
    });
    return [y.info, mean.info, variance.info];
  }),
  wasmKernel<NormalizedGradient, { epsilon: number }>('KafscopeBatchNormGrad', ({ inputs, attrs, backend }) => {
    const { dy, x, gamma } = inputs;
    const { nRows, nChannels, padded, rowsPerBlock, grain } = rowsOf(x, gamma);
    const parts = fixedParts(nRows, backend.grainOf('gradientSums', grain));
    const dx = backend.place(x.shape);
    const dgamma = backend.place([nChannels]);
    const dbeta = backend.place([nChannels]);
    const gammas = channelValues(backend, gamma);
    const means = channelValues(backend, inputs.mean);
    const variances = channelValues(backend, inputs.variance);
    const dgammas = backend.floats(dgamma.address, nChannels);
    const dbetas = backend.floats(dbeta.address, nChannels);
    const sizesBytes = [parts.length * padded * 16, padded * 4, padded * 4, padded * 4, padded * 4];
    backend.withScratch(sizesBytes, (sums, center, a, b, c) => {
      const centers = backend.floats(center!, padded).fill(0);
      centers.set(means);
      backend.run(
        'gradientSums',
        parts.map(([first, last], part) => [
          ...[backend.addressOf(dy) + first * nChannels * 4, backend.addressOf(x) + first * nChannels * 4],
          ...[last - first, nChannels, center!, sums! + part * padded * 16, rowsPerBlock],
        ]),
      );
      const sumValues = addParts(new Float64Array(backend.pool.buffer, sums!, parts.length * padded * 2), padded * 2);
      const onSlope = backend.floats(a!, padded).fill(0);
      const onCentred = backend.floats(b!, padded).fill(0);
      const constant = backend.floats(c!, padded).fill(0);
      for (let channel = 0; channel < nChannels; channel++) {
        const inverse = 1 / Math.sqrt(variances[channel]! + attrs.epsilon);
        const slopeSum = sumValues[2 * channel]!;
        const productSum = sumValues[2 * channel + 1]! * inverse;
        dbetas[channel] = slopeSum;
        dgammas[channel] = productSum;
        const scale = gammas[channel]! * inverse;
        onSlope[channel] = scale;
        onCentred[channel] = (-scale * inverse * productSum) / nRows;
        constant[channel] = (-scale * slopeSum) / nRows;
      }
      const fixed = [backend.addressOf(dy), backend.addressOf(x), dx.address, nChannels, center!, a!, b!, c!];
      backend.runOver(nRows, grain, 'normalizeGradientRows', (...range) => [...fixed, ...range, rowsPerBlock]);
    });
    return [dx.info, dgamma.info, dbeta.info];
  }),
  wasmKernel<ScaleAndShift, unknown>('KafscopeScaleShift', ({ inputs: { x, scale, shift }, backend }) => {
    const { nRows, nChannels, padded, rowsPerBlock, grain } = rowsOf(x, scale);
    const y = backend.place(x.shape);
    backend.withScratch([padded * 4, padded * 4, padded * 4], (center, a, b) => {
      backend.floats(center!, padded).fill(0);
      backend.floats(a!, padded).fill(0).set(channelValues(backend, scale));
      backend.floats(b!, padded).fill(0).set(channelValues(backend, shift));
      const fixed = [backend.addressOf(x), y.address, nChannels, center!, a!, b!];
      backend.runOver(nRows, grain, 'normalizeRows', (...range) => [...fixed, ...range, rowsPerBlock]);
    });
    return y.info;
  }),
];

function rowsOf(
  x: tf.TensorInfo,
  perChannel: tf.TensorInfo,
): { nRows: number; nChannels: number; padded: number; rowsPerBlock: number; grain: number } {
  const nChannels = sizeOf(perChannel);
  // A block of two such arrays stays in the first-level cache.
  const rowsPerBlock = Math.max(1, Math.min(256, Math.floor(3072 / Math.max(1, nChannels))));
  return {
    nRows: nChannels === 0 ? 0 : sizeOf(x) / nChannels,
    nChannels,
    padded: roundUp(nChannels, 4),
    rowsPerBlock,
    grain: 8 * rowsPerBlock,
  };
}

/** The moments of all rows from those of each part, in the parts' order (Chan, Golub & LeVeque 1983): [padded][mean, squares]. */
function combineMoments(
  moments: Float64Array,
  parts: readonly (readonly [first: number, last: number])[],
  padded: number,
): Float64Array {
  const total = new Float64Array(padded * 2);
  parts.forEach(([first, last], part) => {
    const count = last - first;
    for (let channel = 0; channel < 2 * padded; channel += 2) {
      const at = part * padded * 2 + channel;
      const delta = moments[at]! - total[channel]!;
      total[channel]! += (delta * count) / last;
      total[channel + 1]! += moments[at + 1]! + (delta * delta * first * count) / last;
    }
  });
  return total;
}

function channelValues(backend: WasmBackend, tensor: tf.TensorInfo): Float32Array {
  return backend.floats(backend.addressOf(tensor), sizeOf(tensor));
}
