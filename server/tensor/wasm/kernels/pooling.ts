// MaxPool, AvgPool and their gradients over assembly/pooling.ts: NHWC, any window, stride and padding.
import * as tf from '@tensorflow/tfjs-core';
import { callCpuKernel, isFloat, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface PoolAttributes {
  readonly filterSize: [number, number] | number;
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

export const poolingKernels: readonly WasmKernel[] = [
  wasmKernel<{ x: tf.TensorInfo }, PoolAttributes>(tf.MaxPool, (call) => {
    const { x } = call.inputs;
    const { backend } = call;
    const info = poolInfo(x, call.attrs);
    // A window of one pixel is the identity to tfjs, whatever the padding.
    const isTrivial = info.filterHeight === 1 && info.filterWidth === 1;
    if (isTrivial || !isFloat(backend, x)) return callCpuKernel(tf.MaxPool, call);
    const y = backend.place(info.outShape);
    const fixed = [
      ...[backend.addressOf(x), info.inHeight, info.inWidth, info.inChannels, y.address, info.outHeight, info.outWidth],
      ...windowOf(info),
    ];
    backend.runOver(info.batchSize, imagesPerRange(info), 'maxPool', (...range) => [...fixed, ...range]);
    return y.info;
  }),
  wasmKernel<{ dy: tf.TensorInfo; input: tf.TensorInfo }, PoolAttributes>(tf.MaxPoolGrad, (call) => {
    const { dy, input } = call.inputs;
    if (!isFloat(call.backend, dy, input)) return callCpuKernel(tf.MaxPoolGrad, call);
    const { backend } = call;
    const info = poolInfo(input, call.attrs);
    const dx = backend.place(input.shape);
    const fixed = [
      ...[backend.addressOf(dy), backend.addressOf(input), info.inHeight, info.inWidth, info.inChannels],
      ...[dx.address, info.outHeight, info.outWidth],
      ...windowOf(info),
    ];
    backend.runOver(info.batchSize, imagesPerRange(info), 'maxPoolGradient', (...range) => [...fixed, ...range]);
    return dx.info;
  }),
  wasmKernel<{ x: tf.TensorInfo }, PoolAttributes>(tf.AvgPool, (call) => {
    const { x } = call.inputs;
    const { backend } = call;
    const info = poolInfo(x, call.attrs);
    // A window of one pixel is the identity to tfjs, which makes no copy.
    const isTrivial = info.filterHeight === 1 && info.filterWidth === 1;
    if (isTrivial || !isFloat(backend, x)) return callCpuKernel(tf.AvgPool, call);
    const y = backend.place(info.outShape);
    const fixed = [
      ...[backend.addressOf(x), info.inHeight, info.inWidth, info.inChannels, y.address, info.outHeight, info.outWidth],
      ...windowOf(info),
    ];
    backend.runOver(info.batchSize, imagesPerRange(info), 'avgPool', (...range) => [...fixed, ...range]);
    return y.info;
  }),
  wasmKernel<{ dy: tf.TensorInfo; input: tf.TensorInfo }, PoolAttributes>(tf.AvgPoolGrad, (call) => {
    const { dy, input } = call.inputs;
    if (!isFloat(call.backend, dy)) return callCpuKernel(tf.AvgPoolGrad, call);
    const { backend } = call;
    const info = poolInfo(input, call.attrs);
    const dx = backend.place(input.shape);
    const fixed = [
      ...[backend.addressOf(dy), info.inHeight, info.inWidth, info.inChannels],
      ...[dx.address, info.outHeight, info.outWidth],
      ...windowOf(info),
    ];
    backend.runOver(info.batchSize, imagesPerRange(info), 'avgPoolGradient', (...range) => [...fixed, ...range]);
    return dx.info;
  }),
];

function poolInfo(
  x: tf.TensorInfo,
  { filterSize, strides, pad, dimRoundingMode }: PoolAttributes,
): tf.backend_util.Conv2DInfo {
  return tf.backend_util.computePool2DInfo(
    x.shape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
}

/** Window, strides and padding. */
function windowOf(info: tf.backend_util.Conv2DInfo): number[] {
  const { filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = info;
  return [filterHeight, filterWidth, strideHeight, strideWidth, padInfo.top, padInfo.left];
}

/** So many that a range has some 16,000 values. */
function imagesPerRange({ inHeight, inWidth, inChannels }: tf.backend_util.Conv2DInfo): number {
  return Math.ceil(16_384 / Math.max(1, inHeight * inWidth * inChannels));
}
