// KafscopeChannelActivation and its gradient over assembly/channelActivation.ts.
import type * as tf from '@tensorflow/tfjs-core';
import type { ChannelActivationOptions } from '../../ops/channelActivation.ts';
import { addParts, fixedParts } from '../threads/ranges.ts';
import type { WasmBackend } from '../wasmBackend.ts';
import { roundUp, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

/** As assembly/channelActivation.ts numbers them. */
const codes = {
  prelu: 0,
  'generalized-tanh': 1,
  srelu: 2,
  apl: 3,
  polynomial: 4,
} as const satisfies Record<ChannelActivationOptions['type'], number>;

interface Inputs {
  readonly x: tf.TensorInfo;
  readonly coefficients: tf.TensorInfo;
}

export const channelActivationKernels: readonly WasmKernel[] = [
  wasmKernel<Inputs, ChannelActivationOptions>('KafscopeChannelActivation', ({ inputs, attrs, backend }) => {
    const { x, coefficients } = inputs;
    const [nChannels, length] = coefficients.shape as [number, number];
    const y = backend.place(x.shape);
    if (sizeOf(x) === 0) return y.info;
    backend.withScratch([roundUp(nChannels, 4) * length * 4], (table) => {
      fillTable(backend, table!, coefficients);
      const fixed = [codes[attrs.type], backend.addressOf(x), y.address, nChannels, table!, length];
      const block = rowsPerBlock(nChannels);
      backend.runOver(sizeOf(x) / nChannels, grainOf(nChannels), 'channelActivate', (...range) => [
        ...[...fixed, ...range, block],
      ]);
    });
    return y.info;
  }),
  wasmKernel<Inputs & { readonly dy: tf.TensorInfo }, ChannelActivationOptions>(
    'KafscopeChannelActivationGrad',
    ({ inputs, attrs, backend }) => {
      const { dy, x, coefficients } = inputs;
      const [nChannels, length] = coefficients.shape as [number, number];
      const wantsAll = attrs.gradients === 'all';
      const dx = backend.place(x.shape);
      const dcoefficients = backend.place(wantsAll ? coefficients.shape : [0]);
      const values = backend.floats(dcoefficients.address, sizeOf(dcoefficients.info)).fill(0);
      if (sizeOf(x) === 0) return [dx.info, dcoefficients.info];
      const grain = backend.grainOf('channelActivateGradient', grainOf(nChannels));
      const parts = fixedParts(sizeOf(x) / nChannels, grain);
      const nSums = roundUp(nChannels, 4) * length;
      backend.withScratch([nSums * 4, parts.length * nSums * 8], (table, sums) => {
        fillTable(backend, table!, coefficients);
        const fixed = [codes[attrs.type], backend.addressOf(dy), backend.addressOf(x), dx.address, nChannels];
        backend.run(
          'channelActivateGradient',
          parts.map(([first, last], part) => [
            ...[...fixed, table!, length, sums! + part * nSums * 8, 0, first, last, rowsPerBlock(nChannels)],
          ]),
          { argument: fixed.length + 3, sizeBytes: length * 16 },
        );
        if (!wantsAll) return;
        const totals = addParts(new Float64Array(backend.pool.buffer, sums!, parts.length * nSums), nSums);
        forEachCoefficient(nChannels, length, (index, entry) => {
          values[index] = totals[entry]!;
        });
      });
      return [dx.info, dcoefficients.info];
    },
  ),
];

function fillTable(backend: WasmBackend, table: number, coefficients: tf.TensorInfo): void {
  const [nChannels, length] = coefficients.shape as [number, number];
  const entries = backend.floats(table, roundUp(nChannels, 4) * length).fill(0);
  const values = backend.floats(backend.addressOf(coefficients), nChannels * length);
  forEachCoefficient(nChannels, length, (index, entry) => {
    entries[entry] = values[index]!;
  });
}

/** Calls back with each coefficient's place in `[C, P]` and in a table `[⌈C/4⌉][P]` of 4 lanes. */
function forEachCoefficient(nChannels: number, length: number, visit: (index: number, entry: number) => void): void {
  for (let channel = 0; channel < nChannels; channel++) {
    for (let p = 0; p < length; p++) {
      visit(channel * length + p, ((channel >> 2) * length + p) * 4 + (channel & 3));
    }
  }
}

/** Rows of one range, a multiple of a block, of some 16,000 values. */
function grainOf(nChannels: number): number {
  return roundUp(Math.ceil(16_384 / nChannels), rowsPerBlock(nChannels));
}

/** A block of x, dy and dx then stays in the first-level cache. */
function rowsPerBlock(nChannels: number): number {
  return Math.max(1, Math.min(256, Math.floor(2048 / nChannels)));
}
