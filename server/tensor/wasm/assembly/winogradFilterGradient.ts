// The filter gradient of winograd.ts's convolution by F(3×3, 4×4) and F(5×5, 4×4): sums in the transformed domain, part by part, which are then
// added in their order and transformed back. Padding, tiles, NaN and errors: see there.
import { accumulatePlane } from './parts/planes';
import {
  CONSTANT_BYTES,
  imageBytesOf,
  inputTile,
  paddedLength,
  place,
  planeBytesOf,
  pointsOf,
  roundUp8,
  TEMPORARY_BYTES,
  tilesOf,
  transformFilterGradient,
  transformOutputGradient,
  writeConstants,
} from './parts/winogradTiles';
import { winogradScratchBytes } from './winograd';

// @ts-ignore: decorator
@inline
function roundUp6(count: i32): i32 {
  return ((count + 5) / 6) * 6;
}

/** Bytes of the planes of sums [⌈⌈Cin/8⌉·8/6⌉·6, ⌈Cout/8⌉·8] of one part of a filter's gradient. */
export function winogradSumsBytes(size: i32, inChannels: i32, outChannels: i32): usize {
  return pointsOf(size) * planeBytesOf(roundUp6(roundUp8(inChannels)), roundUp8(outChannels));
}

/** Bytes of scratch of one call of `winogradFilterGradientSums`. */
export function winogradGradientScratchBytes(
  size: i32,
  outHeight: i32,
  outWidth: i32,
  inChannels: i32,
  outChannels: i32,
  tilesPerBlock: i32,
): usize {
  return (
    winogradScratchBytes(size, outHeight, outWidth, inChannels, outChannels, tilesPerBlock) +
    imageBytesOf(size, outHeight, outWidth, outChannels)
  );
}

/**
 * Columns (output channels, rounded up to 8) firstColumn…lastColumn of sums = the filter gradient of tiles first…last in the
 * transformed domain, as planes; see `winogradSumsBytes` and `winogradGradientScratchBytes`. Both are multiples of 8. The other
 * arguments are those of the forward convolution, with dy in the place of its output.
 */
export function winogradFilterGradientSums(
  size: i32,
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
  firstColumn: i32,
  lastColumn: i32,
  sums: usize,
  first: i32,
  last: i32,
  tilesPerBlock: i32,
  scratch: usize,
  isWide: i32,
): void {
  if (size === 3) {
    sumTiles(
      3, x, height, width, inChannels, top, left, dy, outHeight, outWidth, outChannels, firstColumn, lastColumn, sums, first, last,
      tilesPerBlock, scratch, isWide,
    );
  } else {
    sumTiles(
      5, x, height, width, inChannels, top, left, dy, outHeight, outWidth, outChannels, firstColumn, lastColumn, sums, first, last,
      tilesPerBlock, scratch, isWide,
    );
  }
}

// @ts-ignore: decorator
@inline
function sumTiles(
  size: i32,
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
  firstColumn: i32,
  lastColumn: i32,
  sums: usize,
  first: i32,
  last: i32,
  tilesPerBlock: i32,
  scratch: usize,
  isWide: i32,
): void {
  const rows = roundUp8(inChannels);
  const columns = lastColumn - firstColumn;
  const constants = scratch;
  const temporary = constants + CONSTANT_BYTES;
  const padded = temporary + TEMPORARY_BYTES;
  const paddedGradient = padded + imageBytesOf(size, outHeight, outWidth, inChannels);
  const inputs = paddedGradient + imageBytesOf(size, outHeight, outWidth, columns);
  const nPoints = pointsOf(size);
  const inputBytes = planeBytesOf(tilesPerBlock, rows);
  const gradients = inputs + nPoints * inputBytes;
  const gradientBytes = planeBytesOf(tilesPerBlock, columns);
  const sumRowBytes = (<usize>roundUp8(outChannels)) << 2;
  const sumRows = roundUp6(rows);
  const sumBytes = planeBytesOf(sumRows, roundUp8(outChannels));
  const columnSums = sums + ((<usize>firstColumn) << 2);
  const tileColumns = tilesOf(outWidth);
  const tilesPerImage = tilesOf(outHeight) * tileColumns;
  const paddedHeight = paddedLength(size, outHeight);
  const paddedWidth = paddedLength(size, outWidth);
  writeConstants(size, constants);
  memory.fill(padded, 0, inputs - padded);
  for (let point: usize = 0; point < nPoints; point++) {
    for (let row: usize = 0; row < <usize>sumRows; row++)
      memory.fill(columnSums + point * sumBytes + row * sumRowBytes, 0, (<usize>columns) << 2);
  }
  let placed = -1;
  for (let start = first; start < last; start += tilesPerBlock) {
    const count = min(tilesPerBlock, last - start);
    for (let i = 0; i < count; i++) {
      const image = (start + i) / tilesPerImage;
      const tile = (start + i) % tilesPerImage;
      if (image !== placed) {
        placed = image;
        place(x, image, height, width, inChannels, 0, rows, padded, paddedHeight, paddedWidth, top, left);
        place(
          dy, image, outHeight, outWidth, outChannels, firstColumn, columns, paddedGradient, paddedHeight, paddedWidth, 0, 0,
        );
      }
      inputTile(size, constants, temporary, padded, tile, tileColumns, rows, inputs, inputBytes, i);
      gradientTile(
        size, constants, temporary, paddedGradient, tile, tileColumns, columns, gradients, gradientBytes, tilesPerBlock, i,
      );
    }
    for (let point: usize = 0; point < nPoints; point++) {
      accumulatePlane(
        inputs + point * inputBytes, (<usize>rows) << 2, count,
        gradients + point * gradientBytes, (<usize>tilesPerBlock) << 5, columns >> 3,
        columnSums + point * sumBytes, sumRowBytes, rows, isWide,
      );
    }
  }
}

