// Conv2D, FusedConv2D, Conv2DBackpropInput and Conv2DBackpropFilter over assembly/convolution.ts: NHWC, any size, stride and
// padding. Dilated, grouped and NCHW convolutions go to tfjs's own kernels.
import * as tf from '@tensorflow/tfjs-core';
import type { WasmBackend } from '../wasmBackend.ts';
import { callCpuKernel, isFloat, roundUp, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

type ConvolutionInfo = tf.backend_util.Conv2DInfo;

interface ConvolutionAttributes {
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dilations?: [number, number] | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

interface Filtered {
  readonly x: tf.TensorInfo;
  readonly filter: tf.TensorInfo;
}

export const convolutionKernels: readonly WasmKernel[] = [
  wasmKernel<Filtered, ConvolutionAttributes>(tf.Conv2D, (call) => {
    const { x, filter } = call.inputs;
    const info = convolutionInfo(x.shape, filter.shape, call.attrs);
    if (!info || !isFloat(call.backend, x, filter)) return callCpuKernel(tf.Conv2D, call);
    return convolveForward(call.backend, x, filter, info, { bias: null, isRelu: false });
  }),
  wasmKernel<Filtered & { bias?: tf.TensorInfo }, ConvolutionAttributes & { activation?: string }>(
    tf.FusedConv2D,
    (call) => {
      const { x, filter, bias } = call.inputs;
      const { activation } = call.attrs;
      const info = convolutionInfo(x.shape, filter.shape, call.attrs);
      const isRelu = activation === 'relu';
      const isPlainBias = !bias || (bias.shape.at(-1) === filter.shape[3] && sizeOf(bias) === filter.shape[3]);
      if (
        !info ||
        !isFloat(call.backend, x, filter, ...(bias ? [bias] : [])) ||
        !isPlainBias ||
        !(isRelu || activation === undefined || activation === 'linear')
      ) {
        return callCpuKernel(tf.FusedConv2D, call);
      }
      return convolveForward(call.backend, x, filter, info, { bias: bias ?? null, isRelu });
    },
  ),
  wasmKernel<{ dy: tf.TensorInfo; filter: tf.TensorInfo }, ConvolutionAttributes & { inputShape: number[] }>(
    tf.Conv2DBackpropInput,
    (call) => {
      const { dy, filter } = call.inputs;
      const info = convolutionInfo(call.attrs.inputShape, filter.shape, call.attrs);
      if (!info || !isGradientOf(info, dy) || !isFloat(call.backend, dy, filter))
        return callCpuKernel(tf.Conv2DBackpropInput, call);
      return inputGradient(call.backend, dy, filter, info);
    },
  ),
  wasmKernel<{ x: tf.TensorInfo; dy: tf.TensorInfo }, ConvolutionAttributes & { filterShape: number[] }>(
    tf.Conv2DBackpropFilter,
    (call) => {
      const { x, dy } = call.inputs;
      const info = convolutionInfo(x.shape, call.attrs.filterShape, call.attrs);
      if (!info || !isGradientOf(info, dy) || !isFloat(call.backend, x, dy))
        return callCpuKernel(tf.Conv2DBackpropFilter, call);
      return filterGradient(call.backend, x, dy, info);
    },
  ),
];

/** Null for what the fast kernels don't take. */
function convolutionInfo(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attributes: ConvolutionAttributes,
): ConvolutionInfo | null {
  const { strides, pad, dataFormat = 'NHWC', dilations = 1, dimRoundingMode } = attributes;
  if (dataFormat !== 'NHWC') return null;
  const info = tf.backend_util.computeConv2DInfo(
    [...inputShape] as [number, number, number, number],
    [...filterShape] as [number, number, number, number],
    strides,
    dilations,
    pad,
    dimRoundingMode,
    false,
    'channelsLast',
  );
  const isPlain = info.dilationHeight === 1 && info.dilationWidth === 1 && info.inChannels === filterShape[2];
  return isPlain ? info : null;
}

/** tfjs takes a larger dy, too, and reads a part of it. */
function isGradientOf(info: ConvolutionInfo, dy: tf.TensorInfo): boolean {
  return tf.util.arraysEqual(dy.shape, info.outShape);
}

/** How an image lies in the padded copy that the kernels read. */
interface Placement {
  readonly height: number;
  readonly width: number;
  readonly top: number;
  readonly left: number;
  /** Whether the image can be read where it is. */
  readonly isInPlace: boolean;
}

function forwardPlacement(info: ConvolutionInfo): Placement {
  const height = (info.outHeight - 1) * info.strideHeight + info.filterHeight;
  const width = (info.outWidth - 1) * info.strideWidth + info.filterWidth;
  const { top, left } = info.padInfo;
  const isInPlace = top === 0 && left === 0 && height <= info.inHeight && width <= info.inWidth;
  return { height, width: isInPlace ? info.inWidth : width, top, left, isInPlace };
}

function convolveForward(
  backend: WasmBackend,
  x: tf.TensorInfo,
  filter: tf.TensorInfo,
  info: ConvolutionInfo,
  options: { readonly bias: tf.TensorInfo | null; readonly isRelu: boolean },
): tf.TensorInfo {
  const { filterHeight, filterWidth, inChannels, outChannels } = info;
  const placement = forwardPlacement(info);
  const out = backend.place(info.outShape);
  const paddedChannels = roundUp(outChannels, 8);
  const sizesBytes = [
    filterHeight * filterWidth * inChannels * paddedChannels * 4,
    paddedChannels * 4,
    (info.outHeight * info.outWidth + 5) * 4,
    placement.isInPlace ? 0 : placement.height * placement.width * inChannels * 4,
  ];
  backend.withScratch(sizesBytes, (panels, paddedBias, offsets, padded) => {
    const biasValues = backend.floats(paddedBias!, paddedChannels).fill(0);
    if (options.bias) biasValues.set(backend.floats(backend.addressOf(options.bias), outChannels));
    backend.kernels.packFilter(backend.addressOf(filter), filterHeight, filterWidth, inChannels, outChannels, panels!);
    backend.kernels.convolve(
      ...[backend.addressOf(x), info.inHeight, info.inWidth, inChannels],
      ...[placement.isInPlace ? 0 : padded!, placement.height, placement.width, placement.top, placement.left, 1, 1],
      ...[panels!, filterHeight, filterWidth, outChannels, paddedBias!],
      ...[out.address, info.outHeight, info.outWidth, info.strideHeight, info.strideWidth],
      ...[0, info.batchSize, offsets!, options.isRelu ? 1 : 0],
    );
  });
  return out.info;
}

/** dx = full correlation of dy, its pixels `stride` apart, with the filters turned by 180°. */
function inputGradient(
  backend: WasmBackend,
  dy: tf.TensorInfo,
  filter: tf.TensorInfo,
  info: ConvolutionInfo,
): tf.TensorInfo {
  const { filterHeight, filterWidth, inChannels, outChannels, inHeight, inWidth } = info;
  const height = inHeight + filterHeight - 1;
  const width = inWidth + filterWidth - 1;
  const top = filterHeight - 1 - info.padInfo.top;
  const left = filterWidth - 1 - info.padInfo.left;
  const isInPlace =
    filterHeight === 1 &&
    filterWidth === 1 &&
    top === 0 &&
    left === 0 &&
    info.outHeight === inHeight &&
    info.outWidth === inWidth;
  const out = backend.place(info.inShape);
  const paddedChannels = roundUp(inChannels, 8);
  const sizesBytes = [
    filterHeight * filterWidth * outChannels * paddedChannels * 4,
    paddedChannels * 4,
    (inHeight * inWidth + 5) * 4,
    isInPlace ? 0 : height * width * outChannels * 4,
  ];
  backend.withScratch(sizesBytes, (panels, zeroBias, offsets, padded) => {
    backend.floats(zeroBias!, paddedChannels).fill(0);
    backend.kernels.packTurnedFilter(
      backend.addressOf(filter),
      filterHeight,
      filterWidth,
      inChannels,
      outChannels,
      panels!,
    );
    backend.kernels.convolve(
      ...[backend.addressOf(dy), info.outHeight, info.outWidth, outChannels],
      ...[isInPlace ? 0 : padded!, height, width, top, left, info.strideHeight, info.strideWidth],
      ...[panels!, filterHeight, filterWidth, inChannels, zeroBias!],
      ...[out.address, inHeight, inWidth, 1, 1],
      ...[0, info.batchSize, offsets!, 0],
    );
  });
  return out.info;
}

function filterGradient(
  backend: WasmBackend,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  info: ConvolutionInfo,
): tf.TensorInfo {
  const { filterHeight, filterWidth, inChannels, outChannels, outWidth, outHeight } = info;
  const placement = forwardPlacement(info);
  const out = backend.place(info.filterShape);
  const rows = filterHeight * filterWidth * inChannels;
  const paddedChannels = roundUp(outChannels, 8);
  // About 64 pixels a block: dy's panels and the image's rows then stay in the first-level cache.
  const rowsPerBlock = Math.max(1, Math.min(outHeight, Math.floor(64 / Math.max(1, outWidth))));
  const sizesBytes = [
    rows * paddedChannels * 4,
    rowsPerBlock * outWidth * paddedChannels * 4,
    // Six neighbouring floats are read at the last pixel even where fewer are left.
    placement.isInPlace ? 0 : placement.height * placement.width * inChannels * 4 + 24,
  ];
  backend.withScratch(sizesBytes, (sums, panels, padded) => {
    backend.floats(sums!, rows * paddedChannels).fill(0);
    backend.kernels.accumulateFilterGradient(
      ...[backend.addressOf(x), info.inHeight, info.inWidth, inChannels],
      ...[placement.isInPlace ? 0 : padded!, placement.height, placement.width, placement.top, placement.left],
      ...[backend.addressOf(dy), outHeight, outWidth, outChannels, info.strideHeight, info.strideWidth],
      ...[filterHeight, filterWidth, sums!, panels!, rowsPerBlock, 0, info.batchSize],
    );
    backend.kernels.copyUnpadded(sums!, rows, outChannels, out.address);
  });
  return out.info;
}
