// Concat, SplitV, Slice and PadV2 of float32 over assembly/copy.ts, where what is copied lies in runs at even distances: along any one
// axis, and over height and width of maps. Others go to tfjs's own kernels.
import * as tf from '@tensorflow/tfjs-core';
import type { WasmBackend } from '../wasmBackend.ts';
import { callCpuKernel, isFloat, wasmKernel, type WasmKernel } from './wasmKernel.ts';

export const copyKernels: readonly WasmKernel[] = [
  wasmKernel<readonly tf.TensorInfo[], { axis: number }>(tf.Concat, (call) => {
    const { backend } = call;
    const inputs = Object.values(call.inputs);
    const [first] = inputs;
    if (!first || !isFloat(backend, ...inputs)) return callCpuKernel(tf.Concat, call);
    const axis = axisOf(call.attrs.axis, first.shape);
    tf.backend_util.assertParamsConsistent(
      inputs.map(({ shape }) => shape),
      axis,
    );
    const length = inputs.reduce((sum, { shape }) => sum + shape[axis]!, 0);
    const y = backend.place(first.shape.with(axis, length));
    let at = 0;
    for (const input of inputs) {
      const part = { axis, begin: at, length: input.shape[axis]! };
      copyAlong(backend, backend.addressOf(input), y.address, { whole: y.info.shape, part, isPartTarget: false });
      at += part.length;
    }
    return y.info;
  }),
  wasmKernel<{ x: tf.TensorInfo }, { numOrSizeSplits: number | number[]; axis: number }>(tf.SplitV, (call) => {
    const { backend, attrs } = call;
    const { x } = call.inputs;
    if (!isFloat(backend, x)) return callCpuKernel(tf.SplitV, call);
    const axis = axisOf(attrs.axis, x.shape);
    const lengths = tf.backend_util.prepareSplitSize(x as tf.Tensor, attrs.numOrSizeSplits, axis);
    let at = 0;
    return lengths.map((length) => {
      const y = backend.place(x.shape.with(axis, length));
      const part = { axis, begin: at, length };
      copyAlong(backend, backend.addressOf(x), y.address, { whole: x.shape, part, isPartTarget: true });
      at += length;
      return y.info;
    });
  }),
  wasmKernel<{ x: tf.TensorInfo }, { begin: number | number[]; size: number | number[] }>(tf.Slice, (call) => {
    const { backend, attrs } = call;
    const { x } = call.inputs;
    const [begin, size] = tf.slice_util.parseSliceParams(x as tf.Tensor, attrs.begin, attrs.size) as [
      number[],
      number[],
    ];
    const window = windowOf(x.shape, begin, size);
    if (!window || !isFloat(backend, x)) return callCpuKernel(tf.Slice, call);
    tf.slice_util.assertParamsValid(x as tf.Tensor, begin, size);
    const y = backend.place(size);
    copyWindow(backend, backend.addressOf(x), y.address, { whole: x.shape, window, isPartTarget: true });
    return y.info;
  }),
  wasmKernel<{ x: tf.TensorInfo }, { paddings: [number, number][]; constantValue: number }>(tf.PadV2, (call) => {
    const { backend, attrs } = call;
    const { x } = call.inputs;
    const shape = x.shape.map((length, axis) => attrs.paddings[axis]![0] + length + attrs.paddings[axis]![1]);
    const window = windowOf(
      shape,
      attrs.paddings.map(([before]) => before),
      x.shape,
    );
    if (!window || !isFloat(backend, x)) return callCpuKernel(tf.PadV2, call);
    const y = backend.place(shape);
    backend.floats(y.address, sizeFrom(shape, 0)).fill(attrs.constantValue);
    copyWindow(backend, backend.addressOf(x), y.address, { whole: shape, window, isPartTarget: false });
    return y.info;
  }),
];

interface Part {
  readonly axis: number;
  readonly begin: number;
  readonly length: number;
}

/** Between a whole tensor and its part along one axis, which has memory of its own. */
function copyAlong(
  backend: WasmBackend,
  from: number,
  to: number,
  { whole, part, isPartTarget }: { whole: readonly number[]; part: Part; isPartTarget: boolean },
): void {
  const { axis, begin, length } = part;
  const window = { outer: sizeBefore(whole, axis), axis, first: { begin, length }, second: null } as const;
  copyWindow(backend, from, to, { whole, window, isPartTarget });
}

interface Cut {
  readonly begin: number;
  readonly length: number;
}

/** Of a tensor as [outer, axis, axis + 1, rest]: all of outer and of the rest, of the two axes a part; null for all of the second. */
interface Window {
  readonly outer: number;
  readonly axis: number;
  readonly first: Cut;
  readonly second: Cut | null;
}

/** Null where more than two neighbouring axes are cut. */
function windowOf(whole: readonly number[], begin: readonly number[], size: readonly number[]): Window | null {
  const cut = [...whole.keys()].filter((axis) => begin[axis] !== 0 || size[axis] !== whole[axis]);
  const axis = cut[0] ?? 0;
  if (whole.length === 0 || cut.some((other) => other > axis + 1)) return null;
  const cutOf = (of: number): Cut => ({ begin: begin[of]!, length: size[of]! });
  const second = cut.length < 2 ? null : cutOf(axis + 1);
  return { outer: sizeBefore(whole, axis), axis, first: cutOf(axis), second };
}

function copyWindow(
  backend: WasmBackend,
  from: number,
  to: number,
  { whole, window, isPartTarget }: { whole: readonly number[]; window: Window; isPartTarget: boolean },
): void {
  const { outer, axis, first, second } = window;
  const rowBytes = sizeFrom(whole, axis + 1) * 4;
  const innerBytes = sizeFrom(whole, axis + 2) * 4;
  const runBytes = second ? second.length * innerBytes : rowBytes;
  const [inner, bytes] = second ? [first.length, runBytes] : [1, first.length * rowBytes];
  const offset = first.begin * rowBytes + (second ? second.begin * innerBytes : 0);
  const ofWhole = [whole[axis]! * rowBytes, rowBytes] as const;
  const ofPart = [first.length * runBytes, runBytes] as const;
  const places = isPartTarget ? [from + offset, ...ofWhole, to, ...ofPart] : [from, ...ofPart, to + offset, ...ofWhole];
  // Of some 100 kilobytes.
  const grain = Math.max(1, Math.ceil(100_000 / Math.max(1, inner * bytes)));
  backend.runOver(outer, grain, 'copyRuns', (...range) => [...places, bytes, inner, ...range]);
}

function axisOf(axis: number, shape: readonly number[]): number {
  return tf.util.parseAxisParam(axis, [...shape])[0]!;
}

function sizeBefore(shape: readonly number[], axis: number): number {
  return shape.slice(0, axis).reduce((product, length) => product * length, 1);
}

function sizeFrom(shape: readonly number[], axis: number): number {
  return shape.slice(axis).reduce((product, length) => product * length, 1);
}
