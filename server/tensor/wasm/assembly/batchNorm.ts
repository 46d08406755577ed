// Batch normalisation on x [rows, C]: statistics, normalisation, and the two passes of the gradient. Four channels in the lanes.
// Order of summation: rows ascending in float32 within a block of `rowsPerBlock`, blocks ascending in float64 (means and squared
// deviations combined as in Chan, Golub & LeVeque 1983). A NaN or Inf makes its channel's statistics NaN.
import { loadFirst, multiplyAdd, storeFirst } from './parts/lanes';

/**
 * Mean and sum of squared deviations of each channel into `moments`, float64 [⌈C/4⌉·4][2]; rows 0…rows.
 */
export function channelMoments(x: usize, rows: i32, channels: i32, moments: usize, rowsPerBlock: i32): void {
  const rowBytes = <usize>channels << 2;
  memory.fill(moments, 0, <usize>((channels + 3) & ~3) << 4);
  for (let start = 0; start < rows; start += rowsPerBlock) {
    const count = min(rowsPerBlock, rows - start);
    for (let channel = 0; channel < channels; channel += 4) {
      const width = min(4, channels - channel);
      const from = x + <usize>start * rowBytes + (<usize>channel << 2);
      let sum = f32x4.splat(0);
      let at = from;
      for (let row = 0; row < count; row++) {
        sum = f32x4.add(sum, loadFirst(at, width));
        at += rowBytes;
      }
      const mean = f32x4.div(sum, f32x4.splat(<f32>count));
      let squares = f32x4.splat(0);
      at = from;
      for (let row = 0; row < count; row++) {
        const centred = f32x4.sub(loadFirst(at, width), mean);
        squares = multiplyAdd(centred, centred, squares);
        at += rowBytes;
      }
      const to = moments + (<usize>channel << 4);
      combine(to, start, count, f32x4.extract_lane(mean, 0), f32x4.extract_lane(squares, 0));
      combine(to + 16, start, count, f32x4.extract_lane(mean, 1), f32x4.extract_lane(squares, 1));
      combine(to + 32, start, count, f32x4.extract_lane(mean, 2), f32x4.extract_lane(squares, 2));
      combine(to + 48, start, count, f32x4.extract_lane(mean, 3), f32x4.extract_lane(squares, 3));
    }
  }
}

// @ts-ignore: decorator
@inline
function combine(moment: usize, before: i32, count: i32, mean: f32, squares: f32): void {
  const delta = <f64>mean - load<f64>(moment);
  const total = <f64>(before + count);
  store<f64>(moment, load<f64>(moment) + (delta * <f64>count) / total);
  store<f64>(moment + 8, load<f64>(moment + 8) + <f64>squares + (delta * delta * <f64>before * <f64>count) / total);
}

/** y = (x − center)·scale + shift for rows first…last; the three have ⌈C/4⌉·4 floats. */
export function normalizeRows(
  x: usize, y: usize, channels: i32, center: usize, scale: usize, shift: usize, first: i32, last: i32, rowsPerBlock: i32,
): void {
  const rowBytes = <usize>channels << 2;
  for (let start = first; start < last; start += rowsPerBlock) {
    const end = min(last, start + rowsPerBlock);
    for (let channel = 0; channel < channels; channel += 4) {
      const width = min(4, channels - channel);
      const offset = <usize>channel << 2;
      const c = v128.load(center + offset);
      const a = v128.load(scale + offset);
      const b = v128.load(shift + offset);
      let at = <usize>start * rowBytes + offset;
      for (let row = start; row < end; row++) {
        storeFirst(y + at, multiplyAdd(f32x4.sub(loadFirst(x + at, width), c), a, b), width);
        at += rowBytes;
      }
    }
  }
}

/** Σ dy and Σ dy·(x − center) of each channel into `sums`, float64 [⌈C/4⌉·4][2]. */
export function gradientSums(
  dy: usize, x: usize, rows: i32, channels: i32, center: usize, sums: usize, rowsPerBlock: i32,
): void {
  const rowBytes = <usize>channels << 2;
  memory.fill(sums, 0, <usize>((channels + 3) & ~3) << 4);
  for (let start = 0; start < rows; start += rowsPerBlock) {
    const count = min(rowsPerBlock, rows - start);
    for (let channel = 0; channel < channels; channel += 4) {
      const width = min(4, channels - channel);
      const offset = <usize>channel << 2;
      const c = v128.load(center + offset);
      let total = f32x4.splat(0);
      let product = total;
      let at = <usize>start * rowBytes + offset;
      for (let row = 0; row < count; row++) {
        const slope = loadFirst(dy + at, width);
        total = f32x4.add(total, slope);
        product = multiplyAdd(slope, f32x4.sub(loadFirst(x + at, width), c), product);
        at += rowBytes;
      }
      const to = sums + (<usize>channel << 4);
      addPair(to, f32x4.extract_lane(total, 0), f32x4.extract_lane(product, 0));
      addPair(to + 16, f32x4.extract_lane(total, 1), f32x4.extract_lane(product, 1));
      addPair(to + 32, f32x4.extract_lane(total, 2), f32x4.extract_lane(product, 2));
      addPair(to + 48, f32x4.extract_lane(total, 3), f32x4.extract_lane(product, 3));
    }
  }
}

// @ts-ignore: decorator
@inline
function addPair(to: usize, first: f32, second: f32): void {
  store<f64>(to, load<f64>(to) + <f64>first);
  store<f64>(to + 8, load<f64>(to + 8) + <f64>second);
}

/** dx = dy·a + (x − center)·b + c for rows first…last; the four have ⌈C/4⌉·4 floats. */
export function normalizeGradientRows(
  dy: usize, x: usize, dx: usize, channels: i32, center: usize, a: usize, b: usize, c: usize,
  first: i32, last: i32, rowsPerBlock: i32,
): void {
  const rowBytes = <usize>channels << 2;
  for (let start = first; start < last; start += rowsPerBlock) {
    const end = min(last, start + rowsPerBlock);
    for (let channel = 0; channel < channels; channel += 4) {
      const width = min(4, channels - channel);
      const offset = <usize>channel << 2;
      const mean = v128.load(center + offset);
      const va = v128.load(a + offset);
      const vb = v128.load(b + offset);
      const vc = v128.load(c + offset);
      let at = <usize>start * rowBytes + offset;
      for (let row = start; row < end; row++) {
        const centred = f32x4.sub(loadFirst(x + at, width), mean);
        storeFirst(dx + at, multiplyAdd(loadFirst(dy + at, width), va, multiplyAdd(centred, vb, vc)), width);
        at += rowBytes;
      }
    }
  }
}
