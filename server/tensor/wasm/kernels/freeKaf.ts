// KafscopeFreeKaf and KafscopeFreeKafGrad over assembly/freeKaf.ts, and of many rows over the cubics of assembly/kaf.ts.
import type * as tf from '@tensorflow/tfjs-core';
import type { FreeKafOptions } from '../../ops/freeKaf.ts';
import { addParts, fixedParts } from '../threads/ranges.ts';
import type { WasmBackend } from '../wasmBackend.ts';
import { evaluateOnGrid, slopeOnGrid, sumOnGrid, withTableOfValues } from './cubics.ts';
import { freeGrid, nodesOf, rowsPerEntry, type CubicGrid } from './kafGrid.ts';
import { roundUp, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface Inputs {
  readonly x: tf.TensorInfo;
  readonly alpha: tf.TensorInfo;
  readonly dictionary: tf.TensorInfo;
  readonly logGamma: tf.TensorInfo;
}

type Base = FreeKafOptions['base'];

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

/** Rows of [·, C] in the memory. */
interface Rows {
  readonly nRows: number;
  readonly x: number;
}

interface GradientRows extends Rows {
  readonly dy: number;
  readonly dx: number;
}

/** Of each element by D exponentials; of many rows by cubics on a grid, through the values at its nodes. */
export function runFreeKaf(
  backend: WasmBackend,
  x: tf.TensorInfo,
  coefficients: FreeKafCoefficients,
  base: Base,
): tf.TensorInfo {
  const { nChannels } = coefficients;
  const y = backend.place(x.shape);
  if (sizeOf(x) === 0) return y.info;
  const rows = { nRows: sizeOf(x) / nChannels, x: backend.addressOf(x), y: y.address };
  const grid = worthwhileGrid(coefficients, rows.nRows);
  if (!grid) {
    evaluateDirectly(backend, rows, coefficients, base);
    return y.info;
  }
  const nNodes = 4 * grid.nEntries;
  backend.withScratch([nNodes * nChannels * 4, nNodes * nChannels * 4], (nodes, values) => {
    fillNodes(backend, nodes!, grid, nChannels);
    evaluateDirectly(backend, { nRows: nNodes, x: nodes!, y: values! }, coefficients, 'none');
    withTableOfValues(backend, values!, grid, nChannels, (table) => {
      evaluateOnGrid(backend, rows, nChannels, grid, { table, base });
    });
  });
  return y.info;
}

/** @returns dx, and dα, dd and d(log γ), which are empty without `wantsAll` */
export function runFreeKafGradient(
  backend: WasmBackend,
  { dy, x }: { readonly dy: tf.TensorInfo; readonly x: tf.TensorInfo },
  coefficients: FreeKafCoefficients,
  { base, wantsAll }: { readonly base: Base; readonly wantsAll: boolean },
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
  const rows = {
    ...{ nRows: sizeOf(x) / nChannels, dx: dx.address },
    ...{ dy: backend.addressOf(dy), x: backend.addressOf(x) },
  };
  const grid = worthwhileGrid(coefficients, rows.nRows);
  const total = grid
    ? differentiateOnGrid(backend, rows, coefficients, grid, { base, wantsAll })
    : differentiateDirectly(backend, rows, coefficients, { base, wantsAll });
  if (!wantsAll) return outputs;
  forEachPlace(nChannels, size, (channel, place) => {
    dlogGamma[channel] = -gammas[channel]! * total[place.gamma]!;
    place.entries.forEach((entry, i) => {
      const index = channel * size + i;
      dalpha[index] = total[entry]!;
      ddictionary[index] = 2 * gammas[channel]! * alphas[index]! * total[entry + 4]!;
    });
  });
  return outputs;
}

function worthwhileGrid({ centres, gammas }: FreeKafCoefficients, nRows: number): CubicGrid | null {
  const grid = freeGrid(centres, gammas);
  return grid && nRows >= rowsPerEntry * grid.nEntries ? grid : null;
}

function evaluateDirectly(
  backend: WasmBackend,
  { nRows, x, y }: Rows & { readonly y: number },
  coefficients: FreeKafCoefficients,
  base: Base,
): void {
  const { nChannels, size } = coefficients;
  backend.withScratch([tableLength(nChannels, size) * 4], (table) => {
    fillTable(backend, table!, coefficients);
    const fixed = [x, y, nChannels, table!, size, base === 'swish' ? 1 : 0];
    const block = rowsPerBlock(nChannels);
    backend.runOver(nRows, grainOf(nChannels), 'freeKafForward', (...range) => [...fixed, ...range, block]);
  });
}

/** @returns the sums over all rows, placed as in a table; empty without `wantsAll` */
function differentiateDirectly(
  backend: WasmBackend,
  { nRows, dy, x, dx }: GradientRows,
  coefficients: FreeKafCoefficients,
  { base, wantsAll }: { readonly base: Base; readonly wantsAll: boolean },
): Float64Array {
  const { nChannels, size } = coefficients;
  const parts = fixedParts(nRows, backend.grainOf('freeKafBackward', grainOf(nChannels)));
  const length = tableLength(nChannels, size);
  const nSums = wantsAll ? parts.length * length : 0;
  return backend.withScratch([length * 4, nSums * 8], (table, totals) => {
    fillTable(backend, table!, coefficients);
    const fixed = [dy, x, dx, nChannels, table!, size, base === 'swish' ? 1 : 0];
    backend.run(
      'freeKafBackward',
      parts.map(([first, last], part) => [
        ...[...fixed, wantsAll ? totals! + part * length * 8 : 0, 0, first, last, rowsPerBlock(nChannels)],
      ]),
      { argument: fixed.length + 1, sizeBytes: (1 + 2 * size) * 16 },
    );
    return addParts(new Float64Array(backend.pool.buffer, totals!, nSums), length);
  });
}

/**
 * dx from the slopes at the nodes; the sums from Σ dy·g(x) = Σ w·g(node), with weights that the moments of the intervals give.
 */
function differentiateOnGrid(
  backend: WasmBackend,
  rows: GradientRows,
  coefficients: FreeKafCoefficients,
  grid: CubicGrid,
  { base, wantsAll }: { readonly base: Base; readonly wantsAll: boolean },
): Float64Array {
  const { nChannels } = coefficients;
  const nNodes = 4 * grid.nEntries;
  const sizeBytes = nNodes * nChannels * 4;
  return backend.withScratch([sizeBytes, sizeBytes, sizeBytes], (nodes, weights, slopes) => {
    fillNodes(backend, nodes!, grid, nChannels);
    backend.floats(weights!, nNodes * nChannels).fill(1);
    const atNodes = { nRows: nNodes, dy: weights!, x: nodes!, dx: slopes! };
    differentiateDirectly(backend, atNodes, coefficients, { base: 'none', wantsAll: false });
    withTableOfValues(backend, slopes!, grid, nChannels, (table) => {
      if (wantsAll) sumOnGrid(backend, rows, nChannels, grid, { table, base, weights: weights! });
      else slopeOnGrid(backend, rows, nChannels, grid, { table, base });
    });
    if (!wantsAll) return new Float64Array(0);
    return differentiateDirectly(backend, atNodes, coefficients, { base: 'none', wantsAll });
  });
}

function fillNodes(backend: WasmBackend, address: number, grid: CubicGrid, nChannels: number): void {
  const values = backend.floats(address, 4 * grid.nEntries * nChannels);
  nodesOf(grid).forEach((node, row) => values.fill(node, row * nChannels, (row + 1) * nChannels));
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
