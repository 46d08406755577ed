// Conv2D, FusedConv2D, Conv2DBackpropInput and Conv2DBackpropFilter over assembly/convolution.ts: NHWC, any size, stride and
// padding; 3×3 at stride 1 by winograd.ts where that is faster. Dilated, grouped and NCHW convolutions go to tfjs's own kernels.
import * as tf from '@tensorflow/tfjs-core';
import { rangesOf } from '../threads/ranges.ts';
import type { WasmBackend } from '../wasmBackend.ts';
import { callCpuKernel, isFloat, roundUp, sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';
import {
  isFilterGradientFaster,
  isForwardFaster,
  isInputGradientFaster,
  winogradFilterGradient,
  winogradForward,
  winogradInputGradient,
} from './winograd.ts';

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
  if (!options.isRelu && isForwardFaster(info)) return winogradForward(backend, x, filter, info, options.bias);
  const { filterHeight, filterWidth, inChannels, outChannels } = info;
  const placement = forwardPlacement(info);
  const { batchSize, outHeight, outWidth } = info;
  const { height, width, top, left } = placement;
  const out = backend.place(info.outShape);
  const paddedChannels = roundUp(outChannels, 8);
  const sizesBytes = [filterHeight * filterWidth * inChannels * paddedChannels * 4, paddedChannels * 4];
  backend.withScratch(sizesBytes, (panels, paddedBias) => {
    const biasValues = backend.floats(paddedBias!, paddedChannels).fill(0);
    if (options.bias) biasValues.set(backend.floats(backend.addressOf(options.bias), outChannels));
    backend.kernels.packFilter(backend.addressOf(filter), filterHeight, filterWidth, inChannels, outChannels, panels!);
    const fixed = [
      ...[backend.addressOf(x), info.inHeight, info.inWidth, inChannels],
      ...[placement.isInPlace ? 1 : 0, height, width, top, left],
      ...[panels!, filterHeight, filterWidth, outChannels, paddedBias!],
      ...[out.address, outHeight, outWidth, info.strideHeight, info.strideWidth, options.isRelu ? 1 : 0],
    ];
    const paddedBytes = placement.isInPlace ? 0 : height * width * inChannels * 4;
    const scratch = { argument: fixed.length + 2, sizeBytes: paddedBytes + (outHeight * outWidth + 5) * 4 };
    backend.runOver(batchSize, 1, 'convolve', (...range) => [...fixed, ...range, 0], scratch);
  });
  return out.info;
}

/** One of the strides' phases of one axis of an input gradient. */
interface Phase {
  readonly phase: number;
  readonly nTaps: number;
  /** The first of the input's cells of the phase, and how many there are, a stride apart. */
  readonly first: number;
  readonly count: number;
  /** How many cells before dy its padded copy starts. */
  readonly padding: number;
}

/** dx[y] = Σ dy[(y + before − tap) / stride] · w[tap] over the taps for which that is whole: y + before ≡ tap ≡ phase. */
function phasesOf(length: number, nTaps: number, stride: number, before: number): Phase[] {
  return Array.from({ length: stride }, (_, phase) => {
    const first = (((phase - before) % stride) + stride) % stride;
    const nTapsOfPhase = Math.max(0, Math.ceil((nTaps - phase) / stride));
    return {
      phase,
      nTaps: nTapsOfPhase,
      first,
      count: Math.max(0, Math.ceil((length - first) / stride)),
      padding: nTapsOfPhase - 1 - (first + before - phase) / stride,
    };
  });
}

