// 3×3 and 5×5 convolutions at stride 1 over assembly/winograd.ts: which of them gain by it, and the calls of the kernels.
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
/** Of a filter gradient's block: with fewer, the sums' way to memory and back takes as long as the products. */
const fewestTilesOfSums = 24;
/** Columns of a filter gradient that a thread of its own is worth: the tiles of x are transformed for each. */
const columnsGrain = 64;
/** Below these the direct kernel is as fast: fewer channels leave lanes empty, fewer tiles don't pay for the filter's transform. */
const fewestChannels = new Map([
  [3, 8],
  [5, 3],
]);
const fewestTiles = 8;
/** How many pixels of tiles there may be for one pixel of the image; 5×5 and 3×3 images still gain, 2×2 don't. */
const mostWaste = 3;

/** Some 10 µs of work: tiles, and pairs of channels of a filter. */
const tilesGrain = 12;
const filterGrain = 512;

/** A correlation of images with filters of 3×3 or 5×5: the forward pass, or a full correlation of dy for the input gradient. */
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
  return isOfFilters(info, info.inChannels) && isWorthTiling(info.outHeight, info.outWidth, info);
}

export function isInputGradientFaster(info: ConvolutionInfo): boolean {
  return isOfFilters(info, info.outChannels) && isWorthTiling(info.inHeight, info.inWidth, info);
}

export function isFilterGradientFaster(info: ConvolutionInfo): boolean {
  return (
    isOfFilters(info, info.outChannels) && info.inChannels >= 3 && isWorthTiling(info.outHeight, info.outWidth, info)
  );
}

function isOfFilters(info: ConvolutionInfo, nChannels: number): boolean {
  const { filterHeight, filterWidth, strideHeight, strideWidth } = info;
  const isSquare = filterWidth === filterHeight && strideHeight === 1 && strideWidth === 1;
  return isSquare && nChannels >= (fewestChannels.get(filterHeight) ?? Infinity);
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
    top: info.filterHeight - 1 - info.padInfo.top,
    left: info.filterWidth - 1 - info.padInfo.left,
  });
}

function correlate(backend: WasmBackend, correlation: Correlation): tf.TensorInfo {
  const { kernels } = backend;
  const { images, filter, filterOrder, bias, outShape, top, left } = correlation;
  const [batchSize, height, width, inChannels] = images.shape as [number, number, number, number];
  const [, outHeight, outWidth, outChannels] = outShape;
  const size = filter.shape[0]!;
  const paddedChannels = roundUp(outChannels, 8);
  const block = tilesPerBlock('correlation', { size, inChannels, outChannels });
  const out = backend.place(outShape);
  const filterScratch = { argument: 8, sizeBytes: kernels.winogradFilterScratchBytes(size, outChannels) };
  const scratch = {
    argument: 16,
    sizeBytes: kernels.winogradScratchBytes(size, outHeight, outWidth, inChannels, outChannels, block),
  };
  const sizesBytes = [kernels.winogradFilterBytes(size, inChannels, outChannels), paddedChannels * 4];
  backend.withScratch(sizesBytes, (planes, paddedBias) => {
    const biasValues = backend.floats(paddedBias!, paddedChannels).fill(0);
    if (bias) biasValues.set(backend.floats(backend.addressOf(bias), outChannels));
    const isTurned = filterOrder === 'turned' ? 1 : 0;
    const ofFilter = [size, backend.addressOf(filter), inChannels, outChannels, isTurned, planes!];
    backend.runOver(
      ...([roundUp(inChannels, 8), Math.ceil(filterGrain / outChannels), 'winogradFilter'] as const),
      (first, last) => [...ofFilter, first, last, 0],
      filterScratch,
    );
    const fixed = [
      ...[size, backend.addressOf(images), height, width, inChannels, top, left, planes!, paddedBias!],
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
  const size = info.filterHeight;
  const block = tilesPerBlock('filterGradient', { size, inChannels, outChannels });
  const nTiles = batchSize * tilesOf(outHeight, outWidth);
  const nWorthwhile = Math.floor(nTiles / backend.grainOf('winogradFilterGradientSums', tilesPerPart));
  const parts = rangesOf(nTiles, 1, Math.max(1, Math.min(mostParts, nWorthwhile)));
  // Of few tiles there are few parts; a column's bits don't depend on which others are summed with it.
  const nShares = Math.ceil(backend.threads.count / parts.length);
  const columns = rangesOf(roundUp(outChannels, 8), backend.grainOf('winogradFilterGradient', columnsGrain), nShares);
  const partBytes = kernels.winogradSumsBytes(size, inChannels, outChannels);
  const out = backend.place(info.filterShape);
  const scratch = {
    argument: 17,
    sizeBytes: kernels.winogradGradientScratchBytes(size, outHeight, outWidth, inChannels, outChannels, block),
  };
  backend.withScratch([parts.length * partBytes], (sums) => {
    const calls = parts.flatMap(([first, last], part) =>
      columns.map(([firstColumn, lastColumn]) => [
        ...[size, backend.addressOf(x), inHeight, inWidth, inChannels, padInfo.top, padInfo.left],
        ...[backend.addressOf(dy), outHeight, outWidth, outChannels, firstColumn, lastColumn],
        ...[sums! + part * partBytes, first, last, block, 0, isWide(backend)],
      ]),
    );
    backend.run('winogradFilterGradientSums', calls, scratch);
    const fixed = [size, sums!, parts.length, inChannels, outChannels, out.address];
    backend.runOver(
      ...([inChannels, Math.ceil(filterGrain / outChannels), 'winogradFilterGradient'] as const),
      (first, last) => [...fixed, first, last, 0],
      { argument: 8, sizeBytes: kernels.winogradFilterGradientScratchBytes(size) },
    );
  });
  return out.info;
}

/**
 * How many tiles a forward pass, an input gradient or a filter gradient has in hand at a time, a multiple of the 6 rows of the
 * micro-kernel: as many as the cache holds, or of many channels so many that the filter's planes, of which each block reads all (a
 * filter gradient: adds to all of its sums), cost less than the products.
 */
export function tilesPerBlock(
  pass: 'correlation' | 'filterGradient',
  {
    size,
    inChannels,
    outChannels,
  }: { readonly size: number; readonly inChannels: number; readonly outChannels: number },
): number {
  const [inner, columns] = [roundUp(inChannels, 8), roundUp(outChannels, 8)];
  const cached = blockBytes / ((size + 3) ** 2 * 4 * (inner + columns));
  const worthPlanes = (inner * columns) / (inner + columns) / 5;
  const least = pass === 'filterGradient' ? fewestTilesOfSums : 6;
  return 6 * Math.floor(Math.max(cached, worthPlanes, least) / 6);
}

function isWide(backend: WasmBackend): 0 | 1 {
  return backend.tile === 'wide' ? 1 : 0;
}
