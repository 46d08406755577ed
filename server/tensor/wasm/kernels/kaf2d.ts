// KafscopeKaf2d and its gradient over assembly/kaf2d.ts.
import type * as tf from '@tensorflow/tfjs-core';
import type { Kaf2dOptions } from '../../ops/kaf2d.ts';
import { addParts, fixedParts } from '../threads/ranges.ts';
import type { WasmBackend } from '../wasmBackend.ts';
import { roundUp, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface Inputs {
  readonly x: tf.TensorInfo;
  readonly alpha: tf.TensorInfo;
}

export const kaf2dKernels: readonly WasmKernel[] = [
  wasmKernel<Inputs, Kaf2dOptions>('KafscopeKaf2d', ({ inputs: { x, alpha }, attrs, backend }) => {
    const nChannels = alpha.shape[0]!;
    const y = backend.place([...x.shape.slice(0, -1), nChannels]);
    if (sizeOf(x) === 0) return y.info;
    withTable(backend, alpha, (table) => {
      const fixed = [backend.addressOf(x), y.address, nChannels, table, ...axisArguments(alpha, attrs)];
      const scratch = { argument: fixed.length, sizeBytes: 2 * sideOf(alpha) * 16 };
      const nRows = sizeOf(x) / nChannels / 2;
      backend.runOver(nRows, grainOf(nChannels), 'kaf2dForward', (...range) => [...fixed, 0, ...range], scratch);
    });
    return y.info;
  }),
  wasmKernel<Inputs & { readonly dy: tf.TensorInfo }, Kaf2dOptions>(
    'KafscopeKaf2dGrad',
    ({ inputs: { dy, x, alpha }, attrs, backend }) => {
      const wantsAlpha = attrs.gradients === 'all';
      const nChannels = alpha.shape[0]!;
      const dx = backend.place(x.shape);
      const dalpha = backend.place(wantsAlpha ? alpha.shape : [0]);
      const gradient = backend.floats(dalpha.address, sizeOf(dalpha.info)).fill(0);
      if (sizeOf(x) === 0) return [dx.info, dalpha.info];
      const side = sideOf(alpha);
      const length = roundUp(nChannels, 4) * side * side;
      // Cut by the shape alone, so that sums are the same for any number of threads.
      const nRows = sizeOf(x) / nChannels / 2;
      const parts = fixedParts(
        nRows,
        backend.grainOf('kaf2dBackward', Math.max(grainOf(nChannels), Math.ceil(nRows / 16))),
      );
      const nSums = wantsAlpha ? parts.length * length : 0;
      withTable(backend, alpha, (table) => {
        backend.withScratch([nSums * 8], (sums) => {
          const addresses = [dy, x].map((tensor) => backend.addressOf(tensor));
          const fixed = [...addresses, dx.address, nChannels, table, ...axisArguments(alpha, attrs)];
          const scratch = { argument: fixed.length + 1, sizeBytes: (4 * side + side * side) * 16 };
          const calls = parts.map(([first, last], part) => [
            ...[...fixed, wantsAlpha ? sums! + part * length * 8 : 0, 0, first, last],
          ]);
          backend.run('kaf2dBackward', calls, scratch);
          if (!wantsAlpha) return;
          const total = addParts(new Float64Array(backend.pool.buffer, sums!, nSums), length);
          forEachPlace(nChannels, side * side, (at, place) => {
            gradient[at] = total[place]!;
          });
        });
      });
      return [dx.info, dalpha.info];
    },
  ),
];

function axisArguments(alpha: tf.TensorInfo, { boundary, gamma }: Kaf2dOptions): number[] {
  const side = sideOf(alpha);
  return [side, boundary, (2 * boundary) / (side - 1), gamma];
}

function sideOf({ shape }: tf.TensorInfo): number {
  return Math.round(Math.sqrt(shape[1]!));
}

/** Calls back with the coefficients, four channels beside each other. */
function withTable(backend: WasmBackend, alpha: tf.TensorInfo, use: (table: number) => void): void {
  const [nChannels, length] = alpha.shape as [number, number];
  backend.withScratch([roundUp(nChannels, 4) * length * 4], (table) => {
    const values = backend.floats(table!, roundUp(nChannels, 4) * length).fill(0);
    const from = backend.floats(backend.addressOf(alpha), nChannels * length);
    forEachPlace(nChannels, length, (at, place) => {
      values[place] = from[at]!;
    });
    use(table!);
  });
}

/** Calls back with the place of each coefficient in `[C, D²]` and in a table. */
function forEachPlace(nChannels: number, length: number, visit: (at: number, place: number) => void): void {
  for (let channel = 0; channel < nChannels; channel++) {
    const group = (channel >> 2) * 4 * length + (channel & 3);
    for (let i = 0; i < length; i++) visit(channel * length + i, group + 4 * i);
  }
}

/** Rows of some 256 values, which cost D² multiply-adds each. */
function grainOf(nChannels: number): number {
  return Math.max(1, Math.ceil(256 / nChannels));
}
