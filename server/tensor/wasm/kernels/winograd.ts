// 3×3 convolutions at stride 1 over assembly/winograd.ts: which of them gain by it, and the calls of the kernels.
import type * as tf from '@tensorflow/tfjs-core';
import { rangesOf } from '../threads/ranges.ts';
import type { WasmBackend } from '../wasmBackend.ts';
import { roundUp } from './wasmKernel.ts';

type ConvolutionInfo = tf.backend_util.Conv2DInfo;

/** What a block's transformed inputs and outputs may take of the second-level cache. */
const blockBytes = 900_000;
/** A filter gradient is summed in at most so many parts, each of at least so many tiles; by shape, never by threads. */
const mostParts = 8;
const tilesPerPart = 128;
/** Below these the direct kernel is as fast: fewer channels leave lanes empty, fewer tiles don't pay for the filter's transform. */
const fewestChannels = 8;
const fewestTiles = 8;
/** How many pixels of tiles there may be for one pixel of the image; 5×5 and 3×3 images still gain, 2×2 don't. */
const mostWaste = 3;

/** Some 10 µs of work: tiles, and pairs of channels of a filter. */
const tilesGrain = 12;
const filterGrain = 512;

/** A correlation of images with 3×3 filters: the forward pass, or a full correlation of dy for the input gradient. */
interface Correlation {
  readonly images: tf.TensorInfo;
  readonly filter: tf.TensorInfo;
  /** As the filter is stored, or turned by 180° with its channels swapped. */
  readonly filterOrder: 'stored' | 'turned';
  readonly bias: tf.TensorInfo | null;
  readonly outShape: readonly [number, number, number, number];
  readonly top: number;
  readonly left: number;
}

export function isForwardFaster(info: ConvolutionInfo): boolean {
  return isOfFilters(info) && info.inChannels >= fewestChannels && isWorthTiling(info.outHeight, info.outWidth, info);
}

export function isInputGradientFaster(info: ConvolutionInfo): boolean {
  return isOfFilters(info) && info.outChannels >= fewestChannels && isWorthTiling(info.inHeight, info.inWidth, info);
}

export function isFilterGradientFaster(info: ConvolutionInfo): boolean {
  return (
    isOfFilters(info) &&
    info.inChannels >= 3 &&
    info.outChannels >= fewestChannels &&
    isWorthTiling(info.outHeight, info.outWidth, info)
  );
}

function isOfFilters(info: ConvolutionInfo): boolean {
  return info.filterHeight === 3 && info.filterWidth === 3 && info.strideHeight === 1 && info.strideWidth === 1;
}

function isWorthTiling(height: number, width: number, { batchSize }: ConvolutionInfo): boolean {
  const nTiles = tilesOf(height, width);
  return nTiles * batchSize >= fewestTiles && nTiles * 16 <= mostWaste * height * width;
}

function tilesOf(height: number, width: number): number {
  return Math.ceil(height / 4) * Math.ceil(width / 4);
}

/** y = x ⋆ filter + bias. */
export function winogradForward(
  backend: WasmBackend,
  x: tf.TensorInfo,
  filter: tf.TensorInfo,
  info: ConvolutionInfo,
  bias: tf.TensorInfo | null,
): tf.TensorInfo {
  const { top, left } = info.padInfo;
  return correlate(backend, { images: x, filter, filterOrder: 'stored', bias, outShape: info.outShape, top, left });
}

export function winogradInputGradient(
  backend: WasmBackend,
  dy: tf.TensorInfo,
  filter: tf.TensorInfo,
  info: ConvolutionInfo,
): tf.TensorInfo {
  return correlate(backend, {
    images: dy,
    filter,
    filterOrder: 'turned',
    bias: null,
    outShape: info.inShape,
    top: 2 - info.padInfo.top,
    left: 2 - info.padInfo.left,
  });
}