/** Row `row` of the panels of the planes of gradients = the transform of a tile's 4×4 gradients. */
// @ts-ignore: decorator
@inline
function gradientTile(
  size: i32, constants: usize, temporary: usize, padded: usize, tile: i32, tileColumns: i32, channels: i32,
  gradients: usize, planeBytes: usize, tilesPerBlock: i32, row: i32,
): void {
  const pixelBytes = (<usize>channels) << 2;
  const length = <usize>(size + 3);
  const rowBytes = <usize>(4 * tileColumns + size - 1) * pixelBytes;
  let from = padded + <usize>(4 * (tile / tileColumns)) * rowBytes + <usize>(4 * (tile % tileColumns)) * pixelBytes;
  let to = gradients + ((<usize>row) << 5);
  for (let channel = 0; channel < channels; channel += 8) {
    for (let x: usize = 0; x < 4; x++)
      transformOutputGradient(size, constants, from + x * pixelBytes, rowBytes, temporary + x * 32, 128);
    for (let y: usize = 0; y < length; y++)
      transformOutputGradient(size, constants, temporary + y * 128, 32, to + length * y * planeBytes, planeBytes);
    from += 32;
    to += (<usize>tilesPerBlock) << 5;
  }
}

/** Bytes of scratch of one call of `winogradFilterGradient`. */
export function winogradFilterGradientScratchBytes(size: i32): usize {
  return CONSTANT_BYTES + (pointsOf(size) + <usize>((size + 3) * size + size * size)) * 16;
}

/**
 * Rows (input channels) first…last of the filter gradient `out` [size, size, Cin, Cout] = the sums of `nParts` parts, in their order,
 * transformed back. `scratch`: see `winogradFilterGradientScratchBytes`.
 */
export function winogradFilterGradient(
  size: i32,
  sums: usize,
  nParts: i32,
  inChannels: i32,
  outChannels: i32,
  out: usize,
  first: i32,
  last: i32,
  scratch: usize,
): void {
  if (size === 3) gradientRows(3, sums, nParts, inChannels, outChannels, out, first, last, scratch);
  else gradientRows(5, sums, nParts, inChannels, outChannels, out, first, last, scratch);
}

// @ts-ignore: decorator
@inline
function gradientRows(
  size: i32,
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
  const length = <usize>(size + 3);
  const nPoints = pointsOf(size);
  const stepOfRow = length * 16;
  const temporary = points + nPoints * 16;
  const taps = temporary + <usize>size * stepOfRow;
  const planeBytes = planeBytesOf(roundUp6(roundUp8(inChannels)), columns);
  const tapBytes = (<usize>(inChannels * outChannels)) << 2;
  writeConstants(size, constants);
  for (let input = first; input < last; input++) {
    for (let output = 0; output < outChannels; output += 4) {
      const from = sums + ((<usize>(input * columns + output)) << 2);
      for (let point: usize = 0; point < nPoints; point++) {
        let cell = from + point * planeBytes;
        let sum = v128.load(cell);
        for (let part = 1; part < nParts; part++) {
          cell += nPoints * planeBytes;
          sum = f32x4.add(sum, v128.load(cell));
        }
        v128.store(points + (point << 4), sum);
      }
      for (let x: usize = 0; x < length; x++)
        transformFilterGradient(size, constants, points + x * 16, stepOfRow, temporary + x * 16, stepOfRow);
      for (let y: usize = 0; y < <usize>size; y++)
        transformFilterGradient(size, constants, temporary + y * stepOfRow, 16, taps + y * <usize>size * 16, 16);
      const to = out + ((<usize>(input * outChannels + output)) << 2);
      for (let tap: usize = 0; tap < <usize>(size * size); tap++) {
        const lanes = min(4, outChannels - output);
        for (let lane: usize = 0; lane < <usize>lanes; lane++)
          store<f32>(to + tap * tapBytes + (lane << 2), load<f32>(taps + (tap << 4) + (lane << 2)));
      }
    }
  }
}
