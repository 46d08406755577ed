// 2-D convolution (NHWC, filters HWIO) and its two gradients as implicit matrix products: an image is placed once into a
// padded copy, whose rows then serve as the matrix's rows without an im2col. Any size, stride and padding; no dilation. An input
// gradient at stride s is s² correlations at stride 1, each of the taps and pixels of one phase.
// Order of summation: filter row, then filter column and channel; the filter gradient by image and by block of output rows.
import { packPanels, tileOfColumns, tileOfRows } from './parts/tile';

const LARGEST_PANEL_BYTES: usize = 24_576;

/**
 * Copies one image [height, width, channels] to (top, left) of `out` [outHeight, outWidth, channels]; pixels that fall outside
 * are left out. Cells without a pixel are not written.
 */
function placeImage(
  image: usize,
  height: i32,
  width: i32,
  channels: i32,
  out: usize,
  outHeight: i32,
  outWidth: i32,
  top: i32,
  left: i32,
): void {
  const pixelBytes = (<usize>channels) << 2;
  const from = max(0, -left);
  const to = min(width, outWidth - left);
  if (to <= from) return;
  for (let y = max(0, -top); y < min(height, outHeight - top); y++) {
    memory.copy(
      out + <usize>((y + top) * outWidth + left + from) * pixelBytes,
      image + <usize>(y * width + from) * pixelBytes,
      <usize>(to - from) * pixelBytes,
    );
  }
}

/** Packs a filter [KH, KW, Cin, Cout] for the forward pass: panels [⌈Cout/8⌉][KH·KW·Cin][8]. */
export function packFilter(
  filter: usize,
  filterHeight: i32,
  filterWidth: i32,
  inChannels: i32,
  outChannels: i32,
  out: usize,
): void {
  const rows = filterHeight * filterWidth * inChannels;
  packPanels(filter, (<usize>outChannels) << 2, 4, rows, outChannels, out, 0, rows);
}

/**
 * Packs a filter turned by 180° with its channels swapped, for the input gradient: of its taps those at phase + stride·i, in
 * panels [⌈Cin/8⌉][taps·Cout][8].
 */
export function packTurnedFilter(
  filter: usize,
  filterHeight: i32,
  filterWidth: i32,
  inChannels: i32,
  outChannels: i32,
  phaseY: i32,
  phaseX: i32,
  strideY: i32,
  strideX: i32,
  out: usize,
): void {
  const tapRows = tapsOf(filterHeight, phaseY, strideY);
  const tapColumns = tapsOf(filterWidth, phaseX, strideX);
  const tapBytes = (<usize>(inChannels * outChannels)) << 2;
  for (let y = 0; y < tapRows; y++) {
    for (let x = 0; x < tapColumns; x++) {
      const tap = (phaseY + strideY * (tapRows - 1 - y)) * filterWidth + phaseX + strideX * (tapColumns - 1 - x);
      packPanels(
        filter + <usize>tap * tapBytes,
        4,
        (<usize>outChannels) << 2,
        outChannels,
        inChannels,
        out,
        (y * tapColumns + x) * outChannels,
        tapRows * tapColumns * outChannels,
      );
    }
  }
}

/** How many of the taps 0 … length − 1 are at phase + stride·i. */
// @ts-ignore: decorator
@inline
function tapsOf(length: i32, phase: i32, stride: i32): i32 {
  return (length - phase + stride - 1) / stride;
}

/**
 * Images first…last of out [·, outHeight, outWidth, outChannels] = correlation of the padded images with packed filters,
 * + bias, ReLU. `scratch` holds a padded image [paddedHeight, paddedWidth, inChannels] and (outHeight·outWidth + 5) u32; with
 * `isInPlace` the images are used as they are, and paddedWidth is their width.
 */
export function convolve(
  x: usize,
  height: i32,
  width: i32,
  inChannels: i32,
  isInPlace: i32,
  paddedHeight: i32,
  paddedWidth: i32,
  top: i32,
  left: i32,
  panels: usize,
  filterHeight: i32,
  filterWidth: i32,
  outChannels: i32,
  bias: usize,
  out: usize,
  outHeight: i32,
  outWidth: i32,
  strideY: i32,
  strideX: i32,
  isRelu: i32,
  first: i32,
  last: i32,
  scratch: usize,
): void {
  const pixelBytes = (<usize>inChannels) << 2;
  const paddedBytes = <usize>(paddedHeight * paddedWidth) * pixelBytes;
  const nPixels = outHeight * outWidth;
  const offsets = isInPlace ? scratch : scratch + paddedBytes;
  if (nPixels === 0) return;
  writeOffsets(offsets, outHeight, outWidth, <usize>(strideY * paddedWidth) * pixelBytes, <usize>strideX * pixelBytes);
  if (!isInPlace) memory.fill(scratch, 0, paddedBytes);
  for (let image = first; image < last; image++) {
    let source = x + <usize>(image * height * width) * pixelBytes;
    if (!isInPlace) {
      placeImage(source, height, width, inChannels, scratch, paddedHeight, paddedWidth, top, left);
      source = scratch;
    }
    const to = out + ((<usize>(image * nPixels) * <usize>outChannels) << 2);
    correlate(source, paddedWidth, inChannels, offsets, panels, filterHeight, filterWidth, bias, to, nPixels, outChannels, isRelu);
  }
}

