// The filter gradient of winograd.ts's convolution by F(3×3, 4×4): sums in the transformed domain, part by part, which are then
// added in their order and transformed back. Padding, tiles, NaN and errors: see there.
import { accumulatePlane } from './parts/planes';
import { imageBytesOf, inputTile, place, planeBytesOf, roundUp8, TEMPORARY_BYTES, tilesOf } from './parts/winogradTiles';
import { CONSTANT_BYTES, transformFilterGradient, transformOutputGradient, writeConstants } from './parts/winogradTransform';
import { winogradScratchBytes } from './winograd';

// @ts-ignore: decorator
@inline
function roundUp6(count: i32): i32 {
  return ((count + 5) / 6) * 6;
}

/** Bytes of the 36 planes of sums [⌈⌈Cin/8⌉·8/6⌉·6, ⌈Cout/8⌉·8] of one part of a filter's gradient. */
export function winogradSumsBytes(inChannels: i32, outChannels: i32): usize {
  return 36 * planeBytesOf(roundUp6(roundUp8(inChannels)), roundUp8(outChannels));
}

/** Bytes of scratch of one call of `winogradFilterGradientSums`. */
export function winogradGradientScratchBytes(
  outHeight: i32,
  outWidth: i32,
  inChannels: i32,
  outChannels: i32,
  tilesPerBlock: i32,
): usize {
  return (
    winogradScratchBytes(outHeight, outWidth, inChannels, outChannels, tilesPerBlock) +
    imageBytesOf(outHeight, outWidth, outChannels)
  );
}

/**
 * sums = the filter gradient of tiles first…last in the transformed domain, as planes; see `winogradSumsBytes` and
 * `winogradGradientScratchBytes`. The arguments of the forward convolution, with dy in the place of its output.
 */
export function winogradFilterGradientSums(
  x: usize,
  height: i32,
  width: i32,
  inChannels: i32,
  top: i32,
  left: i32,
  dy: usize,
  outHeight: i32,
  outWidth: i32,
  outChannels: i32,
  sums: usize,
  first: i32,
  last: i32,
  tilesPerBlock: i32,
  scratch: usize,
  isWide: i32,
): void {
  const rows = roundUp8(inChannels);
  const columns = roundUp8(outChannels);
  const constants = scratch;
  const temporary = constants + CONSTANT_BYTES;
  const padded = temporary + TEMPORARY_BYTES;
  const paddedGradient = padded + imageBytesOf(outHeight, outWidth, inChannels);
  const inputs = paddedGradient + imageBytesOf(outHeight, outWidth, outChannels);
  const inputBytes = planeBytesOf(tilesPerBlock, rows);
  const gradients = inputs + 36 * inputBytes;
  const gradientBytes = planeBytesOf(tilesPerBlock, columns);
  const sumBytes = planeBytesOf(roundUp6(rows), columns);
  const tileColumns = tilesOf(outWidth);
  const tilesPerImage = tilesOf(outHeight) * tileColumns;
  const paddedHeight = 4 * tilesOf(outHeight) + 2;
  const paddedWidth = 4 * tileColumns + 2;
  writeConstants(constants);
  memory.fill(padded, 0, inputs - padded);
  memory.fill(sums, 0, 36 * sumBytes);
  let placed = -1;
  for (let start = first; start < last; start += tilesPerBlock) {
    const count = min(tilesPerBlock, last - start);
    for (let i = 0; i < count; i++) {
      const image = (start + i) / tilesPerImage;
      const tile = (start + i) % tilesPerImage;
      if (image !== placed) {
        placed = image;
        place(x, image, height, width, inChannels, padded, paddedHeight, paddedWidth, top, left);
        place(dy, image, outHeight, outWidth, outChannels, paddedGradient, paddedHeight, paddedWidth, 0, 0);
      }
      inputTile(constants, temporary, padded, tile, tileColumns, rows, inputs, inputBytes, i);
      gradientTile(constants, temporary, paddedGradient, tile, tileColumns, columns, gradients, gradientBytes, tilesPerBlock, i);
    }
    for (let point: usize = 0; point < 36; point++) {
      accumulatePlane(
        inputs + point * inputBytes, (<usize>rows) << 2, count,
        gradients + point * gradientBytes, (<usize>tilesPerBlock) << 5, columns >> 3,
        sums + point * sumBytes, (<usize>columns) << 2, rows, isWide,
      );
    }
  }
}

