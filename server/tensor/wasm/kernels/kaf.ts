// KafscopeKaf and KafscopeKafGrad over assembly/kaf.ts, by pieces of a grid; where kernels are too narrow or too wide for one, over
// assembly/freeKaf.ts.
import type * as tf from '@tensorflow/tfjs-core';
import { fixedParts } from '../threads/ranges.ts';
import type { WasmBackend } from '../wasmBackend.ts';
import { runFreeKaf, runFreeKafGradient, type FreeKafCoefficients } from './freeKaf.ts';
import { kafGrid, type KafGrid } from './kafGrid.ts';
import { roundUp, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface KafAttributes {
  readonly boundary: number;
  readonly gamma: number;
  readonly base: 'none' | 'swish';
  readonly gradients: 'all' | 'input';
}

/** Channels of one call of the gradient: a cache line of a row. */
const channelsPerCall = 16;

export const kafKernels: readonly WasmKernel[] = [
  wasmKernel<{ x: tf.TensorInfo; alpha: tf.TensorInfo }, KafAttributes>('KafscopeKaf', ({ inputs, attrs, backend }) => {
    const { x, alpha } = inputs;
    const [nChannels, dictionary] = alpha.shape as [number, number];
    const grid = kafGrid(dictionary, attrs.boundary, attrs.gamma);
    if (!grid) return runFreeKaf(backend, x, coefficientsOf(backend, alpha, attrs), attrs.base);
    const y = backend.place(x.shape);
    if (sizeOf(x) === 0) return y.info;
    const sizesBytes = [grid.values.byteLength, tableBytes(nChannels, grid)];
    backend.withScratch(sizesBytes, (pieces, table) => {
      fillTable(backend, alpha, grid, grid.values, { pieces: pieces!, table: table! });
      const fixed = [backend.addressOf(x), y.address, nChannels, table!, ...gridArguments(grid, attrs)];
      const block = rowsPerBlock(nChannels);
      backend.runOver(sizeOf(x) / nChannels, grainOf(nChannels), 'kafForward', (...range) => [
        ...[...fixed, ...range, block],
      ]);
    });
    return y.info;
  }),
  wasmKernel<{ dy: tf.TensorInfo; x: tf.TensorInfo; alpha: tf.TensorInfo }, KafAttributes>(
    'KafscopeKafGrad',
    ({ inputs, attrs, backend }) => {
      const { dy, x, alpha } = inputs;
      const [nChannels, dictionary] = alpha.shape as [number, number];
      const wantsAlpha = attrs.gradients === 'all';
      const grid = kafGrid(dictionary, attrs.boundary, attrs.gamma);
      if (!grid) {
        const coefficients = coefficientsOf(backend, alpha, attrs);
        return runFreeKafGradient(backend, { dy, x }, coefficients, { base: attrs.base, wantsAll: wantsAlpha }).slice(
          0,
          2,
        );
      }
      const dx = backend.place(x.shape);
      const dalpha = backend.place(wantsAlpha ? alpha.shape : [0]);
      const dalphaValues = backend.floats(dalpha.address, sizeOf(dalpha.info)).fill(0);
      if (sizeOf(x) === 0) return [dx.info, dalpha.info];
      const parts = gradientParts(sizeOf(x) / nChannels, nChannels);
      const nSums = channelsPerCall * dictionary;
      const sizesBytes = [
        ...[grid.slopes.byteLength, grid.values.byteLength, tableBytes(nChannels, grid)],
        wantsAlpha ? parts.length * nSums * 4 : 0,
      ];
      backend.withScratch(sizesBytes, (slopes, values, table, sums) => {
        fillTable(backend, alpha, grid, grid.slopes, { pieces: slopes!, table: table! });
        backend.floats(values!, grid.values.length).set(grid.values);
        const fixed = [
          ...[
            backend.addressOf(dy),
            backend.addressOf(x),
            dx.address,
            nChannels,
            table!,
            ...gridArguments(grid, attrs),
          ],
          ...[values!, grid.nPieces, grid.perStep, dictionary],
        ];
        backend.run(
          'kafBackward',
          parts.map(({ channel, first, last }, part) => [
            ...[...fixed, wantsAlpha ? sums! + part * nSums * 4 : 0, 0],
            ...[channel, first, last, rowsPerBlock(nChannels)],
          ]),
          {
            argument: fixed.length + 1,
            sizeBytes: wantsAlpha ? channelsPerCall * grid.nEntries * 16 : 0,
          },
        );
        if (!wantsAlpha) return;
        const sumValues = backend.floats(sums!, parts.length * nSums);
        const totals = new Float64Array(roundUp(nChannels, channelsPerCall) * dictionary);
        parts.forEach(({ channel }, part) => {
          for (let i = 0; i < nSums; i++) totals[channel * dictionary + i]! += sumValues[part * nSums + i]!;
        });
        dalphaValues.set(totals.subarray(0, dalphaValues.length));
      });
      return [dx.info, dalpha.info];
    },
  ),
];

/** In the kernels' order. */
function gridArguments({ nEntries, lowest, shift, h, limit }: KafGrid, { base }: KafAttributes): number[] {
  return [nEntries, lowest, shift, h, limit, base === 'swish' ? 1 : 0];
}

function tableBytes(nChannels: number, { nEntries }: KafGrid): number {
  return roundUp(nChannels, 4) * nEntries * 16;
}

function fillTable(
  backend: WasmBackend,
  alpha: tf.TensorInfo,
  { nEntries, nPieces, perStep }: KafGrid,
  piecesOfKernel: Float32Array,
  { pieces, table }: { readonly pieces: number; readonly table: number },
): void {
  const [nChannels, dictionary] = alpha.shape as [number, number];
  backend.floats(pieces, piecesOfKernel.length).set(piecesOfKernel);
  backend.floats(table + nChannels * nEntries * 16, (roundUp(nChannels, 4) - nChannels) * nEntries * 4).fill(0);
  const fixed = [backend.addressOf(alpha), dictionary, pieces, nPieces, perStep, table, nEntries];
  backend.runOver(nChannels, 4, 'kafTable', (...range) => [...fixed, ...range]);
}

interface GradientPart {
  readonly channel: number;
  readonly first: number;
  readonly last: number;
}

/** Cut by channels, then by rows, into about 16 parts by the shape alone: sums of all parts are the same for any number of threads. */
function gradientParts(nRows: number, nChannels: number): GradientPart[] {
  const nGroups = Math.ceil(nChannels / channelsPerCall);
  const nRanges = Math.max(1, Math.min(Math.round(16 / nGroups), Math.floor(nRows / leastRows)));
  const ranges = fixedParts(nRows, Math.ceil(nRows / nRanges));
  return Array.from({ length: nGroups }, (_, group) =>
    ranges.map(([first, last]) => ({ channel: group * channelsPerCall, first, last })),
  ).flat();
}

/** Fewer would not be worth the adding up of a part's moments. */
const leastRows = 512;

/** Rows of one range: whole blocks, some 4,000 values. */
function grainOf(nChannels: number): number {
  const block = rowsPerBlock(nChannels);
  return block * Math.ceil(4096 / (block * nChannels));
}

/** So that a block of 16 channels of x, dy and dx stays in the second-level cache. */
function rowsPerBlock(nChannels: number): number {
  return Math.max(16, Math.floor(32_768 / nChannels));
}

/** The same function with the dictionary and γ as coefficients of every channel. */
function coefficientsOf(
  backend: WasmBackend,
  alpha: tf.TensorInfo,
  { boundary, gamma }: KafAttributes,
): FreeKafCoefficients {
  const [nChannels, size] = alpha.shape as [number, number];
  const centres = Float32Array.from(
    { length: nChannels * size },
    (_, index) => ((index % size) * 2 * boundary) / (size - 1) - boundary,
  );
  return {
    ...{ nChannels, size, centres },
    alphas: backend.floats(backend.addressOf(alpha), nChannels * size),
    gammas: new Float64Array(nChannels).fill(gamma),
  };
}
