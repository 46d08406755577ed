// The tiles of Winograd's filtering that its forward pass and its filter gradient share: sizes of what they lie in, and the way of
// an image's pixels into the transformed planes. Imported by the kernels; exports no kernel itself.
import { transformInput } from './winogradTransform';

/** A cache line more than the rows need: planes a power of two apart would share the sets of the cache. */
const PLANE_GAP: usize = 64;
/** 36 intermediate vectors of 8 channels, 16 results. */
export const TEMPORARY_BYTES: usize = 1664;

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

/** Bytes of a padded copy of an image that 4×4 outputs tile. */
// @ts-ignore: decorator
@inline
export function imageBytesOf(outHeight: i32, outWidth: i32, channels: i32): usize {
  return <usize>((4 * tilesOf(outHeight) + 2) * (4 * tilesOf(outWidth) + 2) * roundUp8(channels)) << 2;
}

// @ts-ignore: decorator
@inline
export function planeBytesOf(rows: i32, columns: i32): usize {
  return ((<usize>(rows * columns)) << 2) + PLANE_GAP;
}

/** Copies an image to (top, left) of a zeroed image whose channels are rounded up to 8; what falls outside is left out. */
export function place(
  x: usize, image: i32, height: i32, width: i32, channels: i32,
  padded: usize, paddedHeight: i32, paddedWidth: i32, top: i32, left: i32,
): void {
  const from = max(0, -left);
  const to = min(width, paddedWidth - left);
  if (to <= from) return;
  const pixelBytes = (<usize>channels) << 2;
  const paddedPixelBytes = (<usize>roundUp8(channels)) << 2;
  for (let y = max(0, -top); y < min(height, paddedHeight - top); y++) {
    let source = x + <usize>((image * height + y) * width + from) * pixelBytes;
    let target = padded + <usize>((y + top) * paddedWidth + left + from) * paddedPixelBytes;
    if (pixelBytes === paddedPixelBytes) memory.copy(target, source, <usize>(to - from) * pixelBytes);
    else {
      for (let pixel = from; pixel < to; pixel++) {
        for (let byte: usize = 0; byte < pixelBytes; byte += 4) store<f32>(target + byte, load<f32>(source + byte));
        source += pixelBytes;
        target += paddedPixelBytes;
      }
    }
  }
}

/** Row `row` of the 36 planes of inputs = the transform of a tile's 6×6 pixels. */
// @ts-ignore: decorator
@inline
export function inputTile(
  constants: usize, temporary: usize, padded: usize, tile: i32, tileColumns: i32, channels: i32,
  inputs: usize, planeBytes: usize, row: i32,
): void {
  const pixelBytes = (<usize>channels) << 2;
  const rowBytes = <usize>(4 * tileColumns + 2) * pixelBytes;
  let from = padded + <usize>(4 * (tile / tileColumns)) * rowBytes + <usize>(4 * (tile % tileColumns)) * pixelBytes;
  let to = inputs + <usize>row * pixelBytes;
  for (let channel = 0; channel < channels; channel += 8) {
    for (let x: usize = 0; x < 6; x++) transformInput(constants, from + x * pixelBytes, rowBytes, temporary + x * 32, 192);
    for (let y: usize = 0; y < 6; y++) transformInput(constants, temporary + y * 192, 32, to + 6 * y * planeBytes, planeBytes);
    from += 32;
    to += 32;
  }
}
