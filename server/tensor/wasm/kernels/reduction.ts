// Sum, Mean and Max over one run of neighbouring axes, and KafscopeNorms, over assembly/reduction.ts. Scattered axes and other
// types go to tfjs's own kernels.
import * as tf from '@tensorflow/tfjs-core';
import { callCpuKernel, isFloat, roundUp, sizeOf, wasmKernel, type KernelCall, type WasmKernel } from './wasmKernel.ts';

interface ReductionAttributes {
  readonly axis?: number | number[];
  readonly reductionIndices?: number | number[];
  readonly keepDims: boolean;
}

type Reduction = KernelCall<{ readonly x: tf.TensorInfo }, ReductionAttributes>;

export const reductionKernels: readonly WasmKernel[] = [
  reductionKernel(tf.Sum, (call, axes, out) => sumOver(call, axes, out, 1)),
  reductionKernel(tf.Mean, (call, axes, out) => sumOver(call, axes, out, axes.length > 0 ? 1 / axes.length : 0)),
  reductionKernel(tf.Max, ({ inputs, backend }, axes, out) => {
    backend.kernels.maxMiddle(backend.addressOf(inputs.x), out, axes.length, axes.inner, 0, axes.outer);
  }),
  wasmKernel<readonly tf.TensorInfo[], unknown>('KafscopeNorms', ({ inputs, backend }) => {
    const norms = backend.place([inputs.length]);
    const nonFinite = backend.place([inputs.length], 'int32');
    const normValues = backend.floats(norms.address, inputs.length);
    const counts = new Int32Array(backend.pool.buffer, nonFinite.address, inputs.length);
    backend.withScratch([8], (sum) => {
      const squares = new Float64Array(backend.pool.buffer, sum, 1);
      inputs.forEach((tensor, index) => {
        counts[index] = backend.kernels.squaredNorm(backend.addressOf(tensor), sizeOf(tensor), sum!);
        normValues[index] = Math.sqrt(squares[0]!);
      });
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

function sumOver({ inputs, backend }: Reduction, { outer, length, inner }: Axes, out: number, factor: number): void {
  backend.withScratch([roundUp(inner, 4) * 8], (sums) => {
    backend.kernels.sumMiddle(backend.addressOf(inputs.x), out, length, inner, factor, sums!, 0, outer);
  });
}
