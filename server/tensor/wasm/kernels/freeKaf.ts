// KafscopeFreeKaf and KafscopeFreeKafGrad over assembly/freeKaf.ts.
import type * as tf from '@tensorflow/tfjs-core';
import type { FreeKafOptions } from '../../ops/freeKaf.ts';
import { addParts, fixedParts } from '../threads/ranges.ts';
import type { WasmBackend } from '../wasmBackend.ts';
import { roundUp, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface Inputs {
  readonly x: tf.TensorInfo;
  readonly alpha: tf.TensorInfo;
  readonly dictionary: tf.TensorInfo;
  readonly logGamma: tf.TensorInfo;
}

/** Of each channel: [C][D] weights and centres, [C] γ. */
export interface FreeKafCoefficients {
  readonly nChannels: number;
  readonly size: number;
  readonly alphas: Float32Array;
  readonly centres: Float32Array;
  readonly gammas: Float64Array;
}

export const freeKafKernels: readonly WasmKernel[] = [
  wasmKernel<Inputs, FreeKafOptions>('KafscopeFreeKaf', ({ inputs, attrs, backend }) =>
    runFreeKaf(backend, inputs.x, coefficientsOf(backend, inputs), attrs.base),
  ),
  wasmKernel<Inputs & { readonly dy: tf.TensorInfo }, FreeKafOptions>(
    'KafscopeFreeKafGrad',
    ({ inputs, attrs, backend }) =>
      runFreeKafGradient(backend, inputs, coefficientsOf(backend, inputs), {
        base: attrs.base,
        wantsAll: attrs.gradients === 'all',
      }),
  ),
];

export function runFreeKaf(
  backend: WasmBackend,
  x: tf.TensorInfo,
  coefficients: FreeKafCoefficients,
  base: FreeKafOptions['base'],
): tf.TensorInfo {
  const { nChannels, size } = coefficients;
  const y = backend.place(x.shape);
  if (sizeOf(x) === 0) return y.info;
  backend.withScratch([tableLength(nChannels, size) * 4], (table) => {
    fillTable(backend, table!, coefficients);
    const fixed = [backend.addressOf(x), y.address, nChannels, table!, size, base === 'swish' ? 1 : 0];
    const block = rowsPerBlock(nChannels);
    backend.runOver(sizeOf(x) / nChannels, grainOf(nChannels), 'freeKafForward', (...range) => [
      ...[...fixed, ...range, block],
    ]);
  });
  return y.info;
}

/** @returns dx, and dα, dd and d(log γ), which are empty without `wantsAll` */
export function runFreeKafGradient(
  backend: WasmBackend,
  { dy, x }: { readonly dy: tf.TensorInfo; readonly x: tf.TensorInfo },
  coefficients: FreeKafCoefficients,
  { base, wantsAll }: { readonly base: FreeKafOptions['base']; readonly wantsAll: boolean },
): tf.TensorInfo[] {
  const { nChannels, size, alphas, gammas } = coefficients;
  const dx = backend.place(x.shape);
  const shapes = [[nChannels, size], [nChannels, size], [nChannels]];
  const sums = shapes.map((shape) => backend.place(wantsAll ? shape : [0]));
  const outputs = [dx, ...sums].map(({ info }) => info);
  const [dalpha, ddictionary, dlogGamma] = sums.map(({ info, address }) =>
    backend.floats(address, sizeOf(info)).fill(0),
  ) as [Float32Array, Float32Array, Float32Array];
  if (sizeOf(x) === 0) return outputs;
  const parts = fixedParts(sizeOf(x) / nChannels, grainOf(nChannels));
  const length = tableLength(nChannels, size);
  const nSums = wantsAll ? parts.length * length : 0;
  backend.withScratch([length * 4, nSums * 8], (table, totals) => {
    fillTable(backend, table!, coefficients);
    const fixed = [
      ...[backend.addressOf(dy), backend.addressOf(x), dx.address, nChannels, table!, size],
      base === 'swish' ? 1 : 0,
    ];
    backend.run(
      'freeKafBackward',
      parts.map(([first, last], part) => [
        ...[...fixed, wantsAll ? totals! + part * length * 8 : 0, 0, first, last, rowsPerBlock(nChannels)],
      ]),
      { argument: fixed.length + 1, sizeBytes: (1 + 2 * size) * 16 },
    );
    if (!wantsAll) return;
    const total = addParts(new Float64Array(backend.pool.buffer, totals!, nSums), length);
    forEachPlace(nChannels, size, (channel, place) => {
      dlogGamma[channel] = -gammas[channel]! * total[place.gamma]!;
      place.entries.forEach((entry, i) => {
        const index = channel * size + i;
        dalpha[index] = total[entry]!;
        ddictionary[index] = 2 * gammas[channel]! * alphas[index]! * total[entry + 4]!;
      });
    });
  });
  return outputs;
}

/** Numbers of a table, and of its sums: a group of four channels has four of γ and 8 an element. */
function tableLength(nChannels: number, size: number): number {
  return roundUp(nChannels, 4) * (1 + 2 * size);
}

function fillTable(
  backend: WasmBackend,
  table: number,
  { nChannels, size, alphas, centres, gammas }: FreeKafCoefficients,
): void {
  const values = backend.floats(table, tableLength(nChannels, size)).fill(0);
  forEachPlace(nChannels, size, (channel, place) => {
    values[place.gamma] = -gammas[channel]! * Math.LOG2E;
    place.entries.forEach((entry, i) => {
      values[entry] = alphas[channel * size + i]!;
      values[entry + 4] = centres[channel * size + i]!;
    });
  });
}

/** Calls back with the places of a channel in a table: of γ and, for each element, of the first of two numbers, 4 apart. */
function forEachPlace(
  nChannels: number,
  size: number,
  visit: (channel: number, place: { gamma: number; entries: number[] }) => void,
): void {
  for (let channel = 0; channel < nChannels; channel++) {
    const gamma = (channel >> 2) * 4 * (1 + 2 * size) + (channel & 3);
    visit(channel, { gamma, entries: Array.from({ length: size }, (_, i) => gamma + 4 + 8 * i) });
  }
}

function coefficientsOf(backend: WasmBackend, { alpha, dictionary, logGamma }: Inputs): FreeKafCoefficients {
  const [nChannels, size] = alpha.shape as [number, number];
  const valuesOf = (tensor: tf.TensorInfo) => backend.floats(backend.addressOf(tensor), sizeOf(tensor));
  return {
    ...{ nChannels, size },
    alphas: valuesOf(alpha),
    centres: valuesOf(dictionary),
    gammas: Float64Array.from(valuesOf(logGamma), Math.exp),
  };
}

/** Rows of one range, a multiple of a block, of some 1,000 values: each costs D exponentials. */
function grainOf(nChannels: number): number {
  return roundUp(Math.ceil(1024 / nChannels), rowsPerBlock(nChannels));
}

/** A multiple of the four rows that the kernels take at a time; x, dy and dx of a block then stay in the first-level cache. */
function rowsPerBlock(nChannels: number): number {
  return Math.max(4, Math.min(256, Math.floor(2048 / nChannels / 4) * 4));
}
