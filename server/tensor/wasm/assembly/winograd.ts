// 3×3 and 5×5 convolution at stride 1 and its input gradient by Winograd's minimal filtering F(4×4, 3×3) and F(4×4, 5×5): 36 and
// 64 products where the direct kernel takes 144 and 400, of planes [tiles × channels] that stay in the second-level cache; the
// filter gradient is in winogradFilterGradient.ts. `size` is a filter's 3 or 5. Channels are padded to 8. Each tile's bits depend
// on its own (size + 3)² pixels alone, so neither blocks nor ranges of tiles change them.
// Error against float64, relative to the result's RMS, 64 channels: RMS 4e-7, largest 3e-6 (direct: 1e-7, 6e-7); filter
// gradient 2e-6, 9e-6 (3e-7, 1e-6). Of 5 taps RMS 3e-6, largest 3e-5, the filter gradient's, too. A NaN or infinity makes its
// whole tile (4×4 outputs; a filter's gradient: all taps) NaN.
import { multiplyPlane } from './parts/planes';
import {
  CONSTANT_BYTES,
  imageBytesOf,
  inputTile,
  INTERMEDIATE_BYTES,
  paddedLength,
  place,
  planeBytesOf,
  pointsOf,
  roundUp8,
  TEMPORARY_BYTES,
  tilesOf,
  transformFilter,
  transformOutput,
  writeConstants,
} from './parts/winogradTiles';

/** Bytes of a transformed filter. */
export function winogradFilterBytes(size: i32, inChannels: i32, outChannels: i32): usize {
  return pointsOf(size) * planeBytesOf(roundUp8(inChannels), roundUp8(outChannels));
}

/** Bytes of scratch of one call of `winogradConvolve`. */
export function winogradScratchBytes(
  size: i32,
  outHeight: i32,
  outWidth: i32,
  inChannels: i32,
  outChannels: i32,
  tilesPerBlock: i32,
): usize {
  return (
    CONSTANT_BYTES +
    TEMPORARY_BYTES +
    imageBytesOf(size, outHeight, outWidth, inChannels) +
    pointsOf(size) * (planeBytesOf(tilesPerBlock, roundUp8(inChannels)) + planeBytesOf(tilesPerBlock, roundUp8(outChannels)))
  );
}

/** Bytes of scratch of one call of `winogradFilter`. */
export function winogradFilterScratchBytes(size: i32, outChannels: i32): usize {
  return CONSTANT_BYTES + TEMPORARY_BYTES + ((<usize>(size * size * roundUp8(outChannels))) << 2);
}

/**
 * Transforms a filter [size, size, Cin, Cout] into planes [(size + 3)²][⌈Cout/8⌉][⌈Cin/8⌉·8][8], a cache line apart: the rows
 * first…last of the ⌈Cin/8⌉·8. With `isTurned` the filter is given as [size, size, Cout, Cin] and turned by 180°, for the input
 * gradient. `scratch`: see `winogradFilterScratchBytes`.
 */
export function winogradFilter(
  size: i32,
  filter: usize,
  inChannels: i32,
  outChannels: i32,
  isTurned: i32,
  out: usize,
  first: i32,
  last: i32,
  scratch: usize,
): void {
  if (size === 3) filterRows(3, filter, inChannels, outChannels, isTurned, out, first, last, scratch);
  else filterRows(5, filter, inChannels, outChannels, isTurned, out, first, last, scratch);
}

// @ts-ignore: decorator
@inline
function filterRows(
  size: i32,
  filter: usize,
  inChannels: i32,
  outChannels: i32,
  isTurned: i32,
  out: usize,
  first: i32,
  last: i32,
  scratch: usize,
): void {
  const inner = roundUp8(inChannels);
  const columns = roundUp8(outChannels);
  const constants = scratch;
  const temporary = constants + CONSTANT_BYTES;
  const taps = temporary + TEMPORARY_BYTES;
  const rowBytes = (<usize>columns) << 2;
  const planeBytes = planeBytesOf(inner, columns);
  const tapBytes = (<usize>(inChannels * outChannels)) << 2;
  const stepBytes: usize = isTurned ? (<usize>inChannels) << 2 : 4;
  const length = <usize>(size + 3);
  const nTaps = size * size;
  const stepOfRow = (<usize>size) * 16;
  writeConstants(size, constants);
  memory.fill(taps, 0, <usize>nTaps * rowBytes);
  for (let k = first; k < last; k++) {
    for (let tap = 0; tap < nTaps; tap++) {
      const to = taps + <usize>tap * rowBytes;
      let from = filter + <usize>(isTurned ? nTaps - 1 - tap : tap) * tapBytes;
      from += (<usize>(isTurned ? k : k * outChannels)) << 2;
      for (let column: usize = 0; column < <usize>outChannels; column++) {
        // Rows that fill up the last 8 are 0.
        store<f32>(to + (column << 2), k < inChannels ? load<f32>(from) : 0);
        from += stepBytes;
      }
    }
    for (let column = 0; column < columns; column += 4) {
      const from = taps + ((<usize>column) << 2);
      const to = out + ((<usize>((column >> 3) * inner + k)) << 5) + ((<usize>(column & 4)) << 2);
      for (let x: usize = 0; x < <usize>size; x++)
        transformFilter(size, constants, from + x * rowBytes, <usize>size * rowBytes, temporary + x * 16, stepOfRow);
      for (let y: usize = 0; y < length; y++)
        transformFilter(size, constants, temporary + y * stepOfRow, 16, to + length * y * planeBytes, planeBytes);
    }
  }
}

/**
 * Tiles first…last (of all images, by rows) of out [·, outHeight, outWidth, outChannels] = correlation at stride 1 of x
 * [·, height, width, inChannels], padded by `top` and `left`, with `planes` of `winogradFilter`, + bias (Cout floats rounded up
 * to 8). `tilesPerBlock` is a multiple of 6. `scratch`: see `winogradScratchBytes`.
 */
