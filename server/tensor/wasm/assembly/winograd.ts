// 3×3 convolution at stride 1 and its input gradient by Winograd's minimal filtering F(4×4, 3×3): 36 products where the direct
// kernel takes 144, of planes [tiles × channels] that stay in the second-level cache; the filter gradient is in
// winogradFilterGradient.ts. Channels are padded to 8. Each tile's bits depend on its own 6×6 pixels alone, so neither blocks
// nor ranges of tiles change them.
// Error against float64, relative to the result's RMS, 64 channels: RMS 4e-7, largest 3e-6 (direct: 1e-7, 6e-7); filter
// gradient 2e-6, 9e-6 (3e-7, 1e-6). A NaN or infinity makes its whole tile (4×4 outputs; a filter's gradient: 3×3) NaN.
import { multiplyPlane } from './parts/planes';
import { imageBytesOf, inputTile, place, planeBytesOf, roundUp8, TEMPORARY_BYTES, tilesOf } from './parts/winogradTiles';
import { CONSTANT_BYTES, transformFilter, transformOutput, writeConstants } from './parts/winogradTransform';

/** Bytes of a transformed filter. */
export function winogradFilterBytes(inChannels: i32, outChannels: i32): usize {
  return 36 * planeBytesOf(roundUp8(inChannels), roundUp8(outChannels));
}

/** Bytes of scratch of one call of `winogradConvolve`. */
export function winogradScratchBytes(
  outHeight: i32,
  outWidth: i32,
  inChannels: i32,
  outChannels: i32,
  tilesPerBlock: i32,
): usize {
  return (
    CONSTANT_BYTES +
    TEMPORARY_BYTES +
    imageBytesOf(outHeight, outWidth, inChannels) +
    36 * (planeBytesOf(tilesPerBlock, roundUp8(inChannels)) + planeBytesOf(tilesPerBlock, roundUp8(outChannels)))
  );
}

/** Bytes of scratch of one call of `winogradFilter`. */
export function winogradFilterScratchBytes(outChannels: i32): usize {
  return CONSTANT_BYTES + TEMPORARY_BYTES + ((9 * <usize>roundUp8(outChannels)) << 2);
}

/**
 * Transforms a filter [3, 3, Cin, Cout] into planes [36][⌈Cout/8⌉][⌈Cin/8⌉·8][8], a cache line apart: the rows first…last of
 * the ⌈Cin/8⌉·8. With `isTurned` the filter is given as [3, 3, Cout, Cin] and turned by 180°, for the input gradient.
 * `scratch`: see `winogradFilterScratchBytes`.
 */
export function winogradFilter(
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
  writeConstants(constants);
  memory.fill(taps, 0, 9 * rowBytes);
  for (let k = first; k < last; k++) {
    for (let tap = 0; tap < 9; tap++) {
      const to = taps + <usize>tap * rowBytes;
      let from = filter + <usize>(isTurned ? 8 - tap : tap) * tapBytes;
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
      for (let x: usize = 0; x < 3; x++)
        transformFilter(constants, from + x * rowBytes, 3 * rowBytes, temporary + x * 16, 48);
      for (let y: usize = 0; y < 6; y++)
        transformFilter(constants, temporary + y * 48, 16, to + 6 * y * planeBytes, planeBytes);
    }
  }
}

/**
 * Tiles first…last (of all images, by rows) of out [·, outHeight, outWidth, outChannels] = 3×3 correlation at stride 1 of x
 * [·, height, width, inChannels], padded by `top` and `left`, with `planes` of `winogradFilter`, + bias (Cout floats rounded up
 * to 8). `tilesPerBlock` is a multiple of 6. `scratch`: see `winogradScratchBytes`.
 */
export function winogradConvolve(
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
  const inputs = padded + imageBytesOf(outHeight, outWidth, inChannels);
  const inputBytes = planeBytesOf(tilesPerBlock, inner);
  const outputs = inputs + 36 * inputBytes;
  const outputBytes = planeBytesOf(tilesPerBlock, columns);
  const filterBytes = planeBytesOf(inner, columns);
  const tileColumns = tilesOf(outWidth);
  const tilesPerImage = tilesOf(outHeight) * tileColumns;
  writeConstants(constants);
  memory.fill(padded, 0, inputs - padded);
  let placed = -1;
  for (let start = first; start < last; start += tilesPerBlock) {
    const count = min(tilesPerBlock, last - start);
    for (let i = 0; i < count; i++) {
      const image = (start + i) / tilesPerImage;
      if (image !== placed) {
        placed = image;
        place(x, image, height, width, inChannels, padded, 4 * tilesOf(outHeight) + 2, 4 * tileColumns + 2, top, left);
      }
      inputTile(constants, temporary, padded, (start + i) % tilesPerImage, tileColumns, inner, inputs, inputBytes, i);
    }
    for (let point: usize = 0; point < 36; point++) {
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
        constants, temporary, outputs + ((<usize>(i * columns)) << 2), outputBytes, bias,
        to, outChannels, outWidth, min(4, outHeight - y), min(4, outWidth - column),
      );
    }
  }
}

/** Transforms a tile's row of the 36 planes of outputs back and stores the `rows`×`columns` pixels that are in the image. */
// @ts-ignore: decorator
@inline
function outputTile(
  constants: usize, temporary: usize, from: usize, planeBytes: usize, bias: usize,
  out: usize, channels: i32, outWidth: i32, rows: i32, columns: i32,
): void {
  const pixelBytes = (<usize>channels) << 2;
  const rowBytes = <usize>outWidth * pixelBytes;
  const pixels = temporary + 1152;
  const zero = temporary + 1152 - 32;
  for (let channel = 0; channel < channels; channel += 8) {
    // The last intermediate vector is not used by the 4×6 of this transform.
    v128.store(zero, f32x4.splat(0));
    v128.store(zero, f32x4.splat(0), 16);
    for (let x: usize = 0; x < 6; x++) transformOutput(constants, from + x * planeBytes, 6 * planeBytes, temporary + x * 32, 192, zero);
    if (rows === 4 && columns === 4 && channel + 8 <= channels) {
      for (let y: usize = 0; y < 4; y++) transformOutput(constants, temporary + y * 192, 32, out + y * rowBytes, pixelBytes, bias);
    } else {
      for (let y: usize = 0; y < 4; y++) transformOutput(constants, temporary + y * 192, 32, pixels + y * 128, 32, bias);
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
