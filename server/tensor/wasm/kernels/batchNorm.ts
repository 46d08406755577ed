// KafscopeBatchNorm, its gradient, and KafscopeScaleShift over assembly/batchNorm.ts. The [C]-sized arithmetic is done here in
// float64.
import type * as tf from '@tensorflow/tfjs-core';
import type { Placed, WasmBackend } from '../wasmBackend.ts';
import { addParts, fixedParts } from '../threads/ranges.ts';
import { roundUp, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

export interface Normalized {
  readonly x: tf.TensorInfo;
  readonly gamma: tf.TensorInfo;
  readonly beta: tf.TensorInfo;
}

export interface NormalizedGradient {
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
  wasmKernel<Normalized, { epsilon: number }>('KafscopeBatchNorm', ({ inputs, attrs, backend }) => {
    const { nRows, nChannels, padded, rowsPerBlock, grain } = rowsOf(inputs.x, inputs.gamma);
    const { mean, variance, scales, shifts } = statisticsOf(backend, inputs, attrs.epsilon);
    const y = backend.place(inputs.x.shape);
    backend.withScratch([padded * 4, padded * 4, padded * 4], (center, scale, shift) => {
      backend.floats(center!, padded).fill(0).set(backend.floats(mean.address, nChannels));
      backend.floats(scale!, padded).fill(0).set(scales);
      backend.floats(shift!, padded).fill(0).set(shifts);
      const fixed = [backend.addressOf(inputs.x), y.address, nChannels, center!, scale!, shift!];
      backend.runOver(nRows, grain, 'normalizeRows', (...range) => [...fixed, ...range, rowsPerBlock]);
    });
    return [y.info, mean.info, variance.info];
  }),
  wasmKernel<NormalizedGradient, { epsilon: number }>('KafscopeBatchNormGrad', ({ inputs, attrs, backend }) => {
    const dx = backend.place(inputs.x.shape);
    const dy = backend.addressOf(inputs.dy);
    return [dx.info, ...differentiate(backend, inputs, attrs.epsilon, { dy, dx: dx.address })];
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

export interface Statistics {
  readonly mean: Placed;
  readonly variance: Placed;
  /** γ/√(σ² + ε), and what is added behind it: y = (x − mean)·scale + shift. One a channel. */
  readonly scales: Float32Array;
  readonly shifts: Float32Array;
}

/** Of a batch. */
export function statisticsOf(backend: WasmBackend, { x, gamma, beta }: Normalized, epsilon: number): Statistics {
  const { nRows, nChannels, padded, rowsPerBlock, grain } = rowsOf(x, gamma);
  const parts = fixedParts(nRows, backend.grainOf('channelMoments', grain));
  const [mean, variance] = [backend.place([nChannels]), backend.place([nChannels])];
  const [gammas, betas] = [channelValues(backend, gamma), channelValues(backend, beta)];
  const means = backend.floats(mean.address, nChannels);
  const variances = backend.floats(variance.address, nChannels);
  const [scales, shifts] = [new Float32Array(nChannels), new Float32Array(nChannels)];
  backend.withScratch([parts.length * padded * 16], (moments) => {
    backend.run(
      'channelMoments',
      parts.map(([first, last], part) => [
        ...[backend.addressOf(x) + first * nChannels * 4, last - first, nChannels],
        ...[moments! + part * padded * 16, rowsPerBlock],
      ]),
    );
    const ofParts = new Float64Array(backend.pool.buffer, moments!, parts.length * padded * 2);
    const momentValues = combineMoments(ofParts, parts, padded);
    for (let channel = 0; channel < nChannels; channel++) {
      const channelVariance = nRows > 0 ? momentValues[2 * channel + 1]! / nRows : 0;
      means[channel] = momentValues[2 * channel]!;
      variances[channel] = channelVariance;
      scales[channel] = gammas[channel]! / Math.sqrt(channelVariance + epsilon);
      // What rounding the mean to float32 has moved.
      shifts[channel] = betas[channel]! + (means[channel]! - momentValues[2 * channel]!) * scales[channel]!;
    }
  });
  return { mean, variance, scales, shifts };
}

/** Writes dx, which may take dy's place, and returns dγ and dβ. */
export function differentiate(
  backend: WasmBackend,
  inputs: Omit<NormalizedGradient, 'dy'>,
  epsilon: number,
  { dy, dx, sums = slopeSums(backend, inputs, dy) }: { readonly dy: number; readonly dx: number } & Partial<SlopeSums>,
): [dgamma: tf.TensorInfo, dbeta: tf.TensorInfo] {
  const { nRows, nChannels, padded, rowsPerBlock, grain } = rowsOf(inputs.x, inputs.gamma);
  const factors = gradientFactors(backend, { ...inputs, nRows, epsilon }, (channel) => [
    sums[2 * channel]!,
    sums[2 * channel + 1]!,
  ]);
  const { mean } = inputs;
  const figures = [channelValues(backend, mean), factors.onSlope, factors.onCentred, factors.constant];
  return backend.withScratch(
    figures.map(() => padded * 4),
    (...addresses) => {
      figures.forEach((values, index) => backend.floats(addresses[index]!, padded).fill(0).set(values));
      const fixed = [dy, backend.addressOf(inputs.x), dx, nChannels, ...addresses];
      backend.runOver(nRows, grain, 'normalizeGradientRows', (...range) => [...fixed, ...range, rowsPerBlock]);
      return [factors.dgamma.info, factors.dbeta.info];
    },
  );
}

interface SlopeSums {
  /** Σ dy and Σ dy·(x − mean): [⌈C/4⌉·4][2]. */
  readonly sums: Float64Array;
}

function slopeSums(
  backend: WasmBackend,
  { x, gamma, mean }: Pick<NormalizedGradient, 'x' | 'gamma' | 'mean'>,
  dy: number,
): Float64Array {
  const { nChannels, padded, rowsPerBlock } = rowsOf(x, gamma);
  return backend.withScratch([padded * 4], (center) => {
    backend.floats(center!, padded).fill(0).set(channelValues(backend, mean));
    return sumParts(backend, { x, gamma }, (parts, addressOf) => {
      backend.run(
        'gradientSums',
        parts.map(([first, last], part) => [
          ...[dy + first * nChannels * 4, backend.addressOf(x) + first * nChannels * 4, last - first, nChannels],
          ...[center!, addressOf(part), rowsPerBlock],
        ]),
      );
    });
  });
}

/** The sums over all rows, of which `run` leaves each part's, float64 [⌈C/4⌉·4][2], at its address. */
export function sumParts(
  backend: WasmBackend,
  { x, gamma }: Pick<NormalizedGradient, 'x' | 'gamma'>,
  run: (parts: readonly (readonly [first: number, last: number])[], addressOf: (part: number) => number) => void,
): Float64Array {
  const { nRows, padded, grain } = rowsOf(x, gamma);
  const parts = fixedParts(nRows, backend.grainOf('gradientSums', grain));
  return backend.withScratch([parts.length * padded * 16], (sums) => {
    run(parts, (part) => sums! + part * padded * 16);
    return addParts(new Float64Array(backend.pool.buffer, sums!, parts.length * padded * 2), padded * 2);
  });
}

/** dγ, dβ, and dx = dy·onSlope + (x − mean)·onCentred + constant, from Σ dy and Σ dy·(x − mean) of each channel. */
export function gradientFactors(
  backend: WasmBackend,
  {
    gamma,
    variance,
    nRows,
    epsilon,
  }: Pick<NormalizedGradient, 'gamma' | 'variance'> & { readonly nRows: number; readonly epsilon: number },
  sumsOf: (channel: number) => readonly [slopes: number, products: number],
): Record<'onSlope' | 'onCentred' | 'constant', Float32Array> & Record<'dgamma' | 'dbeta', Placed> {
  const nChannels = sizeOf(gamma);
  const [dgamma, dbeta] = [backend.place([nChannels]), backend.place([nChannels])];
  const gammas = channelValues(backend, gamma);
  const variances = channelValues(backend, variance);
  const dgammas = backend.floats(dgamma.address, nChannels);
  const dbetas = backend.floats(dbeta.address, nChannels);
  const onSlope = new Float32Array(nChannels);
  const onCentred = new Float32Array(nChannels);
  const constant = new Float32Array(nChannels);
  for (let channel = 0; channel < nChannels; channel++) {
    const inverse = 1 / Math.sqrt(variances[channel]! + epsilon);
    const [slopeSum, products] = sumsOf(channel);
    const productSum = products * inverse;
    dbetas[channel] = slopeSum;
    dgammas[channel] = productSum;
    const scale = gammas[channel]! * inverse;
    onSlope[channel] = scale;
    onCentred[channel] = (-scale * inverse * productSum) / nRows;
    constant[channel] = (-scale * slopeSum) / nRows;
  }
  return { onSlope, onCentred, constant, dgamma, dbeta };
}

export function rowsOf(
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

/** A vector of its own. */
export function placeValues(backend: WasmBackend, values: Float32Array): Placed {
  const placed = backend.place([values.length]);
  backend.floats(placed.address, values.length).set(values);
  return placed;
}

export function channelValues(backend: WasmBackend, tensor: tf.TensorInfo): Float32Array {
  return backend.floats(backend.addressOf(tensor), sizeOf(tensor));
}
