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

/** Elements of one range, a multiple of the lanes. */
const grain = 32_768;

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
    const fixed = [call.backend.addressOf(x), y.address, clipValueMin, clipValueMax];
    call.backend.runOver(sizeOf(x), grain, 'clip', (...range) => [...fixed, ...range]);
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
      const add = [operations.add, sum.address, backend.addressOf(other), sum.address] as const;
      runBroadcast(backend, add, { outer: 1, repeat: 1, inner: size });
    }
    return sum.info;
  }),
  wasmKernel<
    { x: tf.TensorInfo; clean: tf.TensorInfo; gradient: tf.TensorInfo },
    { stepSize: number; epsilon: number }
  >('KafscopeAttackStep', ({ inputs: { x, clean, gradient }, attrs, backend }) => {
    const y = backend.place(x.shape);
    const fixed = [
      ...[backend.addressOf(x), backend.addressOf(clean), backend.addressOf(gradient), y.address],
      ...[attrs.stepSize, attrs.epsilon],
    ];
    backend.runOver(sizeOf(x), grain, 'attackStep', (...range) => [...fixed, ...range]);
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
  runBroadcast(backend, [operation, backend.addressOf(large), backend.addressOf(small), out.address], run);
  return out.info;
}

/** Cuts the longest of the three axes. */
function runBroadcast(
  backend: WasmBackend,
  [operation, a, b, y]: readonly [operation: number, a: number, b: number, y: number],
  { outer, repeat, inner }: Broadcast,
): void {
  if (outer > 1) {
    backend.runOver(outer, Math.ceil(grain / Math.max(1, repeat * inner)), 'binary', (first, last) => [
      ...[operation, a, b, y, repeat, inner, first, last],
    ]);
  } else if (repeat > 1) {
    const rowBytes = inner * 4;
    backend.runOver(repeat, Math.ceil(grain / Math.max(1, inner)), 'binary', (first, last) => [
      ...[operation, a + first * rowBytes, b, y + first * rowBytes, last - first, inner, 0, outer],
    ]);
  } else {
    backend.runOver(inner, grain, 'binary', (first, last) => [
      ...[operation, a + first * 4, b + first * 4, y + first * 4, 1, last - first, 0, outer],
    ]);
  }
}

/** `large` as [outer, repeat, inner], over which a smaller one lies as [outer, 1, inner]. */
interface Broadcast {
  readonly outer: number;
  readonly repeat: number;
  readonly inner: number;
}

/** Null where `small` does not lie over `large` so. */
function broadcastRun(large: readonly number[], small: readonly number[]): Broadcast | null {
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
  const fixed = [code, backend.addressOf(x), y.address, parameter];
  backend.runOver(sizeOf(x), grain, 'unary', (...range) => [...fixed, ...range]);
  return y.info;
}