/** Row `row` of the panels of the 36 planes of gradients = the transform of a tile's 4×4 gradients. */
// @ts-ignore: decorator
@inline
function gradientTile(
  constants: usize, temporary: usize, padded: usize, tile: i32, tileColumns: i32, channels: i32,
  gradients: usize, planeBytes: usize, tilesPerBlock: i32, row: i32,
): void {
  const pixelBytes = (<usize>channels) << 2;
  const rowBytes = <usize>(4 * tileColumns + 2) * pixelBytes;
  let from = padded + <usize>(4 * (tile / tileColumns)) * rowBytes + <usize>(4 * (tile % tileColumns)) * pixelBytes;
  let to = gradients + ((<usize>row) << 5);
  for (let channel = 0; channel < channels; channel += 8) {
    for (let x: usize = 0; x < 4; x++) transformOutputGradient(constants, from + x * pixelBytes, rowBytes, temporary + x * 32, 128);
    for (let y: usize = 0; y < 6; y++) transformOutputGradient(constants, temporary + y * 128, 32, to + 6 * y * planeBytes, planeBytes);
    from += 32;
    to += (<usize>tilesPerBlock) << 5;
  }
}

/** Bytes of scratch of one call of `winogradFilterGradient`. */
export function winogradFilterGradientScratchBytes(): usize {
  return CONSTANT_BYTES + (36 + 18 + 9) * 16;
}

/**
 * Rows (input channels) first…last of the filter gradient `out` [3, 3, Cin, Cout] = the sums of `nParts` parts, in their order,
 * transformed back. `scratch`: see `winogradFilterGradientScratchBytes`.
 */
export function winogradFilterGradient(
  sums: usize,
  nParts: i32,
  inChannels: i32,
  outChannels: i32,
  out: usize,
  first: i32,
  last: i32,
  scratch: usize,
): void {
  const columns = roundUp8(outChannels);
  const constants = scratch;
  const points = constants + CONSTANT_BYTES;
  const temporary = points + 36 * 16;
  const taps = temporary + 18 * 16;
  const planeBytes = planeBytesOf(roundUp6(roundUp8(inChannels)), columns);
  const tapBytes = (<usize>(inChannels * outChannels)) << 2;
  writeConstants(constants);
  for (let input = first; input < last; input++) {
    for (let output = 0; output < outChannels; output += 4) {
      const from = sums + ((<usize>(input * columns + output)) << 2);
      for (let point: usize = 0; point < 36; point++) {
        let cell = from + point * planeBytes;
        let sum = v128.load(cell);
        for (let part = 1; part < nParts; part++) {
          cell += 36 * planeBytes;
          sum = f32x4.add(sum, v128.load(cell));
        }
        v128.store(points + (point << 4), sum);
      }
      for (let x: usize = 0; x < 6; x++) transformFilterGradient(constants, points + x * 16, 96, temporary + x * 16, 96);
      for (let y: usize = 0; y < 3; y++) transformFilterGradient(constants, temporary + y * 96, 16, taps + y * 48, 16);
      const to = out + ((<usize>(input * outChannels + output)) << 2);
      for (let tap: usize = 0; tap < 9; tap++) {
        const lanes = min(4, outChannels - output);
        for (let lane: usize = 0; lane < <usize>lanes; lane++)
          store<f32>(to + tap * tapBytes + (lane << 2), load<f32>(taps + (tap << 4) + (lane << 2)));
      }
    }
  }
}