export function winogradConvolve(
  size: i32,
  x: usize,
  height: i32,
  width: i32,
  inChannels: i32,
  top: i32,
  left: i32,
  planes: usize,
  bias: usize,
  out: usize,
  outHeight: i32,
  outWidth: i32,
  outChannels: i32,
  first: i32,
  last: i32,
  tilesPerBlock: i32,
  scratch: usize,
  isWide: i32,
): void {
  if (size === 3) {
    convolveTiles(
      3, x, height, width, inChannels, top, left, planes, bias, out, outHeight, outWidth, outChannels, first, last, tilesPerBlock,
      scratch, isWide,
    );
  } else {
    convolveTiles(
      5, x, height, width, inChannels, top, left, planes, bias, out, outHeight, outWidth, outChannels, first, last, tilesPerBlock,
      scratch, isWide,
    );
  }
}

// @ts-ignore: decorator
@inline
function convolveTiles(
  size: i32,
  x: usize,
  height: i32,
  width: i32,
  inChannels: i32,
  top: i32,
  left: i32,
  planes: usize,
  bias: usize,
  out: usize,
  outHeight: i32,
  outWidth: i32,
  outChannels: i32,
  first: i32,
  last: i32,
  tilesPerBlock: i32,
  scratch: usize,
  isWide: i32,
): void {
  const inner = roundUp8(inChannels);
  const columns = roundUp8(outChannels);
  const constants = scratch;
  const temporary = constants + CONSTANT_BYTES;
  const padded = temporary + TEMPORARY_BYTES;
  const inputs = padded + imageBytesOf(size, outHeight, outWidth, inChannels);
  const nPoints = pointsOf(size);
  const inputBytes = planeBytesOf(tilesPerBlock, inner);
  const outputs = inputs + nPoints * inputBytes;
  const outputBytes = planeBytesOf(tilesPerBlock, columns);
  const filterBytes = planeBytesOf(inner, columns);
  const tileColumns = tilesOf(outWidth);
  const tilesPerImage = tilesOf(outHeight) * tileColumns;
  writeConstants(size, constants);
  memory.fill(padded, 0, inputs - padded);
  let placed = -1;
  for (let start = first; start < last; start += tilesPerBlock) {
    const count = min(tilesPerBlock, last - start);
    for (let i = 0; i < count; i++) {
      const image = (start + i) / tilesPerImage;
      if (image !== placed) {
        placed = image;
        place(
          x, image, height, width, inChannels, 0, inner, padded, paddedLength(size, outHeight), paddedLength(size, outWidth), top, left,
        );
      }
      inputTile(size, constants, temporary, padded, (start + i) % tilesPerImage, tileColumns, inner, inputs, inputBytes, i);
    }
    for (let point: usize = 0; point < nPoints; point++) {
      multiplyPlane(
        inputs + point * inputBytes, (<usize>inner) << 2, inner,
        planes + point * filterBytes, columns >> 3,
        outputs + point * outputBytes, (<usize>columns) << 2, count, isWide,
      );
    }
    for (let i = 0; i < count; i++) {
      const tile = (start + i) % tilesPerImage;
      const y = 4 * (tile / tileColumns);
      const column = 4 * (tile % tileColumns);
      const image = (start + i) / tilesPerImage;
      const to = out + ((<usize>((image * outHeight + y) * outWidth + column) * <usize>outChannels) << 2);
      outputTile(
        size, constants, temporary, outputs + ((<usize>(i * columns)) << 2), outputBytes, bias,
        to, outChannels, outWidth, min(4, outHeight - y), min(4, outWidth - column),
      );
    }
  }
}

/** Transforms a tile's row of the planes of outputs back and stores the `rows`×`columns` pixels that are in the image. */
// @ts-ignore: decorator
@inline
function outputTile(
  size: i32, constants: usize, temporary: usize, from: usize, planeBytes: usize, bias: usize,
  out: usize, channels: i32, outWidth: i32, rows: i32, columns: i32,
): void {
  const pixelBytes = (<usize>channels) << 2;
  const rowBytes = <usize>outWidth * pixelBytes;
  const length = <usize>(size + 3);
  const pixels = temporary + INTERMEDIATE_BYTES;
  const zero = pixels - 32;
  for (let channel = 0; channel < channels; channel += 8) {
    // The last intermediate vector is not used by the 4×8 or 4×6 of this transform.
    v128.store(zero, f32x4.splat(0));
    v128.store(zero, f32x4.splat(0), 16);
    for (let x: usize = 0; x < length; x++)
      transformOutput(size, constants, from + x * planeBytes, length * planeBytes, temporary + x * 32, length * 32, zero);
    if (rows === 4 && columns === 4 && channel + 8 <= channels) {
      for (let y: usize = 0; y < 4; y++)
        transformOutput(size, constants, temporary + y * length * 32, 32, out + y * rowBytes, pixelBytes, bias);
    } else {
      for (let y: usize = 0; y < 4; y++)
        transformOutput(size, constants, temporary + y * length * 32, 32, pixels + y * 128, 32, bias);
      const partBytes = min<usize>(32, (<usize>(channels - channel)) << 2);
      for (let y: usize = 0; y < <usize>rows; y++) {
        for (let x: usize = 0; x < <usize>columns; x++) {
          const to = out + y * rowBytes + x * pixelBytes;
          for (let byte: usize = 0; byte < partBytes; byte += 4)
            store<f32>(to + byte, load<f32>(pixels + y * 128 + x * 32 + byte));
        }
      }
    }
    from += 32;
    out += 32;
    bias += 32;
  }
}
