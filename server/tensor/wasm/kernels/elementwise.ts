// tfjs's elementwise kernels that training meets, and KafscopeAttackStep, over assembly/elementwise.ts. Other types and other
// broadcasts go to tfjs's own kernels.
import * as tf from '@tensorflow/tfjs-core';
import type { WasmBackend } from '../wasmBackend.ts';
import { callCpuKernel, isFloat, sizeOf, wasmKernel, type KernelCall, type WasmKernel } from './wasmKernel.ts';

/** As assembly/elementwise.ts numbers them. */
const operations = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  max: 4,
  min: 5,
  squaredDifference: 6,
  reversedSub: 7,
  reversedDiv: 8,
};
const functions = { relu: 0, square: 1, sqrt: 2, rsqrt: 3, neg: 4, abs: 5, step: 6 };

interface Pair {
  readonly a: tf.TensorInfo;
  readonly b: tf.TensorInfo;
}

export const elementwiseKernels: readonly WasmKernel[] = [
  binaryKernel(tf.Add, operations.add, operations.add),
  binaryKernel(tf.Sub, operations.sub, operations.reversedSub),
  binaryKernel(tf.Multiply, operations.mul, operations.mul),
  binaryKernel(tf.RealDiv, operations.div, operations.reversedDiv),
  binaryKernel(tf.Maximum, operations.max, operations.max),
  binaryKernel(tf.Minimum, operations.min, operations.min),
  binaryKernel(tf.SquaredDifference, operations.squaredDifference, operations.squaredDifference),
  unaryKernel(tf.Relu, functions.relu),
  unaryKernel(tf.Square, functions.square),
  unaryKernel(tf.Sqrt, functions.sqrt),
  unaryKernel(tf.Rsqrt, functions.rsqrt),
  unaryKernel(tf.Neg, functions.neg),
  unaryKernel(tf.Abs, functions.abs),
  unaryKernel(tf.Step, functions.step),
  wasmKernel<{ x: tf.TensorInfo }, { clipValueMin: number; clipValueMax: number }>(tf.ClipByValue, (call) => {
    const { x } = call.inputs;
    if (!isFloat(call.backend, x)) return callCpuKernel(tf.ClipByValue, call);
    const y = call.backend.place(x.shape);
    const { clipValueMin, clipValueMax } = call.attrs;
    call.backend.kernels.clip(call.backend.addressOf(x), y.address, clipValueMin, clipValueMax, 0, sizeOf(x));
    return y.info;
  }),
  wasmKernel<readonly tf.TensorInfo[], unknown>(tf.AddN, (call) => {
    const { backend } = call;
    const [first, ...others] = call.inputs;
    if (!first || !isFloat(call.backend, ...call.inputs)) return callCpuKernel(tf.AddN, call);
    const sum = backend.place(first.shape);
    const size = sizeOf(first);
    const values = backend.floats(sum.address, size);
    values.set(backend.floats(backend.addressOf(first), size));
    for (const other of others) {
      backend.kernels.binary(operations.add, sum.address, backend.addressOf(other), sum.address, 1, size, 0, 1);
    }
    return sum.info;
  }),
  wasmKernel<
    { x: tf.TensorInfo; clean: tf.TensorInfo; gradient: tf.TensorInfo },
    { stepSize: number; epsilon: number }
  >('KafscopeAttackStep', ({ inputs: { x, clean, gradient }, attrs, backend }) => {
    const y = backend.place(x.shape);
    backend.kernels.attackStep(
      ...[backend.addressOf(x), backend.addressOf(clean), backend.addressOf(gradient), y.address],
      ...[attrs.stepSize, attrs.epsilon, 0, sizeOf(x)],
    );
    return y.info;
  }),
];

/** `reversed` is the operation with a and b exchanged, for a broadcast a. */
function binaryKernel(kernelName: string, operation: number, reversed: number): WasmKernel {
  return wasmKernel<Pair, unknown>(kernelName, (call) => {
    const { a, b } = call.inputs;
    return runBinary(call, a, b, operation) ?? runBinary(call, b, a, reversed) ?? callCpuKernel(kernelName, call);
  });
}

/** Null unless both are float32 and `small` is `large`, or broadcast to it along one run of axes. */
function runBinary(
  { backend }: KernelCall<Pair, unknown>,
  large: tf.TensorInfo,
  small: tf.TensorInfo,
  operation: number,
): tf.TensorInfo | null {
  const run = isFloat(backend, large, small) ? broadcastRun(large.shape, small.shape) : null;
  if (!run) return null;
  const out = backend.place(large.shape);
  backend.kernels.binary(
    ...[operation, backend.addressOf(large), backend.addressOf(small), out.address],
    ...[run.repeat, run.inner, 0, run.outer],
  );
  return out.info;
}

/** `small` as [outer, 1, inner] over `large` as [outer, repeat, inner]; null where that is not all. */
function broadcastRun(
  large: readonly number[],
  small: readonly number[],
): { outer: number; repeat: number; inner: number } | null {
  if (small.length > large.length) return null;
  const padded = [...Array.from({ length: large.length - small.length }, () => 1), ...small];
  let axis = 0;
  let outer = 1;
  let repeat = 1;
  let inner = 1;
  for (; axis < large.length && padded[axis] === large[axis]; axis++) outer *= large[axis]!;
  for (; axis < large.length && padded[axis] === 1; axis++) repeat *= large[axis]!;
  for (; axis < large.length && padded[axis] === large[axis]; axis++) inner *= large[axis]!;
  if (axis < large.length) return null;
  // Without a broadcast everything is in outer: better one long row.
  return repeat === 1 && inner === 1 ? { outer: 1, repeat: 1, inner: outer } : { outer, repeat, inner };
}

function unaryKernel(kernelName: string, code: number): WasmKernel {
  return wasmKernel<{ x: tf.TensorInfo }, { alpha?: number } | undefined>(kernelName, (call) => {
    const { x } = call.inputs;
    if (!isFloat(call.backend, x)) return callCpuKernel(kernelName, call);
    return runUnary(call.backend, x, code, call.attrs?.alpha ?? 0);
  });
}

function runUnary(backend: WasmBackend, x: tf.TensorInfo, code: number, parameter: number): tf.TensorInfo {
  const y = backend.place(x.shape);
  backend.kernels.unary(code, backend.addressOf(x), y.address, parameter, 0, sizeOf(x));
  return y.info;
}
