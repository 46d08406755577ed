// KafscopeFormula and its gradients over the modules of ../formula.
import type * as tf from '@tensorflow/tfjs-core';
import type { FormulaAttributes } from '../../ops/formula.ts';
import { addParts, fixedParts } from '../threads/ranges.ts';
import type { WasmBackend } from '../wasmBackend.ts';
import { roundUp, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

/** Elements of one range, a multiple of the lanes. */
const elementGrain = 8192;

interface Inputs {
  readonly x: tf.TensorInfo;
}

interface TrainedInputs extends Inputs {
  readonly coefficients: tf.TensorInfo;
}

export const formulaKernels: readonly WasmKernel[] = [
  wasmKernel<Inputs, FormulaAttributes>('KafscopeFormula', ({ inputs: { x }, attrs, backend }) => {
    const { kernels, constants } = backend.formulas.linked(attrs.formula);
    const y = backend.place(x.shape);
    withConstants(backend, constants, [], (address) => {
      const fixed = [address, backend.addressOf(x), y.address];
      backend.runOver(sizeOf(x), elementGrain, kernels.values, (...range) => [...fixed, ...range]);
    });
    return y.info;
  }),
  wasmKernel<Inputs & { readonly dy: tf.TensorInfo }, FormulaAttributes>(
    'KafscopeFormulaGrad',
    ({ inputs: { dy, x }, attrs, backend }) => {
      const { kernels, constants } = backend.formulas.linked(attrs.formula);
      const dx = backend.place(x.shape);
      withConstants(backend, constants, [], (address) => {
        const fixed = [address, backend.addressOf(dy), backend.addressOf(x), dx.address];
        backend.runOver(sizeOf(x), elementGrain, kernels.slopes, (...range) => [...fixed, ...range]);
      });
      return dx.info;
    },
  ),
  wasmKernel<TrainedInputs, FormulaAttributes>(
    'KafscopeTrainedFormula',
    ({ inputs: { x, coefficients }, attrs, backend }) => {
      const { kernels, constants } = backend.formulas.linked(attrs.formula);
      const y = backend.place(x.shape);
      if (sizeOf(x) === 0) return y.info;
      const { nChannels, tableFloats, rowsPerBlock, grain } = rowsOf(coefficients);
      withConstants(backend, constants, [tableFloats * 4], (address, table) => {
        fillTable(backend, table!, coefficients);
        const fixed = [address, backend.addressOf(x), y.address, nChannels, table!];
        backend.runOver(sizeOf(x) / nChannels, grain, kernels.values, (...range) => [...fixed, ...range, rowsPerBlock]);
      });
      return y.info;
    },
  ),
  wasmKernel<TrainedInputs & { readonly dy: tf.TensorInfo }, FormulaAttributes>(
    'KafscopeTrainedFormulaGrad',
    ({ inputs: { dy, x, coefficients }, attrs, backend }) => {
      const { kernels, constants } = backend.formulas.linked(attrs.formula);
      const wantsAll = attrs.gradients === 'all';
      const dx = backend.place(x.shape);
      const dcoefficients = backend.place(wantsAll ? coefficients.shape : [0]);
      const results = [dx.info, dcoefficients.info];
      const sums = backend.floats(dcoefficients.address, sizeOf(dcoefficients.info)).fill(0);
      if (sizeOf(x) === 0) return results;
      const rows = rowsOf(coefficients);
      const { nChannels, tableFloats, rowsPerBlock, grain } = rows;
      const nRows = sizeOf(x) / nChannels;
      const parts = fixedParts(nRows, backend.grainOf(kernels.gradients, grain));
      const sizes = [tableFloats * 4, wantsAll ? parts.length * tableFloats * 8 : 0];
      withConstants(backend, constants, sizes, (address, table, totals) => {
        fillTable(backend, table!, coefficients);
        const fixed = [address, backend.addressOf(dy), backend.addressOf(x), dx.address, nChannels, table!];
        if (!wantsAll) {
          backend.runOver(nRows, grain, kernels.slopes, (...range) => [...fixed, ...range, rowsPerBlock]);
          return;
        }
        backend.run(
          kernels.gradients,
          parts.map((range, part) => [...fixed, ...range, rowsPerBlock, totals! + part * tableFloats * 8]),
        );
        const all = new Float64Array(backend.pool.buffer, totals!, parts.length * tableFloats);
        const total = addParts(all, tableFloats);
        forEachCoefficient(rows, (index, entry) => {
          sums[index] = total[entry]!;
        });
      });
      return results;
    },
  ),
];

/** With the constants in memory, and scratch of so many bytes beside. */
function withConstants(
  backend: WasmBackend,
  constants: Int32Array,
  sizesBytes: readonly number[],
  use: (address: number, ...scratch: number[]) => void,
): void {
  backend.withScratch([constants.byteLength, ...sizesBytes], (address, ...scratch) => {
    backend.integers(address!, constants.length).set(constants);
    use(address!, ...scratch);
  });
}

interface Rows {
  readonly nChannels: number;
  readonly nParameters: number;
  /** Channels, rounded up to pairs of vectors. */
  readonly stride: number;
  /** Of a coefficient for every parameter and channel. */
  readonly tableFloats: number;
  /** A block of x, dy and dx then stays in the first-level cache. */
  readonly rowsPerBlock: number;
  /** Rows of one range, a multiple of a block, of some 16,000 values. */
  readonly grain: number;
}

function rowsOf({ shape }: tf.TensorInfo): Rows {
  const [nChannels, nParameters] = shape as [number, number];
  const rowsPerBlock = Math.max(1, Math.min(256, Math.floor(2048 / nChannels)));
  const grain = roundUp(Math.ceil(16_384 / nChannels), rowsPerBlock);
  const stride = roundUp(nChannels, 8);
  return { nChannels, nParameters, stride, tableFloats: nParameters * stride, rowsPerBlock, grain };
}

/** Coefficients `[C, P]` as [P][stride]. */
function fillTable(backend: WasmBackend, table: number, coefficients: tf.TensorInfo): void {
  const rows = rowsOf(coefficients);
  const entries = backend.floats(table, rows.tableFloats).fill(0);
  const values = backend.floats(backend.addressOf(coefficients), sizeOf(coefficients));
  forEachCoefficient(rows, (index, entry) => {
    entries[entry] = values[index]!;
  });
}

function forEachCoefficient(
  { nChannels, nParameters, stride }: Rows,
  visit: (index: number, entry: number) => void,
): void {
  for (let channel = 0; channel < nChannels; channel++) {
    for (let p = 0; p < nParameters; p++) visit(channel * nParameters + p, p * stride + channel);
  }
}
