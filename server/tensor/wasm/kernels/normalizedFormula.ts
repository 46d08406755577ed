// KafscopeBatchNormFormula and its gradient: what batch normalisation gives never goes to memory, the formula's kernels make it anew
// of x. Bit for bit what the two ops give one after the other.
import type * as tf from '@tensorflow/tfjs-core';
import type { Formula } from '../../../formula/formula.ts';
import { normalizedTable } from '../formula/compileFormula.ts';
import { addParts, fixedParts } from '../threads/ranges.ts';
import type { WasmBackend } from '../wasmBackend.ts';
import {
  channelValues,
  gradientFactors,
  placeValues,
  rowsOf,
  statisticsOf,
  type Normalized,
  type NormalizedGradient,
} from './batchNorm.ts';
import { roundUp, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface Attributes {
  readonly epsilon: number;
  readonly formula: Formula;
}

interface GradientInputs extends NormalizedGradient {
  readonly scale: tf.TensorInfo;
  readonly shift: tf.TensorInfo;
}

export const normalizedFormulaKernels: readonly WasmKernel[] = [
  wasmKernel<Normalized, Attributes>('KafscopeBatchNormFormula', ({ inputs, attrs, backend }) => {
    const { nRows, nChannels, rowsPerBlock, grain } = rowsOf(inputs.x, inputs.gamma);
    const { mean, variance, scales, shifts } = statisticsOf(backend, inputs, attrs.epsilon);
    const { kernels, constants } = backend.formulas.linked(attrs.formula);
    const y = backend.place(inputs.x.shape);
    const table = [backend.floats(mean.address, nChannels), scales, shifts];
    withTable(backend, constants, table, (address, of) => {
      const fixed = [address, backend.addressOf(inputs.x), y.address, nChannels, of];
      backend.runOver(nRows, grain, kernels.normalizedValues, (...range) => [...fixed, ...range, rowsPerBlock]);
    });
    const [scale, shift] = [scales, shifts].map((values) => placeValues(backend, values));
    return [y, mean, variance, scale!, shift!].map(({ info }) => info);
  }),
  wasmKernel<GradientInputs, Attributes>('KafscopeBatchNormFormulaGrad', ({ inputs, attrs, backend }) => {
    const { dy, x, gamma, mean, scale, shift } = inputs;
    const { nRows, nChannels, rowsPerBlock, grain } = rowsOf(x, gamma);
    const { kernels, constants } = backend.formulas.linked(attrs.formula);
    const parts = fixedParts(nRows, backend.grainOf('gradientSums', grain));
    const stride = roundUp(nChannels, 8);
    const table = [mean, scale, shift].map((tensor) => channelValues(backend, tensor));
    const dx = backend.place(x.shape);
    const [from, source] = [backend.addressOf(dy), backend.addressOf(x)];
    const sums = backend.withScratch([parts.length * stride * 16], (totals) => {
      withTable(backend, constants, table, (address, of) => {
        backend.run(
          kernels.normalizedSums,
          parts.map((range, part) => [
            ...[address, from, source, 0, nChannels, of, ...range, rowsPerBlock, totals! + part * stride * 16],
          ]),
        );
      });
      return addParts(new Float64Array(backend.pool.buffer, totals!, parts.length * stride * 2), stride * 2);
    });
    const factors = gradientFactors(backend, { ...inputs, nRows, epsilon: attrs.epsilon }, (channel) => [
      sums[channel]!,
      sums[stride + channel]!,
    ]);
    const { onSlope, onCentred, constant, dgamma, dbeta } = factors;
    withTable(backend, constants, [...table, onSlope, onCentred, constant], (address, of) => {
      const fixed = [address, from, source, dx.address, nChannels, of];
      backend.runOver(nRows, grain, kernels.normalizedSlopes, (...range) => [...fixed, ...range, rowsPerBlock]);
    });
    return [dx, dgamma, dbeta].map(({ info }) => info);
  }),
];

/** With a formula's constants in memory, and the first rows of `normalizedTable`, a value a channel. */
function withTable(
  backend: WasmBackend,
  constants: Int32Array,
  rows: readonly Float32Array[],
  use: (constants: number, table: number) => void,
): void {
  const stride = roundUp(rows[0]!.length, 8);
  backend.withScratch([constants.byteLength, normalizedTable.length * stride * 4], (address, table) => {
    backend.integers(address!, constants.length).set(constants);
    rows.forEach((values, row) =>
      backend
        .floats(table! + row * stride * 4, stride)
        .fill(0)
        .set(values),
    );
    use(address!, table!);
  });
}
