// 2-D convolution (NHWC, filters HWIO) and its two gradients as implicit matrix products: an image is placed once into a
// padded copy, whose rows then serve as the matrix's rows without an im2col. Any size, stride and padding; no dilation.
// Order of summation: filter row, then filter column and channel; the filter gradient by image and by block of output rows.
import { packPanels, tileOfColumns, tileOfRows } from './parts/tile';

const LARGEST_PANEL_BYTES: usize = 24_576;

/**
 * Copies one image [height, width, channels] into `out` [outHeight, outWidth, channels], its pixel (y, x) to
 * (top + y·stepY, left + x·stepX); pixels that fall outside are left out. Cells without a pixel are not written.
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
  stepY: i32,
  stepX: i32,
): void {
  const pixelBytes = (<usize>channels) << 2;
  for (let y = 0; y < height; y++) {
    const toY = top + y * stepY;
    if (toY < 0 || toY >= outHeight) continue;
    if (stepX === 1) {
      const from = max(0, -left);
      const to = min(width, outWidth - left);
      if (to > from) {
        memory.copy(
          out + <usize>(toY * outWidth + left + from) * pixelBytes,
          image + <usize>(y * width + from) * pixelBytes,
          <usize>(to - from) * pixelBytes,
        );
      }
    } else {
      for (let x = 0; x < width; x++) {
        const toX = left + x * stepX;
        if (toX < 0 || toX >= outWidth) continue;
        memory.copy(
          out + <usize>(toY * outWidth + toX) * pixelBytes,
          image + <usize>(y * width + x) * pixelBytes,
          pixelBytes,
        );
      }
    }
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

/** Packs a filter turned by 180° with its channels swapped, for the input gradient: panels [⌈Cin/8⌉][KH·KW·Cout][8]. */
export function packTurnedFilter(
  filter: usize,
  filterHeight: i32,
  filterWidth: i32,
  inChannels: i32,
  outChannels: i32,
  out: usize,
): void {
  const nTaps = filterHeight * filterWidth;
  const tapBytes = (<usize>(inChannels * outChannels)) << 2;
  for (let tap = 0; tap < nTaps; tap++) {
    packPanels(
      filter + <usize>(nTaps - 1 - tap) * tapBytes,
      4,
      (<usize>outChannels) << 2,
      outChannels,
      inChannels,
      out,
      tap * outChannels,
      nTaps * outChannels,
    );
  }
}

/**
 * Images first…last of out [·, outHeight, outWidth, outChannels] = correlation of the padded images with packed filters,
 * + bias, ReLU. `padded` is room for one padded image [paddedHeight, paddedWidth, inChannels] and is zeroed here; 0 means that
 * the images are used as they are (then paddedWidth is their width). `offsets` is room for (outHeight·outWidth + 5) u32.
 */
export function convolve(
  x: usize,
  height: i32,
  width: i32,
  inChannels: i32,
  padded: usize,
  paddedHeight: i32,
  paddedWidth: i32,
  top: i32,
  left: i32,
  stepY: i32,
  stepX: i32,
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
  first: i32,
  last: i32,
  offsets: usize,
  isRelu: i32,
): void {
  const pixelBytes = (<usize>inChannels) << 2;
  const rowBytes = <usize>paddedWidth * pixelBytes;
  const nPixels = outHeight * outWidth;
  const imageBytes = <usize>(height * width) * pixelBytes;
  const outPixelBytes = (<usize>outChannels) << 2;
  const segmentLength = filterWidth * inChannels;
  const panelBytes = (<usize>(filterHeight * segmentLength)) << 5;
  // A panel that doesn't fit the first-level cache is worked through by filter rows.
  const segmentsPerPass = panelBytes > LARGEST_PANEL_BYTES ? 1 : filterHeight;
  if (nPixels === 0) return;
  let to = offsets;
  for (let y = 0; y < outHeight; y++) {
    for (let column = 0; column < outWidth; column++) {
      store<u32>(to, <u32>(<usize>(y * strideY) * rowBytes + <usize>(column * strideX) * pixelBytes));
      to += 4;
    }
  }
  const lastOffset = load<u32>(to - 4);
  for (let i = 0; i < 5; i++) store<u32>(to + ((<usize>i) << 2), lastOffset);
  if (padded) memory.fill(padded, 0, <usize>paddedHeight * rowBytes);
  for (let image = first; image < last; image++) {
    let source = x + <usize>image * imageBytes;
    if (padded) {
      placeImage(source, height, width, inChannels, padded, paddedHeight, paddedWidth, top, left, stepY, stepX);
      source = padded;
    }
    const outImage = out + <usize>image * <usize>nPixels * outPixelBytes;
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
            outImage + <usize>pixel * outPixelBytes + ((<usize>channel) << 2),
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
}

/**
 * Adds the filter gradient of images first…last to `sums` [KH·KW·Cin, ⌈Cout/8⌉·8], which the caller zeroes. `padded` as in
 * `convolve`; `panels` is room for ⌈Cout/8⌉·rowsPerBlock·outWidth·32 bytes. Reads up to 20 bytes past the (padded) image.
 */
export function accumulateFilterGradient(
  x: usize,
  height: i32,
  width: i32,
  inChannels: i32,
  padded: usize,
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
  panels: usize,
  rowsPerBlock: i32,
  first: i32,
  last: i32,
): void {
  const pixelBytes = (<usize>inChannels) << 2;
  const rowBytes = <usize>paddedWidth * pixelBytes;
  const imageBytes = <usize>(height * width) * pixelBytes;
  const segmentLength = filterWidth * inChannels;
  const sumRowBytes = (<usize>((outChannels + 7) & ~7)) << 2;
  const dyRowBytes = (<usize>(outWidth * outChannels)) << 2;
  if (padded) memory.fill(padded, 0, <usize>paddedHeight * rowBytes);
  for (let image = first; image < last; image++) {
    let source = x + <usize>image * imageBytes;
    if (padded) {
      placeImage(source, height, width, inChannels, padded, paddedHeight, paddedWidth, top, left, 1, 1);
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

/** Copies `rows` rows of `columns` floats out of rows padded to a multiple of 8. */
export function copyUnpadded(padded: usize, rows: i32, columns: i32, out: usize): void {
  const paddedBytes = (<usize>((columns + 7) & ~7)) << 2;
  const rowBytes = (<usize>columns) << 2;
  for (let row = 0; row < rows; row++)
    memory.copy(out + <usize>row * rowBytes, padded + <usize>row * paddedBytes, rowBytes);
}