/**
 * The pixels (firstY + strideY·i, firstX + strideX·j) of images first…last of the input gradient `out`
 * [·, height, width, outChannels]: `rows` × `columns` of them, the full correlation at stride 1 of dy
 * [·, dyHeight, dyWidth, inChannels] with the taps of one phase. `scratch` holds a padded dy [rows + tapRows − 1,
 * columns + tapColumns − 1, inChannels], (rows·columns + 5) u32 and the result.
 */
export function convolvePhase(
  dy: usize,
  dyHeight: i32,
  dyWidth: i32,
  inChannels: i32,
  top: i32,
  left: i32,
  panels: usize,
  tapRows: i32,
  tapColumns: i32,
  outChannels: i32,
  bias: usize,
  out: usize,
  height: i32,
  width: i32,
  firstY: i32,
  firstX: i32,
  strideY: i32,
  strideX: i32,
  rows: i32,
  columns: i32,
  first: i32,
  last: i32,
  scratch: usize,
): void {
  const paddedHeight = rows + tapRows - 1;
  const paddedWidth = columns + tapColumns - 1;
  const pixelBytes = (<usize>inChannels) << 2;
  const outPixelBytes = (<usize>outChannels) << 2;
  const paddedBytes = <usize>(paddedHeight * paddedWidth) * pixelBytes;
  const offsets = scratch + paddedBytes;
  const result = offsets + ((<usize>(rows * columns + 5)) << 2);
  writeOffsets(offsets, rows, columns, <usize>paddedWidth * pixelBytes, pixelBytes);
  memory.fill(scratch, 0, paddedBytes);
  for (let image = first; image < last; image++) {
    const source = dy + <usize>(image * dyHeight * dyWidth) * pixelBytes;
    placeImage(source, dyHeight, dyWidth, inChannels, scratch, paddedHeight, paddedWidth, top, left);
    correlate(scratch, paddedWidth, inChannels, offsets, panels, tapRows, tapColumns, bias, result, rows * columns, outChannels, 0);
    let from = result;
    for (let y = 0; y < rows; y++) {
      let to = out + <usize>((image * height + firstY + y * strideY) * width + firstX) * outPixelBytes;
      for (let x = 0; x < columns; x++) {
        for (let byte: usize = 0; byte < outPixelBytes; byte += 4) store<f32>(to + byte, load<f32>(from + byte));
        from += outPixelBytes;
        to += <usize>strideX * outPixelBytes;
      }
    }
  }
}

/** Where the window of each output pixel starts in the padded image; five more for the tail of six. */
function writeOffsets(offsets: usize, rows: i32, columns: i32, rowStepBytes: usize, columnStepBytes: usize): void {
  let to = offsets;
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      store<u32>(to, <u32>(<usize>y * rowStepBytes + <usize>x * columnStepBytes));
      to += 4;
    }
  }
  const lastOffset = load<u32>(to - 4);
  for (let i: usize = 0; i < 5; i++) store<u32>(to + (i << 2), lastOffset);
}

/** One padded image with packed filters: `nPixels` pixels of `out` at `offsets`. */
function correlate(
  source: usize,
  paddedWidth: i32,
  inChannels: i32,
  offsets: usize,
  panels: usize,
  filterHeight: i32,
  filterWidth: i32,
  bias: usize,
  out: usize,
  nPixels: i32,
  outChannels: i32,
  isRelu: i32,
): void {
  const rowBytes = (<usize>(paddedWidth * inChannels)) << 2;
  const outPixelBytes = (<usize>outChannels) << 2;
  const segmentLength = filterWidth * inChannels;
  const panelBytes = (<usize>(filterHeight * segmentLength)) << 5;
  // A panel that doesn't fit the first-level cache is worked through by filter rows.
  const segmentsPerPass = panelBytes > LARGEST_PANEL_BYTES ? 1 : filterHeight;
  for (let channel = 0; channel < outChannels; channel += 8) {
    for (let segment = 0; segment < filterHeight; segment += segmentsPerPass) {
      const isLast = segment + segmentsPerPass >= filterHeight;
      const panel = panels + <usize>(channel >> 3) * panelBytes + ((<usize>(segment * segmentLength)) << 5);
      for (let pixel = 0; pixel < nPixels; pixel += 6) {
        tileOfRows(
          source + <usize>segment * rowBytes,
          offsets + ((<usize>pixel) << 2),
          segmentLength,
          min(segmentsPerPass, filterHeight - segment),
          rowBytes,
          panel,
          bias + ((<usize>channel) << 2),
          out + <usize>pixel * outPixelBytes + ((<usize>channel) << 2),
          outPixelBytes,
          min(6, nPixels - pixel),
          outChannels - channel,
          isRelu & i32(isLast),
          i32(segment > 0),
        );
      }
    }
  }
}