/** dx = for each phase of the strides, full correlation of dy with the filters' taps of that phase, turned by 180°. */
function inputGradient(
  backend: WasmBackend,
  dy: tf.TensorInfo,
  filter: tf.TensorInfo,
  info: ConvolutionInfo,
): tf.TensorInfo {
  if (isInputGradientFaster(info)) return winogradInputGradient(backend, dy, filter, info);
  const { filterHeight, filterWidth, inChannels, outChannels, inHeight, inWidth, strideHeight, strideWidth } = info;
  const { batchSize, outHeight, outWidth, padInfo } = info;
  const out = backend.place(info.inShape);
  const paddedChannels = roundUp(inChannels, 8);
  const sizesBytes = [filterHeight * filterWidth * outChannels * paddedChannels * 4, paddedChannels * 4];
  // Pixels that no tap reaches, or that lie beyond all windows.
  if (filterHeight < strideHeight || filterWidth < strideWidth) backend.floats(out.address, sizeOf(out.info)).fill(0);
  backend.withScratch(sizesBytes, (panels, zeroBias) => {
    backend.floats(zeroBias!, paddedChannels).fill(0);
    for (const y of phasesOf(inHeight, filterHeight, strideHeight, padInfo.top)) {
      for (const x of phasesOf(inWidth, filterWidth, strideWidth, padInfo.left)) {
        if (y.nTaps * x.nTaps * y.count * x.count === 0) continue;
        backend.kernels.packTurnedFilter(
          ...[backend.addressOf(filter), filterHeight, filterWidth, inChannels, outChannels],
          ...[y.phase, x.phase, strideHeight, strideWidth, panels!],
        );
        const images = [backend.addressOf(dy), outHeight, outWidth, outChannels];
        const padded = [y.count + y.nTaps - 1, x.count + x.nTaps - 1] as const;
        const taps = [panels!, y.nTaps, x.nTaps, inChannels, zeroBias!];
        const nPixels = y.count * x.count;
        const floats = padded[0] * padded[1] * outChannels + nPixels + 5;
        if (strideHeight * strideWidth === 1) {
          const isInPlace = y.nTaps * x.nTaps === 1 && y.padding === 0 && x.padding === 0 && outWidth === inWidth;
          const fixed = [
            ...[...images, isInPlace ? 1 : 0, ...padded, y.padding, x.padding, ...taps],
            ...[out.address, inHeight, inWidth, 1, 1, 0],
          ];
          const scratch = { argument: fixed.length + 2, sizeBytes: floats * 4 };
          backend.runOver(batchSize, 1, 'convolve', (...range) => [...fixed, ...range, 0], scratch);
        } else {
          const fixed = [
            ...[...images, y.padding, x.padding, ...taps, out.address, inHeight, inWidth],
            ...[y.first, x.first, strideHeight, strideWidth, y.count, x.count],
          ];
          const scratch = { argument: fixed.length + 2, sizeBytes: (floats + nPixels * inChannels) * 4 };
          backend.runOver(batchSize, 1, 'convolvePhase', (...range) => [...fixed, ...range, 0], scratch);
        }
      }
    }
  });
  return out.info;
}

/** A filter gradient is summed in so many parts at most; by shape, never by threads. */
const mostParts = 8;

function filterGradient(
  backend: WasmBackend,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  info: ConvolutionInfo,
): tf.TensorInfo {
  if (isFilterGradientFaster(info)) return winogradFilterGradient(backend, x, dy, info);
  const { filterHeight, filterWidth, inChannels, outChannels, outWidth, outHeight } = info;
  const { height, width, top, left, isInPlace } = forwardPlacement(info);
  const out = backend.place(info.filterShape);
  const rows = filterHeight * filterWidth * inChannels;
  const paddedChannels = roundUp(outChannels, 8);
  // About 64 pixels a block: dy's panels and the image's rows then stay in the first-level cache.
  const rowsPerBlock = Math.max(1, Math.min(outHeight, Math.floor(64 / Math.max(1, outWidth))));
  const parts = rangesOf(info.batchSize, 1, mostParts);
  const partBytes = rows * paddedChannels * 4;
  const panelBytes = rowsPerBlock * outWidth * paddedChannels * 4;
  // Six neighbouring floats are read at the last pixel even where fewer are left.
  const imageBytes = isInPlace ? 0 : height * width * inChannels * 4 + 24;
  backend.withScratch([parts.length * partBytes], (sums) => {
    const calls = parts.map(([first, last], part) => [
      ...[backend.addressOf(x), info.inHeight, info.inWidth, inChannels],
      ...[isInPlace ? 1 : 0, height, width, top, left],
      ...[backend.addressOf(dy), outHeight, outWidth, outChannels, info.strideHeight, info.strideWidth],
      ...[filterHeight, filterWidth, sums! + part * partBytes, rowsPerBlock, first, last, 0],
    ]);
    if (calls.length === 0) backend.floats(out.address, rows * outChannels).fill(0);
    else {
      backend.run('filterGradientSums', calls, { argument: 21, sizeBytes: panelBytes + imageBytes });
      const fixed = [sums!, parts.length, partBytes, outChannels, out.address];
      backend.runOver(rows, 64, 'addFilterGradients', (...range) => [...fixed, ...range]);
    }
  });
  return out.info;
}
