// KafscopeGroupNorm and its gradient over the kernels of batch normalisation (assembly/batchNorm.ts), a call for each sample: what is
// summed over groups of channels is summed here in float64, so nothing depends on the number of threads.
import type * as tf from '@tensorflow/tfjs-core';
import { samplesOf } from '../../ops/groupNorm.ts';
import type { WasmBackend } from '../wasmBackend.ts';
import { roundUp, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface Attributes {
  readonly groups: number;
  readonly epsilon: number;
}

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

export const groupNormKernels: readonly WasmKernel[] = [
  wasmKernel<Normalized, Attributes>('KafscopeGroupNorm', ({ inputs: { x, gamma, beta }, attrs, backend }) => {
    const sizes = sizesOf(x, attrs.groups);
    const { nSamples, nRows, nChannels, padded, width, groups, rowsPerBlock } = sizes;
    const y = backend.place(x.shape);
    const mean = backend.place([nSamples, groups]);
    const variance = backend.place([nSamples, groups]);
    const [gammas, betas] = [gamma, beta].map((values) => backend.floats(backend.addressOf(values), nChannels));
    const means = backend.floats(mean.address, nSamples * groups);
    const variances = backend.floats(variance.address, nSamples * groups);
    const perSample = nSamples * padded * 4;
    backend.withScratch([nSamples * padded * 16, perSample, perSample, perSample], (moments, center, scale, shift) => {
      const calls = eachSample(sizes, (sample, offset) => [
        ...[backend.addressOf(x) + offset, nRows, nChannels],
        ...[moments! + sample * padded * 16, rowsPerBlock],
      ]);
      backend.run('channelMoments', calls);
      const values = new Float64Array(backend.pool.buffer, moments!, nSamples * padded * 2);
      const [centers, scales, shifts] = [center, scale, shift].map((at) => rowsAt(backend, at!, sizes));
      for (let group = 0; group < nSamples * groups; group++) {
        const sample = Math.floor(group / groups);
        const first = (group % groups) * width;
        const { mean: groupMean, variance: groupVariance } = combined(values, sample * padded + first, width, nRows);
        means[group] = groupMean;
        variances[group] = groupVariance;
        const inverse = 1 / Math.sqrt(groupVariance + attrs.epsilon);
        for (let channel = first; channel < first + width; channel++) {
          const at = sample * padded + channel;
          centers![at] = groupMean;
          scales![at] = gammas![channel]! * inverse;
          // What rounding the mean to float32 has moved.
          shifts![at] = betas![channel]! + (centers![at]! - groupMean) * scales![at]!;
        }
      }
      backend.run(
        'normalizeRows',
        eachSample(sizes, (sample, offset) => [
          ...[backend.addressOf(x) + offset, y.address + offset, nChannels],
          ...[center!, scale!, shift!].map((at) => at + sample * padded * 4),
          ...[0, nRows, rowsPerBlock],
        ]),
      );
    });
    return [y.info, mean.info, variance.info];
  }),
  wasmKernel<NormalizedGradient, Attributes>('KafscopeGroupNormGrad', ({ inputs, attrs, backend }) => {
    const { dy, x, gamma } = inputs;
    const sizes = sizesOf(x, attrs.groups);
    const { nSamples, nRows, nChannels, padded, width, groups, rowsPerBlock } = sizes;
    const dx = backend.place(x.shape);
    const dgamma = backend.place([nChannels]);
    const dbeta = backend.place([nChannels]);
    const gammas = backend.floats(backend.addressOf(gamma), nChannels);
    const [means, variances] = [inputs.mean, inputs.variance].map((values) =>
      backend.floats(backend.addressOf(values), nSamples * groups),
    );
    const perSample = nSamples * padded * 4;
    const sizesBytes = [nSamples * padded * 16, perSample, perSample, perSample, perSample];
    backend.withScratch(sizesBytes, (sums, center, a, b, c) => {
      const [centers, onSlope, onCentred, constant] = [center, a, b, c].map((at) => rowsAt(backend, at!, sizes));
      for (let at = 0; at < nSamples * padded; at++) {
        const channel = at % padded;
        if (channel < nChannels) centers![at] = means![Math.floor(at / padded) * groups + Math.floor(channel / width)]!;
      }
      backend.run(
        'gradientSums',
        eachSample(sizes, (sample, offset) => [
          ...[backend.addressOf(dy) + offset, backend.addressOf(x) + offset, nRows, nChannels],
          ...[center! + sample * padded * 4, sums! + sample * padded * 16, rowsPerBlock],
        ]),
      );
      const values = new Float64Array(backend.pool.buffer, sums!, nSamples * padded * 2);
      const dgammas = new Float64Array(nChannels);
      const dbetas = new Float64Array(nChannels);
      for (let group = 0; group < nSamples * groups; group++) {
        const sample = Math.floor(group / groups);
        const first = (group % groups) * width;
        const inverse = 1 / Math.sqrt(variances![group]! + attrs.epsilon);
        let slopes = 0;
        let products = 0;
        for (let channel = first; channel < first + width; channel++) {
          const at = 2 * (sample * padded + channel);
          const [slope, product] = [values[at]!, values[at + 1]! * inverse];
          dbetas[channel]! += slope;
          dgammas[channel]! += product;
          slopes += gammas[channel]! * slope;
          products += gammas[channel]! * product;
        }
        const nInGroup = nRows * width;
        for (let channel = first; channel < first + width; channel++) {
          const at = sample * padded + channel;
          onSlope![at] = gammas[channel]! * inverse;
          onCentred![at] = (-inverse * inverse * products) / nInGroup;
          constant![at] = (-inverse * slopes) / nInGroup;
        }
      }
      backend.floats(dgamma.address, nChannels).set(dgammas);
      backend.floats(dbeta.address, nChannels).set(dbetas);
      backend.run(
        'normalizeGradientRows',
        eachSample(sizes, (sample, offset) => [
          ...[backend.addressOf(dy) + offset, backend.addressOf(x) + offset, dx.address + offset, nChannels],
          ...[center!, a!, b!, c!].map((at) => at + sample * padded * 4),
          ...[0, nRows, rowsPerBlock],
        ]),
      );
    });
    return [dx.info, dgamma.info, dbeta.info];
  }),
];

interface Sizes extends ReturnType<typeof samplesOf> {
  readonly groups: number;
  /** Channels of a group. */
  readonly width: number;
  readonly padded: number;
  readonly rowsPerBlock: number;
}

function sizesOf(x: tf.TensorInfo, groups: number): Sizes {
  const samples = samplesOf(x.shape);
  const { nChannels } = samples;
  // As of batch normalisation: a block of two such arrays stays in the first-level cache.
  const rowsPerBlock = Math.max(1, Math.min(256, Math.floor(3072 / Math.max(1, nChannels))));
  return { ...samples, groups, width: nChannels / groups, padded: roundUp(nChannels, 4), rowsPerBlock };
}

/** `offset` is that of the sample's first value in bytes. */
function eachSample(
  { nSamples, nRows, nChannels }: Sizes,
  argumentsOf: (sample: number, offset: number) => readonly number[],
): (readonly number[])[] {
  return Array.from({ length: nSamples }, (_, sample) => argumentsOf(sample, sample * nRows * nChannels * 4));
}

/** A row of channels for each sample, 0 to begin with. */
function rowsAt(backend: WasmBackend, address: number, { nSamples, padded }: Sizes): Float32Array {
  return backend.floats(address, nSamples * padded).fill(0);
}

/** Mean and variance of a group from those of its channels, each over as many rows (Chan, Golub & LeVeque, 1983). */
function combined(
  moments: Float64Array,
  first: number,
  width: number,
  nRows: number,
): { mean: number; variance: number } {
  let mean = 0;
  let squares = 0;
  for (let channel = 0; channel < width; channel++) {
    const at = 2 * (first + channel);
    const delta = moments[at]! - mean;
    mean += delta / (channel + 1);
    squares += moments[at + 1]! + (delta * delta * channel * nRows) / (channel + 1);
  }
  return { mean, variance: nRows === 0 ? 0 : squares / (width * nRows) };
}
