// Sum, Mean and Max over one run of neighbouring axes, and KafscopeNorms, over assembly/reduction.ts. Scattered axes and other
// types go to tfjs's own kernels.
import * as tf from '@tensorflow/tfjs-core';
import { addParts, fixedParts, rangesOf } from '../threads/ranges.ts';
import type { WasmBackend } from '../wasmBackend.ts';
import { callCpuKernel, isFloat, roundUp, sizeOf, wasmKernel, type KernelCall, type WasmKernel } from './wasmKernel.ts';

/** A multiple of the rows that assembly/reduction.ts sums in float32. */
const rowsPerPart = 1024;
const valuesPerPart = 65_536;

interface ReductionAttributes {
  readonly axis?: number | number[];
  readonly reductionIndices?: number | number[];
  readonly keepDims: boolean;
}

type Reduction = KernelCall<{ readonly x: tf.TensorInfo }, ReductionAttributes>;

export const reductionKernels: readonly WasmKernel[] = [
  reductionKernel(tf.Sum, (call, axes, out) => sumOver(call, axes, out, 1)),
  reductionKernel(tf.Mean, (call, axes, out) => sumOver(call, axes, out, axes.length > 0 ? 1 / axes.length : 0)),
  reductionKernel(tf.Max, ({ inputs, backend }, { outer, length, inner }, out) => {
    const fixed = [backend.addressOf(inputs.x), out, length, inner];
    backend.runOver(outer, grainOf(length * inner), 'maxMiddle', (...range) => [...fixed, ...range]);
  }),
  wasmKernel<readonly tf.TensorInfo[], unknown>('KafscopeNorms', ({ inputs, backend }) => {
    const norms = backend.place([inputs.length]);
    const nonFinite = backend.place([inputs.length], 'int32');
    const normValues = backend.floats(norms.address, inputs.length);
    const counts = new Int32Array(backend.pool.buffer, nonFinite.address, inputs.length);
    // A tensor of many values is summed in parts.
    const parts = inputs.flatMap((tensor, index) =>
      rangesOf(sizeOf(tensor), valuesPerPart, Infinity).map(([first, last]) => ({
        index,
        address: backend.addressOf(tensor) + first * 4,
        length: last - first,
      })),
    );
    backend.withScratch([parts.length * 16], (results) => {
      backend.run(
        'squaredNorm',
        parts.map(({ address, length }, part) => [address, length, results! + part * 16]),
      );
      const values = new Float64Array(backend.pool.buffer, results!, parts.length * 2);
      const squares = new Float64Array(inputs.length);
      counts.fill(0);
      parts.forEach(({ index }, part) => {
        squares[index]! += values[2 * part]!;
        counts[index]! += values[2 * part + 1]!;
      });
      normValues.set(squares.map((sum) => Math.sqrt(sum)));
    });
    return [norms.info, nonFinite.info];
  }),
];

/** x as [outer, length, inner], reduced over length. */
interface Axes {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

function reductionKernel(kernelName: string, reduce: (call: Reduction, axes: Axes, out: number) => void): WasmKernel {
  return wasmKernel<Reduction['inputs'], ReductionAttributes>(kernelName, (call) => {
    const { x } = call.inputs;
    const { axis, reductionIndices, keepDims } = call.attrs;
    const reduced = tf.util.parseAxisParam(axis ?? reductionIndices!, x.shape).sort((a, b) => a - b);
    const isRun = reduced.every((each, index) => index === 0 || each === reduced[index - 1]! + 1);
    if (!isFloat(call.backend, x) || !isRun) return callCpuKernel(kernelName, call);
    const [outShape, reducedShape] = tf.backend_util.computeOutAndReduceShapes(x.shape, reduced);
    const out = call.backend.place(keepDims ? tf.backend_util.expandShapeToKeepDim(outShape, reduced) : outShape);
    const start = reduced[0] ?? 0;
    const outer = tf.util.sizeFromShape(x.shape.slice(0, start));
    const inner = tf.util.sizeFromShape(x.shape.slice(start + reduced.length));
    reduce(call, { outer, length: tf.util.sizeFromShape(reducedShape), inner }, out.address);
    return out.info;
  });
}

function sumOver({ inputs, backend }: Reduction, axes: Axes, out: number, factor: number): void {
  const { outer, length, inner } = axes;
  const x = backend.addressOf(inputs.x);
  if (outer === 1 && inner > 1 && length >= 2 * backend.grainOf('sumMiddle', rowsPerPart)) {
    sumParts(backend, x, axes, out, factor);
    return;
  }
  const fixed = [x, out, length, inner, factor];
  const sums = { argument: fixed.length, sizeBytes: roundUp(inner, 4) * 8 };
  backend.runOver(outer, grainOf(length * inner), 'sumMiddle', (...range) => [...fixed, 0, ...range], sums);
}

/** Few long columns, as in a bias's gradient: rows in fixed parts, whose float64 sums are then added in order. */
function sumParts(backend: WasmBackend, x: number, { length, inner }: Axes, out: number, factor: number): void {
  const parts = fixedParts(length, backend.grainOf('sumMiddle', rowsPerPart));
  const padded = roundUp(inner, 4);
  backend.withScratch([parts.length * padded * 8, parts.length * padded * 4], (sums, rounded) => {
    backend.run(
      'sumMiddle',
      parts.map(([first, last], part) => [
        ...[x + first * inner * 4, rounded! + part * padded * 4, last - first, inner, 1],
        ...[sums! + part * padded * 8, 0, 1],
      ]),
    );
    const totals = addParts(new Float64Array(backend.pool.buffer, sums!, parts.length * padded), padded);
    backend.floats(out, inner).set(totals.subarray(0, inner).map((total) => factor * total));
  });
}

function grainOf(valuesPerRow: number): number {
  return Math.ceil(16_384 / Math.max(1, valuesPerRow));
}
