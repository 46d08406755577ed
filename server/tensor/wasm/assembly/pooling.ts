// Max and average pooling (NHWC) and their gradients, four channels in the lanes; any window, stride and padding. A NaN in a
// window is its maximum, as in PyTorch; of equal values the gradient goes to the first. Order of summation within a window: rows
// ascending; where windows overlap: windows ascending.
import { loadFirst, storeFirst } from './parts/lanes';

/** Images first…last of y [·, outHeight, outWidth, channels]; padding counts as no pixel. */
export function maxPool(
  x: usize,
  height: i32,
  width: i32,
  channels: i32,
  y: usize,
  outHeight: i32,
  outWidth: i32,
  windowHeight: i32,
  windowWidth: i32,
  strideY: i32,
  strideX: i32,
  top: i32,
  left: i32,
  first: i32,
  last: i32,
): void {
  const pixelBytes = (<usize>channels) << 2;
  let to = y + <usize>(first * outHeight * outWidth) * pixelBytes;
  for (let image = first; image < last; image++) {
    const source = x + <usize>(image * height * width) * pixelBytes;
    for (let row = 0; row < outHeight; row++) {
      const fromRow = max(0, row * strideY - top);
      const toRow = min(height, row * strideY - top + windowHeight);
      for (let column = 0; column < outWidth; column++) {
        const fromColumn = max(0, column * strideX - left);
        const toColumn = min(width, column * strideX - left + windowWidth);
        for (let channel = 0; channel < channels; channel += 4) {
          const lanes = min(4, channels - channel);
          let best = f32x4.splat(-Infinity);
          for (let inRow = fromRow; inRow < toRow; inRow++) {
            let at = source + <usize>(inRow * width + fromColumn) * pixelBytes + ((<usize>channel) << 2);
            for (let inColumn = fromColumn; inColumn < toColumn; inColumn++) {
              best = f32x4.max(best, loadFirst(at, lanes));
              at += pixelBytes;
            }
          }
          storeFirst(to + ((<usize>channel) << 2), best, lanes);
        }
        to += pixelBytes;
      }
    }
  }
}

/** Images first…last of dx, zeroed here. */
export function maxPoolGradient(
  dy: usize,
  x: usize,
  height: i32,
  width: i32,
  channels: i32,
  dx: usize,
  outHeight: i32,
  outWidth: i32,
  windowHeight: i32,
  windowWidth: i32,
  strideY: i32,
  strideX: i32,
  top: i32,
  left: i32,
  first: i32,
  last: i32,
): void {
  const pixelBytes = (<usize>channels) << 2;
  const imageBytes = <usize>(height * width) * pixelBytes;
  memory.fill(dx + <usize>first * imageBytes, 0, <usize>(last - first) * imageBytes);
  let slopes = dy + <usize>(first * outHeight * outWidth) * pixelBytes;
  for (let image = first; image < last; image++) {
    const source = x + <usize>image * imageBytes;
    const target = dx + <usize>image * imageBytes;
    for (let row = 0; row < outHeight; row++) {
      const fromRow = max(0, row * strideY - top);
      const toRow = min(height, row * strideY - top + windowHeight);
      for (let column = 0; column < outWidth; column++) {
        const fromColumn = max(0, column * strideX - left);
        const toColumn = min(width, column * strideX - left + windowWidth);
        for (let channel = 0; channel < channels; channel += 4) {
          const lanes = min(4, channels - channel);
          let best = f32x4.splat(-Infinity);
          let place = i32x4.splat(-1);
          for (let inRow = fromRow; inRow < toRow; inRow++) {
            let pixel = inRow * width + fromColumn;
            for (let inColumn = fromColumn; inColumn < toColumn; inColumn++) {
              const value = loadFirst(source + <usize>pixel * pixelBytes + ((<usize>channel) << 2), lanes);
              // True also for a NaN, unless the best is one already; and for the first pixel, so that one always wins.
              const isBetter = v128.or(
                v128.andnot(v128.not(f32x4.le(value, best)), f32x4.ne(best, best)),
                i32x4.eq(place, i32x4.splat(-1)),
              );
              best = v128.bitselect(value, best, isBetter);
              place = v128.bitselect(i32x4.splat(pixel), place, isBetter);
              pixel++;
            }
          }
          const slope = loadFirst(slopes + ((<usize>channel) << 2), lanes);
          for (let inRow = fromRow; inRow < toRow; inRow++) {
            let pixel = inRow * width + fromColumn;
            for (let inColumn = fromColumn; inColumn < toColumn; inColumn++) {
              const at = target + <usize>pixel * pixelBytes + ((<usize>channel) << 2);
              const part = v128.and(slope, i32x4.eq(place, i32x4.splat(pixel)));
              storeFirst(at, f32x4.add(loadFirst(at, lanes), part), lanes);
              pixel++;
            }
          }
        }
        slopes += pixelBytes;
      }
    }
  }
}

