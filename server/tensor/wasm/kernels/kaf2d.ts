// KafscopeKaf2d and its gradient over assembly/kaf2d.ts: cubics on the grid that a KAF of the same dictionary has.
import type * as tf from '@tensorflow/tfjs-core';
import type { Kaf2dOptions } from '../../ops/kaf2d.ts';
import { channelsPerCall, gradientParts, rowsPerBlock } from './cubics.ts';
import { kaf2dGrid, type Kaf2dGrid } from './kaf2dGrid.ts';
import { callCpuKernel, roundUp, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface Inputs {
  readonly x: tf.TensorInfo;
  readonly alpha: tf.TensorInfo;
}

export const kaf2dKernels: readonly WasmKernel[] = [
  wasmKernel<Inputs, Kaf2dOptions>('KafscopeKaf2d', (call) => {
    const { inputs, attrs, backend } = call;
    const { x, alpha } = inputs;
    const grid = gridOf(alpha, attrs);
    if (!grid) return callCpuKernel('KafscopeKaf2d', call);
    const nChannels = alpha.shape[0]!;
    const y = backend.place([...x.shape.slice(0, -1), nChannels]);
    if (sizeOf(x) === 0) return y.info;
    backend.withScratch([grid.kernels.byteLength], (kernels) => {
      backend.floats(kernels!, grid.kernels.length).set(grid.kernels);
      const addresses = [backend.addressOf(x), y.address, nChannels, backend.addressOf(alpha)];
      const fixed = [...addresses, grid.side, kernels!, ...gridArguments(grid)];
      const parts = gradientParts(backend, sizeOf(x) / nChannels / 2, nChannels);
      backend.run(
        'kaf2dForward',
        parts.map(({ channel, first, last }) => [...fixed, 0, channel, first, last, rowsPerBlock(nChannels)]),
        { argument: fixed.length, sizeBytes: scratchBytes(grid, channelsPerCall) },
      );
    });
    return y.info;
  }),
  wasmKernel<Inputs & { readonly dy: tf.TensorInfo }, Kaf2dOptions>('KafscopeKaf2dGrad', (call) => {
    const { inputs, attrs, backend } = call;
    const { dy, x, alpha } = inputs;
    const grid = gridOf(alpha, attrs);
    if (!grid) return callCpuKernel('KafscopeKaf2dGrad', call);
    const wantsAlpha = attrs.gradients === 'all';
    const nChannels = alpha.shape[0]!;
    const dx = backend.place(x.shape);
    const dalpha = backend.place(wantsAlpha ? alpha.shape : [0]);
    const gradient = backend.floats(dalpha.address, sizeOf(dalpha.info)).fill(0);
    if (sizeOf(x) === 0) return [dx.info, dalpha.info];
    const parts = gradientParts(backend, sizeOf(x) / nChannels / 2, nChannels);
    const nSums = channelsPerCall * grid.side ** 2;
    const sizesBytes = [grid.kernels.byteLength, grid.kernels.byteLength, wantsAlpha ? parts.length * nSums * 4 : 0];
    backend.withScratch(sizesBytes, (kernels, slopes, sums) => {
      backend.floats(kernels!, grid.kernels.length).set(grid.kernels);
      backend.floats(slopes!, grid.slopes.length).set(grid.slopes);
      const addresses = [dy, x].map((tensor) => backend.addressOf(tensor));
      const fixed = [...addresses, dx.address, nChannels, backend.addressOf(alpha), grid.side, kernels!, slopes!];
      const calls = parts.map(({ channel, first, last }, part) => [
        ...[...fixed, ...gridArguments(grid), wantsAlpha ? sums! + part * nSums * 4 : 0, 0],
        ...[channel, first, last, rowsPerBlock(nChannels)],
      ]);
      const nTables = (wantsAlpha ? 3 : 2) * channelsPerCall;
      backend.run('kaf2dBackward', calls, { argument: fixed.length + 6, sizeBytes: scratchBytes(grid, nTables) });
      if (!wantsAlpha) return;
      const values = backend.floats(sums!, parts.length * nSums);
      const totals = new Float64Array(roundUp(nChannels, channelsPerCall) * grid.side ** 2);
      parts.forEach(({ channel }, part) => {
        for (let i = 0; i < nSums; i++) totals[channel * grid.side ** 2 + i]! += values[part * nSums + i]!;
      });
      gradient.set(totals.subarray(0, gradient.length));
    });
    return [dx.info, dalpha.info];
  }),
];

function gridOf({ shape }: tf.TensorInfo, { boundary, gamma }: Kaf2dOptions): Kaf2dGrid | null {
  return kaf2dGrid(Math.round(Math.sqrt(shape[1]!)), boundary, gamma);
}

/** In the kernels' order. */
function gridArguments({ nEntries, lowest, shift, h, limit }: Kaf2dGrid): number[] {
  return [nEntries, lowest, shift, h, limit];
}

/** Of so many tables, and the coefficients of one channel. */
function scratchBytes({ kernels, side }: Kaf2dGrid, nTables: number): number {
  return nTables * kernels.byteLength + roundUp(side, 4) ** 2 * 4;
}
