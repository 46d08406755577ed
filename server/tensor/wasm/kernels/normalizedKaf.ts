// KafscopeBatchNormKaf and its gradient: what batch normalisation gives never goes to memory, the KAF's kernels make it anew of x. Bit
// for bit what the two ops give one after the other; for dictionaries that have a grid (kafGrid.ts).
import type * as tf from '@tensorflow/tfjs-core';
import type { WasmBackend } from '../wasmBackend.ts';
import {
  channelValues,
  differentiate,
  placeValues,
  rowsOf,
  statisticsOf,
  sumParts,
  type Normalized,
  type NormalizedGradient,
} from './batchNorm.ts';
import { channelsPerCall, evaluateOnGrid, gridArguments, rowsPerBlock, type GradientRows } from './cubics.ts';
import { alphaSums, withTable, type KafAttributes } from './kaf.ts';
import { kafGrid, type KafGrid } from './kafGrid.ts';
import { roundUp, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface Attributes extends KafAttributes {
  readonly epsilon: number;
}

interface Inputs extends Normalized {
  readonly alpha: tf.TensorInfo;
}

interface GradientInputs extends NormalizedGradient {
  readonly scale: tf.TensorInfo;
  readonly shift: tf.TensorInfo;
  readonly alpha: tf.TensorInfo;
}

export const normalizedKafKernels: readonly WasmKernel[] = [
  wasmKernel<Inputs, Attributes>('KafscopeBatchNormKaf', ({ inputs, attrs, backend }) => {
    const { x, alpha } = inputs;
    const { nRows, nChannels } = rowsOf(x, inputs.gamma);
    const { mean, variance, scales, shifts } = statisticsOf(backend, inputs, attrs.epsilon);
    const y = backend.place(x.shape);
    const grid = gridOf(alpha, attrs);
    const figures = [backend.floats(mean.address, nChannels), scales, shifts];
    if (nRows > 0) {
      withNormalization(backend, figures, (normalization) => {
        withTable(backend, alpha, grid, grid.values, (table) => {
          const rows = { nRows, x: backend.addressOf(x), y: y.address, normalization };
          evaluateOnGrid(backend, rows, nChannels, grid, { table, base: attrs.base });
        });
      });
    }
    const [scale, shift] = [scales, shifts].map((values) => placeValues(backend, values));
    return [y, mean, variance, scale!, shift!].map(({ info }) => info);
  }),
  wasmKernel<GradientInputs, Attributes>('KafscopeBatchNormKafGrad', ({ inputs, attrs, backend }) => {
    const { x, alpha, mean, scale, shift } = inputs;
    const { nRows, nChannels } = rowsOf(x, inputs.gamma);
    const wantsAlpha = attrs.gradients === 'all';
    const dx = backend.place(x.shape);
    const dalpha = backend.place(wantsAlpha ? alpha.shape : [0]);
    const dalphaValues = backend.floats(dalpha.address, sizeOf(dalpha.info)).fill(0);
    const grid = gridOf(alpha, attrs);
    const figures = [mean, scale, shift].map((tensor) => channelValues(backend, tensor));
    let sums: Float64Array | undefined;
    if (nRows > 0) {
      withNormalization(backend, figures, (normalization) => {
        withTable(backend, alpha, grid, grid.slopes, (table) => {
          const from = { dy: backend.addressOf(inputs.dy), x: backend.addressOf(x) };
          const rows = { nRows, ...from, dx: dx.address, normalization };
          const how = { table, base: attrs.base };
          const shape = [nChannels, alpha.shape[1]!] as const;
          if (wantsAlpha) dalphaValues.set(alphaSums(backend, rows, shape, grid, how));
          else sums = slopesWithSums(backend, inputs, rows, grid, how);
        });
      });
    }
    // Up to here dx is the gradient of what the normalisation gave.
    const to = { dy: dx.address, dx: dx.address, ...(sums && { sums }) };
    const [dgamma, dbeta] = differentiate(backend, inputs, attrs.epsilon, to);
    return [dx.info, dgamma, dbeta, dalpha.info];
  }),
];

/** Writes the slopes behind the normalisation, and returns what its own gradient sums of them. */
function slopesWithSums(
  backend: WasmBackend,
  inputs: GradientInputs,
  { dy, x, dx, normalization }: GradientRows & { readonly normalization: number },
  grid: KafGrid,
  { table, base }: Pick<KafAttributes, 'base'> & { readonly table: number },
): Float64Array {
  const { nChannels, rowsPerBlock: rowsPerSum } = rowsOf(inputs.x, inputs.gamma);
  const block = rowsPerSum * Math.max(1, Math.floor(rowsPerBlock(nChannels) / rowsPerSum));
  const fixed = [normalization, dy, x, dx, nChannels, table, ...gridArguments(grid, base)];
  const groups = Array.from({ length: Math.ceil(nChannels / channelsPerCall) }, (_, group) => group * channelsPerCall);
  return sumParts(backend, inputs, (parts, addressOf) => {
    backend.run(
      'normalizedKafSlopes',
      parts.flatMap((range, part) =>
        groups.map((channel) => [...fixed, addressOf(part), channel, ...range, block, rowsPerSum]),
      ),
    );
  });
}

function gridOf({ shape }: tf.TensorInfo, { boundary, gamma }: KafAttributes): KafGrid {
  const grid = kafGrid(shape[1]!, boundary, gamma);
  if (!grid) throw new RangeError('a KAF without a grid has no op with the batch normalisation before it');
  return grid;
}

/** With center, scale and shift of each channel in memory. */
function withNormalization(
  backend: WasmBackend,
  figures: readonly Float32Array[],
  use: (normalization: number) => void,
): void {
  const stride = roundUp(figures[0]!.length, 4);
  backend.withScratch([figures.length * stride * 4], (normalization) => {
    figures.forEach((values, row) => {
      backend
        .floats(normalization! + row * stride * 4, stride)
        .fill(0)
        .set(values);
    });
    use(normalization!);
  });
}