function correlate(backend: WasmBackend, correlation: Correlation): tf.TensorInfo {
  const { kernels } = backend;
  const { images, filter, filterOrder, bias, outShape, top, left } = correlation;
  const [batchSize, height, width, inChannels] = images.shape as [number, number, number, number];
  const [, outHeight, outWidth, outChannels] = outShape;
  const paddedChannels = roundUp(outChannels, 8);
  const block = tilesPerBlock(inChannels, outChannels);
  const out = backend.place(outShape);
  const filterScratch = { argument: 7, sizeBytes: kernels.winogradFilterScratchBytes(outChannels) };
  const scratch = {
    argument: 15,
    sizeBytes: kernels.winogradScratchBytes(outHeight, outWidth, inChannels, outChannels, block),
  };
  const sizesBytes = [kernels.winogradFilterBytes(inChannels, outChannels), paddedChannels * 4];
  backend.withScratch(sizesBytes, (planes, paddedBias) => {
    const biasValues = backend.floats(paddedBias!, paddedChannels).fill(0);
    if (bias) biasValues.set(backend.floats(backend.addressOf(bias), outChannels));
    const isTurned = filterOrder === 'turned' ? 1 : 0;
    const ofFilter = [backend.addressOf(filter), inChannels, outChannels, isTurned, planes!];
    backend.runOver(
      ...([roundUp(inChannels, 8), Math.ceil(filterGrain / outChannels), 'winogradFilter'] as const),
      (first, last) => [...ofFilter, first, last, 0],
      filterScratch,
    );
    const fixed = [
      ...[backend.addressOf(images), height, width, inChannels, top, left, planes!, paddedBias!],
      ...[out.address, outHeight, outWidth, outChannels],
    ];
    backend.runOver(
      ...([batchSize * tilesOf(outHeight, outWidth), tilesGrain, 'winogradConvolve'] as const),
      (first, last) => [...fixed, first, last, block, 0, isWide(backend)],
      scratch,
    );
  });
  return out.info;
}

export function winogradFilterGradient(
  backend: WasmBackend,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  info: ConvolutionInfo,
): tf.TensorInfo {
  const { kernels } = backend;
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info;
  const block = tilesPerBlock(inChannels, outChannels);
  const nTiles = batchSize * tilesOf(outHeight, outWidth);
  const nWorthwhile = Math.floor(nTiles / backend.grainOf('winogradFilterGradientSums', tilesPerPart));
  const parts = rangesOf(nTiles, 1, Math.max(1, Math.min(mostParts, nWorthwhile)));
  const partBytes = kernels.winogradSumsBytes(inChannels, outChannels);
  const out = backend.place(info.filterShape);
  const scratch = {
    argument: 14,
    sizeBytes: kernels.winogradGradientScratchBytes(outHeight, outWidth, inChannels, outChannels, block),
  };
  backend.withScratch([parts.length * partBytes], (sums) => {
    const calls = parts.map(([first, last], part) => [
      ...[backend.addressOf(x), inHeight, inWidth, inChannels, padInfo.top, padInfo.left],
      ...[backend.addressOf(dy), outHeight, outWidth, outChannels, sums! + part * partBytes],
      ...[first, last, block, 0, isWide(backend)],
    ]);
    backend.run('winogradFilterGradientSums', calls, scratch);
    const fixed = [sums!, parts.length, inChannels, outChannels, out.address];
    backend.runOver(
      ...([inChannels, Math.ceil(filterGrain / outChannels), 'winogradFilterGradient'] as const),
      (first, last) => [...fixed, first, last, 0],
      { argument: 7, sizeBytes: kernels.winogradFilterGradientScratchBytes() },
    );
  });
  return out.info;
}

/** A multiple of the 6 rows of the micro-kernel. */
function tilesPerBlock(inChannels: number, outChannels: number): number {
  const tileBytes = 36 * 4 * (roundUp(inChannels, 8) + roundUp(outChannels, 8));
  return Math.max(6, 6 * Math.floor(blockBytes / tileBytes / 6));
}

function isWide(backend: WasmBackend): 0 | 1 {
  return backend.tile === 'wide' ? 1 : 0;
}