/**
 * sums [KH·KW·Cin, ⌈Cout/8⌉·8] = the filter gradient of images first…last. `scratch` holds panels of dy of
 * ⌈Cout/8⌉·rowsPerBlock·outWidth·32 bytes and, without `isInPlace`, a padded image as in `convolve` and 20 bytes more; in place,
 * 20 bytes past the image are read.
 */
export function filterGradientSums(
  x: usize,
  height: i32,
  width: i32,
  inChannels: i32,
  isInPlace: i32,
  paddedHeight: i32,
  paddedWidth: i32,
  top: i32,
  left: i32,
  dy: usize,
  outHeight: i32,
  outWidth: i32,
  outChannels: i32,
  strideY: i32,
  strideX: i32,
  filterHeight: i32,
  filterWidth: i32,
  sums: usize,
  rowsPerBlock: i32,
  first: i32,
  last: i32,
  scratch: usize,
): void {
  const pixelBytes = (<usize>inChannels) << 2;
  const rowBytes = <usize>paddedWidth * pixelBytes;
  const imageBytes = <usize>(height * width) * pixelBytes;
  const segmentLength = filterWidth * inChannels;
  const sumRowBytes = (<usize>((outChannels + 7) & ~7)) << 2;
  const dyRowBytes = (<usize>(outWidth * outChannels)) << 2;
  const panels = scratch;
  const padded = panels + <usize>(rowsPerBlock * outWidth) * sumRowBytes;
  if (!isInPlace) memory.fill(padded, 0, <usize>paddedHeight * rowBytes);
  memory.fill(sums, 0, <usize>(filterHeight * segmentLength) * sumRowBytes);
  for (let image = first; image < last; image++) {
    let source = x + <usize>image * imageBytes;
    if (!isInPlace) {
      placeImage(source, height, width, inChannels, padded, paddedHeight, paddedWidth, top, left);
      source = padded;
    }
    for (let y = 0; y < outHeight; y += rowsPerBlock) {
      const rows = min(rowsPerBlock, outHeight - y);
      const nPixels = rows * outWidth;
      packPanels(
        dy + <usize>(image * outHeight + y) * dyRowBytes,
        (<usize>outChannels) << 2,
        4,
        nPixels,
        outChannels,
        panels,
        0,
        nPixels,
      );
      for (let filterRow = 0; filterRow < filterHeight; filterRow++) {
        const start = source + <usize>(y * strideY + filterRow) * rowBytes;
        for (let channel = 0; channel < outChannels; channel += 8) {
          const panel = panels + <usize>(channel >> 3) * ((<usize>nPixels) << 5);
          for (let k = 0; k < segmentLength; k += 6) {
            tileOfColumns(
              start + ((<usize>k) << 2),
              <usize>strideX * pixelBytes,
              outWidth,
              rows,
              <usize>strideY * rowBytes,
              panel,
              sums + <usize>(filterRow * segmentLength + k) * sumRowBytes + ((<usize>channel) << 2),
              sumRowBytes,
              min(6, segmentLength - k),
            );
          }
        }
      }
    }
  }
}

/** Rows first…last of `out` [·, columns] = the sums over `nParts` parts, in their order, whose rows are padded to a multiple of 8. */
export function addFilterGradients(
  parts: usize,
  nParts: i32,
  partBytes: usize,
  columns: i32,
  out: usize,
  first: i32,
  last: i32,
): void {
  const paddedColumns = (columns + 7) & ~7;
  for (let row = first; row < last; row++) {
    const from = parts + ((<usize>(row * paddedColumns)) << 2);
    const to = out + ((<usize>(row * columns)) << 2);
    for (let column: usize = 0; column < (<usize>columns) << 2; column += 4) {
      let cell = from + column;
      let sum = load<f32>(cell);
      for (let part = 1; part < nParts; part++) {
        cell += partBytes;
        sum += load<f32>(cell);
      }
      store<f32>(to + column, sum);
    }
  }
}
