// The tiles of Winograd's filtering that its forward pass and its filter gradient share: sizes of what they lie in, and the way of
// an image's pixels into the transformed planes. Imported by the kernels; exports no kernel itself.
import {
  transformFilter3,
  transformFilterGradient3,
  transformInput3,
  transformOutput3,
  transformOutputGradient3,
  writeConstants3,
} from './winogradTransform3';
import {
  transformFilter5,
  transformFilterGradient5,
  transformInput5,
  transformOutput5,
  transformOutputGradient5,
  writeConstants5,
} from './winogradTransform5';

/** A cache line more than the rows need: planes a power of two apart would share the sets of the cache. */
const PLANE_GAP: usize = 64;
/** 64 intermediate vectors of 8 channels; behind them an output's transform keeps 16 results. */
export const INTERMEDIATE_BYTES: usize = 2048;
export const TEMPORARY_BYTES: usize = INTERMEDIATE_BYTES + 512;
/** Room for the constants of the transforms, in bytes. */
export const CONSTANT_BYTES: usize = 128;

// @ts-ignore: decorator
@inline
export function roundUp8(count: i32): i32 {
  return (count + 7) & ~7;
}

// @ts-ignore: decorator
@inline
export function tilesOf(length: i32): i32 {
  return (length + 3) >> 2;
}

/** The length of a padded copy of an image that tiles of 4 outputs cover, for filters of `size` taps. */
// @ts-ignore: decorator
@inline
export function paddedLength(size: i32, outLength: i32): i32 {
  return 4 * tilesOf(outLength) + size - 1;
}

/** Bytes of a padded copy of an image that 4×4 outputs tile. */
// @ts-ignore: decorator
@inline
export function imageBytesOf(size: i32, outHeight: i32, outWidth: i32, channels: i32): usize {
  return <usize>(paddedLength(size, outHeight) * paddedLength(size, outWidth) * roundUp8(channels)) << 2;
}

/** How many points a tile has in the transformed domain. */
// @ts-ignore: decorator
@inline
export function pointsOf(size: i32): usize {
  return <usize>((size + 3) * (size + 3));
}

// @ts-ignore: decorator
@inline
export function planeBytesOf(rows: i32, columns: i32): usize {
  return ((<usize>(rows * columns)) << 2) + PLANE_GAP;
}

/**
 * Copies channels firstChannel…firstChannel + paddedChannels, as far as there are any, of an image to (top, left) of a zeroed image
 * of a multiple of 8 channels; what falls outside is left out.
 */
export function place(
  x: usize, image: i32, height: i32, width: i32, channels: i32, firstChannel: i32, paddedChannels: i32,
  padded: usize, paddedHeight: i32, paddedWidth: i32, top: i32, left: i32,
): void {
  const from = max(0, -left);
  const to = min(width, paddedWidth - left);
  if (to <= from) return;
  const pixelBytes = (<usize>channels) << 2;
  const copiedBytes = (<usize>min(paddedChannels, channels - firstChannel)) << 2;
  const paddedPixelBytes = (<usize>paddedChannels) << 2;
  for (let y = max(0, -top); y < min(height, paddedHeight - top); y++) {
    let source = x + <usize>((image * height + y) * width + from) * pixelBytes + ((<usize>firstChannel) << 2);
    let target = padded + <usize>((y + top) * paddedWidth + left + from) * paddedPixelBytes;
    if (pixelBytes === paddedPixelBytes) memory.copy(target, source, <usize>(to - from) * pixelBytes);
    else {
      for (let pixel = from; pixel < to; pixel++) {
        for (let byte: usize = 0; byte < copiedBytes; byte += 4) store<f32>(target + byte, load<f32>(source + byte));
        source += pixelBytes;
        target += paddedPixelBytes;
      }
    }
  }
}

/** Row `row` of the planes of inputs = the transform of a tile's (size + 3)² pixels. */
// @ts-ignore: decorator
@inline
export function inputTile(
  size: i32, constants: usize, temporary: usize, padded: usize, tile: i32, tileColumns: i32, channels: i32,
  inputs: usize, planeBytes: usize, row: i32,
): void {
  const length = <usize>(size + 3);
  const pixelBytes = (<usize>channels) << 2;
  const rowBytes = <usize>(4 * tileColumns + size - 1) * pixelBytes;
  let from = padded + <usize>(4 * (tile / tileColumns)) * rowBytes + <usize>(4 * (tile % tileColumns)) * pixelBytes;
  let to = inputs + <usize>row * pixelBytes;
  for (let channel = 0; channel < channels; channel += 8) {
    for (let x: usize = 0; x < length; x++)
      transformInput(size, constants, from + x * pixelBytes, rowBytes, temporary + x * 32, length * 32);
    for (let y: usize = 0; y < length; y++)
      transformInput(size, constants, temporary + y * length * 32, 32, to + length * y * planeBytes, planeBytes);
    from += 32;
    to += 32;
  }
}

// The transforms by the filter's size, 3 or 5, which their callers give as a constant.

// @ts-ignore: decorator
@inline
export function writeConstants(size: i32, to: usize): void {
  if (size === 3) writeConstants3(to);
  else writeConstants5(to);
}

// @ts-ignore: decorator
@inline
function transformInput(size: i32, constants: usize, from: usize, fromStep: usize, to: usize, toStep: usize): void {
  if (size === 3) transformInput3(constants, from, fromStep, to, toStep);
  else transformInput5(constants, from, fromStep, to, toStep);
}

// @ts-ignore: decorator
@inline
export function transformOutput(
  size: i32, constants: usize, from: usize, fromStep: usize, to: usize, toStep: usize, bias: usize,
): void {
  if (size === 3) transformOutput3(constants, from, fromStep, to, toStep, bias);
  else transformOutput5(constants, from, fromStep, to, toStep, bias);
}

// @ts-ignore: decorator
@inline
export function transformOutputGradient(
  size: i32, constants: usize, from: usize, fromStep: usize, to: usize, toStep: usize,
): void {
  if (size === 3) transformOutputGradient3(constants, from, fromStep, to, toStep);
  else transformOutputGradient5(constants, from, fromStep, to, toStep);
}

// @ts-ignore: decorator
@inline
export function transformFilter(
  size: i32, constants: usize, from: usize, fromStep: usize, to: usize, toStep: usize,
): void {
  if (size === 3) transformFilter3(constants, from, fromStep, to, toStep);
  else transformFilter5(constants, from, fromStep, to, toStep);
}

// @ts-ignore: decorator
@inline
export function transformFilterGradient(
  size: i32, constants: usize, from: usize, fromStep: usize, to: usize, toStep: usize,
): void {
  if (size === 3) transformFilterGradient3(constants, from, fromStep, to, toStep);
  else transformFilterGradient5(constants, from, fromStep, to, toStep);
}
