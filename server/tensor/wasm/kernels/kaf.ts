// KafscopeKaf and KafscopeKafGrad by cubics on a grid (cubics.ts); where kernels are too narrow or too wide for one, as a free KAF.
import type * as tf from '@tensorflow/tfjs-core';
import type { WasmBackend } from '../wasmBackend.ts';
import {
  channelsPerCall,
  clearPadding,
  differentiate,
  evaluateOnGrid,
  gradientParts,
  slopeOnGrid,
  tableBytes,
  type GradientRows,
} from './cubics.ts';
import { runFreeKaf, runFreeKafGradient, type FreeKafCoefficients } from './freeKaf.ts';
import { kafGrid, type KafGrid } from './kafGrid.ts';
import { roundUp, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

export interface KafAttributes {
  readonly boundary: number;
  readonly gamma: number;
  readonly base: 'none' | 'swish';
  readonly gradients: 'all' | 'input';
}

export const kafKernels: readonly WasmKernel[] = [
  wasmKernel<{ x: tf.TensorInfo; alpha: tf.TensorInfo }, KafAttributes>('KafscopeKaf', ({ inputs, attrs, backend }) => {
    const { x, alpha } = inputs;
    const { base, boundary, gamma } = attrs;
    const [nChannels, dictionary] = alpha.shape as [number, number];
    const grid = kafGrid(dictionary, boundary, gamma);
    if (!grid) return runFreeKaf(backend, x, coefficientsOf(backend, alpha, attrs), base);
    const y = backend.place(x.shape);
    if (sizeOf(x) === 0) return y.info;
    withTable(backend, alpha, grid, grid.values, (table) => {
      const rows = { nRows: sizeOf(x) / nChannels, x: backend.addressOf(x), y: y.address };
      evaluateOnGrid(backend, rows, nChannels, grid, { table, base });
    });
    return y.info;
  }),
  wasmKernel<{ dy: tf.TensorInfo; x: tf.TensorInfo; alpha: tf.TensorInfo }, KafAttributes>(
    'KafscopeKafGrad',
    ({ inputs, attrs, backend }) => {
      const { dy, x, alpha } = inputs;
      const { base, boundary, gamma } = attrs;
      const [nChannels, dictionary] = alpha.shape as [number, number];
      const wantsAlpha = attrs.gradients === 'all';
      const grid = kafGrid(dictionary, boundary, gamma);
      if (!grid) {
        const coefficients = coefficientsOf(backend, alpha, attrs);
        return runFreeKafGradient(backend, { dy, x }, coefficients, { base, wantsAll: wantsAlpha }).slice(0, 2);
      }
      const dx = backend.place(x.shape);
      const dalpha = backend.place(wantsAlpha ? alpha.shape : [0]);
      const dalphaValues = backend.floats(dalpha.address, sizeOf(dalpha.info)).fill(0);
      if (sizeOf(x) === 0) return [dx.info, dalpha.info];
      const rows = {
        ...{ nRows: sizeOf(x) / nChannels, dx: dx.address },
        ...{ dy: backend.addressOf(dy), x: backend.addressOf(x) },
      };
      withTable(backend, alpha, grid, grid.slopes, (table) => {
        if (wantsAlpha) dalphaValues.set(alphaSums(backend, rows, [nChannels, dictionary], grid, { table, base }));
        else slopeOnGrid(backend, rows, nChannels, grid, { table, base });
      });
      return [dx.info, dalpha.info];
    },
  ),
];

/** dx and, as it returns, Σ dy·κ: [C][D]. */
export function alphaSums(
  backend: WasmBackend,
  rows: GradientRows,
  [nChannels, dictionary]: readonly [number, number],
  grid: KafGrid,
  { table, base }: { readonly table: number; readonly base: 'none' | 'swish' },
): Float64Array {
  const parts = gradientParts(backend, rows.nRows, nChannels);
  const nSums = channelsPerCall * dictionary;
  return backend.withScratch([grid.values.byteLength, parts.length * nSums * 4], (pieces, sums) => {
    backend.floats(pieces!, grid.values.length).set(grid.values);
    const fixed = [pieces!, grid.nPieces, grid.perStep, dictionary];
    differentiate(backend, rows, nChannels, grid, {
      ...{ table, base },
      momentsOf: {
        parts,
        argumentsOf: (part) => [...fixed, sums! + part * nSums * 4, 1, 0],
        scratchBytes: channelsPerCall * grid.nEntries * 16,
      },
    });
    const sumValues = backend.floats(sums!, parts.length * nSums);
    const totals = new Float64Array(roundUp(nChannels, channelsPerCall) * dictionary);
    parts.forEach(({ channel }, part) => {
      for (let i = 0; i < nSums; i++) totals[channel * dictionary + i]! += sumValues[part * nSums + i]!;
    });
    return totals.subarray(0, nChannels * dictionary);
  });
}

/** Calls back with the table of each channel's Σα·pieces. */
export function withTable(
  backend: WasmBackend,
  alpha: tf.TensorInfo,
  grid: KafGrid,
  piecesOfKernel: Float32Array,
  use: (table: number) => void,
): void {
  const [nChannels, dictionary] = alpha.shape as [number, number];
  backend.withScratch([piecesOfKernel.byteLength, tableBytes(nChannels, grid)], (pieces, table) => {
    backend.floats(pieces!, piecesOfKernel.length).set(piecesOfKernel);
    clearPadding(backend, table!, grid, nChannels);
    const fixed = [
      ...[backend.addressOf(alpha), dictionary, pieces!, grid.nPieces, grid.perStep],
      ...[table!, grid.nEntries],
    ];
    backend.runOver(nChannels, 4, 'kafTable', (...range) => [...fixed, ...range]);
    use(table!);
  });
}

/** The same function with the dictionary and γ as coefficients of every channel. */
function coefficientsOf(
  backend: WasmBackend,
  alpha: tf.TensorInfo,
  { boundary, gamma }: KafAttributes,
): FreeKafCoefficients {
  const [nChannels, size] = alpha.shape as [number, number];
  const element = (index: number) => ((index % size) * 2 * boundary) / (size - 1) - boundary;
  return {
    ...{ nChannels, size },
    centres: Float32Array.from({ length: nChannels * size }, (_, index) => element(index)),
    alphas: backend.floats(backend.addressOf(alpha), nChannels * size),
    gammas: new Float64Array(nChannels).fill(gamma),
  };
}