/** Images first…last of y [·, outHeight, outWidth, channels]: means over the pixels that a window has, padding left out. */
export function avgPool(
  x: usize,
  height: i32,
  width: i32,
  channels: i32,
  y: usize,
  outHeight: i32,
  outWidth: i32,
  windowHeight: i32,
  windowWidth: i32,
  strideY: i32,
  strideX: i32,
  top: i32,
  left: i32,
  first: i32,
  last: i32,
): void {
  const pixelBytes = (<usize>channels) << 2;
  let to = y + <usize>(first * outHeight * outWidth) * pixelBytes;
  for (let image = first; image < last; image++) {
    const source = x + <usize>(image * height * width) * pixelBytes;
    for (let row = 0; row < outHeight; row++) {
      const fromRow = max(0, row * strideY - top);
      const toRow = min(height, row * strideY - top + windowHeight);
      for (let column = 0; column < outWidth; column++) {
        const fromColumn = max(0, column * strideX - left);
        const toColumn = min(width, column * strideX - left + windowWidth);
        const share = f32x4.splat(1 / <f32>((toRow - fromRow) * (toColumn - fromColumn)));
        for (let channel = 0; channel < channels; channel += 4) {
          const lanes = min(4, channels - channel);
          let sum = f32x4.splat(0);
          for (let inRow = fromRow; inRow < toRow; inRow++) {
            let at = source + <usize>(inRow * width + fromColumn) * pixelBytes + ((<usize>channel) << 2);
            for (let inColumn = fromColumn; inColumn < toColumn; inColumn++) {
              sum = f32x4.add(sum, loadFirst(at, lanes));
              at += pixelBytes;
            }
          }
          storeFirst(to + ((<usize>channel) << 2), f32x4.mul(sum, share), lanes);
        }
        to += pixelBytes;
      }
    }
  }
}

/** Images first…last of dx, zeroed here. As in tfjs every pixel gets dy divided by the whole window's size, at padding too. */
export function avgPoolGradient(
  dy: usize,
  height: i32,
  width: i32,
  channels: i32,
  dx: usize,
  outHeight: i32,
  outWidth: i32,
  windowHeight: i32,
  windowWidth: i32,
  strideY: i32,
  strideX: i32,
  top: i32,
  left: i32,
  first: i32,
  last: i32,
): void {
  const pixelBytes = (<usize>channels) << 2;
  const imageBytes = <usize>(height * width) * pixelBytes;
  const share = f32x4.splat(1 / <f32>(windowHeight * windowWidth));
  memory.fill(dx + <usize>first * imageBytes, 0, <usize>(last - first) * imageBytes);
  let slopes = dy + <usize>(first * outHeight * outWidth) * pixelBytes;
  for (let image = first; image < last; image++) {
    const target = dx + <usize>image * imageBytes;
    for (let row = 0; row < outHeight; row++) {
      const fromRow = max(0, row * strideY - top);
      const toRow = min(height, row * strideY - top + windowHeight);
      for (let column = 0; column < outWidth; column++) {
        const fromColumn = max(0, column * strideX - left);
        const toColumn = min(width, column * strideX - left + windowWidth);
        for (let channel = 0; channel < channels; channel += 4) {
          const lanes = min(4, channels - channel);
          const part = f32x4.mul(loadFirst(slopes + ((<usize>channel) << 2), lanes), share);
          for (let inRow = fromRow; inRow < toRow; inRow++) {
            let at = target + <usize>(inRow * width + fromColumn) * pixelBytes + ((<usize>channel) << 2);
            for (let inColumn = fromColumn; inColumn < toColumn; inColumn++) {
              storeFirst(at, f32x4.add(loadFirst(at, lanes), part), lanes);
              at += pixelBytes;
            }
          }
        }
        slopes += pixelBytes;
      }
    }
  }
}
