// KafscopeKernelKaf and its gradient by cubics on a folded grid (foldedGrid.ts): a channel's table is its coefficients times the pieces of
// all kernels, one matrix product; the gradient of the coefficients is the moments of the intervals times the same pieces.
import type * as tf from '@tensorflow/tfjs-core';
import { kafKernels } from '../../../formula/kafKernels.ts';
import type { KernelKafOptions } from '../../ops/kernelKaf.ts';
import type { WasmBackend } from '../wasmBackend.ts';
import { channelsPerCall, clearPadding, gradientParts, gridArguments, rowsPerBlock, tableBytes } from './cubics.ts';
import { foldedGrid, type FoldedGrid } from './foldedGrid.ts';
import { multiplyRows } from './matrixProduct.ts';
import { callCpuKernel, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface Inputs {
  readonly x: tf.TensorInfo;
  readonly alpha: tf.TensorInfo;
}

export const kernelKafKernels: readonly WasmKernel[] = [
  wasmKernel<Inputs, KernelKafOptions>('KafscopeKernelKaf', (call) => {
    const { inputs, attrs, backend } = call;
    const { x, alpha } = inputs;
    const grid = gridOf(alpha, attrs);
    if (!grid) return callCpuKernel('KafscopeKernelKaf', call);
    const y = backend.place(x.shape);
    if (sizeOf(x) === 0) return y.info;
    const nChannels = alpha.shape[0]!;
    withTable(backend, alpha, grid, grid.values, (table) => {
      const fixed = [backend.addressOf(x), y.address, nChannels, table, ...foldedArguments(grid, attrs)];
      const block = rowsPerBlock(nChannels);
      const grain = block * Math.ceil(4096 / (block * nChannels));
      backend.runOver(sizeOf(x) / nChannels, grain, 'kernelKafForward', (...range) => [...fixed, ...range, block]);
    });
    return y.info;
  }),
  wasmKernel<Inputs & { readonly dy: tf.TensorInfo }, KernelKafOptions>('KafscopeKernelKafGrad', (call) => {
    const { inputs, attrs, backend } = call;
    const { dy, x, alpha } = inputs;
    const grid = gridOf(alpha, attrs);
    if (!grid) return callCpuKernel('KafscopeKernelKafGrad', call);
    const wantsAlpha = attrs.gradients === 'all';
    const [nChannels, width] = alpha.shape as [number, number];
    const dx = backend.place(x.shape);
    const dalpha = backend.place(wantsAlpha ? alpha.shape : [0]);
    const outputs = [dx.info, dalpha.info];
    if (sizeOf(x) === 0) {
      backend.floats(dalpha.address, sizeOf(dalpha.info)).fill(0);
      return outputs;
    }
    const parts = gradientParts(backend, sizeOf(x) / nChannels, nChannels);
    const partBytes = wantsAlpha ? channelsPerCall * grid.nEntries * 16 : 0;
    withTable(backend, alpha, grid, grid.slopes, (table) => {
      backend.withScratch([parts.length * partBytes], (moments) => {
        const addresses = [dy, x].map((tensor) => backend.addressOf(tensor));
        const fixed = [...addresses, dx.address, nChannels, table, ...foldedArguments(grid, attrs)];
        backend.run(
          'kernelKafBackward',
          parts.map(({ channel, first, last }, part) => [
            ...[...fixed, wantsAlpha ? 1 : 0, moments! + part * partBytes],
            ...[channel, first, last, rowsPerBlock(nChannels)],
          ]),
        );
        if (!wantsAlpha) return;
        const nParts = parts.length / Math.ceil(nChannels / channelsPerCall);
        sumMoments(backend, { address: moments!, nParts }, grid, attrs, [nChannels, width], dalpha.address);
      });
    });
    return outputs;
  }),
];

function gridOf({ shape }: tf.TensorInfo, { kernels, boundary, gamma }: KernelKafOptions): FoldedGrid | null {
  return foldedGrid(kernels, shape[1]! / kernels.length, boundary, gamma);
}

function foldedArguments(grid: FoldedGrid, { base }: KernelKafOptions): number[] {
  return [...gridArguments(grid, base), grid.fold, grid.rises ? 1 : 0];
}

/** Calls back with the table of each channel's Σα·pieces. */
function withTable(
  backend: WasmBackend,
  alpha: tf.TensorInfo,
  grid: FoldedGrid,
  piecesOfKernels: Float32Array,
  use: (table: number) => void,
): void {
  const [nChannels, width] = alpha.shape as [number, number];
  backend.withScratch([tableBytes(nChannels, grid)], (table) => {
    clearPadding(backend, table!, grid, nChannels);
    backend.withScratch([piecesOfKernels.byteLength], (pieces) => {
      backend.floats(pieces!, piecesOfKernels.length).set(piecesOfKernels);
      const columns = 4 * grid.nEntries;
      const b = { address: pieces!, rowLength: columns, isTransposed: false };
      multiplyRows(backend, { a: backend.addressOf(alpha), b, out: table! }, [nChannels, width, columns]);
    });
    use(table!);
  });
}

/** dα = moments·piecesᵀ, and for kernels that rise Σ dy·(x − fold) besides. */
function sumMoments(
  backend: WasmBackend,
  moments: { readonly address: number; readonly nParts: number },
  grid: FoldedGrid,
  { kernels }: KernelKafOptions,
  [nChannels, width]: readonly [number, number],
  dalpha: number,
): void {
  const { nEntries, values } = grid;
  const length = 4 * nEntries;
  const sizesBytes = [nChannels * length * 4, nChannels * 4, values.byteLength];
  backend.withScratch(sizesBytes, (sums, overshoots, pieces) => {
    const fixed = [moments.address, moments.nParts, nEntries, sums!, overshoots!];
    backend.runOver(nChannels, 4, 'kernelKafMoments', (...range) => [...fixed, ...range]);
    backend.floats(pieces!, values.length).set(values);
    const b = { address: pieces!, rowLength: length, isTransposed: true };
    multiplyRows(backend, { a: sums!, b, out: dalpha }, [nChannels, length, width]);
    const gradient = backend.floats(dalpha, nChannels * width);
    const size = width / kernels.length;
    kernels.forEach((name, m) => {
      if (kafKernels[name].rise === 0) return;
      backend.floats(overshoots!, nChannels).forEach((overshoot, channel) => {
        for (let i = 0; i < size; i++) gradient[channel * width + m * size + i]! += overshoot;
      });
    });
  });
}
