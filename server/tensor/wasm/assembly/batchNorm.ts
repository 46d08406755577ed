// Batch normalisation on x [rows, C]: statistics, normalisation, and the two passes of the gradient. Sixteen channels at a time (in the
// gradient's second pass eight), so that sums don't wait for one another and V8 may join vectors; of what is left over, four.
// Order of summation: rows ascending in float32 within a block of `rowsPerBlock`, blocks ascending in float64 (means and squared
// deviations combined as in Chan, Golub & LeVeque 1983). A NaN or Inf makes its channel's statistics NaN.
import { loadFirst, multiplyAdd, storeFirst } from './parts/lanes';
import { addSlopeSums } from './parts/slopeSums';

/**
 * Mean and sum of squared deviations of each channel into `moments`, float64 [⌈C/4⌉·4][2]; rows 0…rows.
 */
export function channelMoments(x: usize, rows: i32, channels: i32, moments: usize, rowsPerBlock: i32): void {
  const rowBytes = <usize>channels << 2;
  memory.fill(moments, 0, <usize>((channels + 3) & ~3) << 4);
  for (let start = 0; start < rows; start += rowsPerBlock) {
    const count = min(rowsPerBlock, rows - start);
    let channel = 0;
    for (; channel <= channels - 16; channel += 16) {
      const from = x + <usize>start * rowBytes + (<usize>channel << 2);
      const nRows = f32x4.splat(<f32>count);
      let sum0 = f32x4.splat(0);
      let sum1 = sum0;
      let sum2 = sum0;
      let sum3 = sum0;
      let at = from;
      for (let row = 0; row < count; row++) {
        sum0 = f32x4.add(sum0, v128.load(at));
        sum1 = f32x4.add(sum1, v128.load(at, 16));
        sum2 = f32x4.add(sum2, v128.load(at, 32));
        sum3 = f32x4.add(sum3, v128.load(at, 48));
        at += rowBytes;
      }
      const mean0 = f32x4.div(sum0, nRows);
      const mean1 = f32x4.div(sum1, nRows);
      const mean2 = f32x4.div(sum2, nRows);
      const mean3 = f32x4.div(sum3, nRows);
      let squares0 = f32x4.splat(0);
      let squares1 = squares0;
      let squares2 = squares0;
      let squares3 = squares0;
      at = from;
      for (let row = 0; row < count; row++) {
        const centred0 = f32x4.sub(v128.load(at), mean0);
        const centred1 = f32x4.sub(v128.load(at, 16), mean1);
        const centred2 = f32x4.sub(v128.load(at, 32), mean2);
        const centred3 = f32x4.sub(v128.load(at, 48), mean3);
        squares0 = multiplyAdd(centred0, centred0, squares0);
        squares1 = multiplyAdd(centred1, centred1, squares1);
        squares2 = multiplyAdd(centred2, centred2, squares2);
        squares3 = multiplyAdd(centred3, centred3, squares3);
        at += rowBytes;
      }
      const to = moments + (<usize>channel << 4);
      combineFour(to, start, count, mean0, squares0);
      combineFour(to + 64, start, count, mean1, squares1);
      combineFour(to + 128, start, count, mean2, squares2);
      combineFour(to + 192, start, count, mean3, squares3);
    }
    for (; channel < channels; channel += 4) {
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
      combineFour(moments + (<usize>channel << 4), start, count, mean, squares);
    }
  }
}

function combineFour(to: usize, before: i32, count: i32, mean: v128, squares: v128): void {
  combine(to, before, count, f32x4.extract_lane(mean, 0), f32x4.extract_lane(squares, 0));
  combine(to + 16, before, count, f32x4.extract_lane(mean, 1), f32x4.extract_lane(squares, 1));
  combine(to + 32, before, count, f32x4.extract_lane(mean, 2), f32x4.extract_lane(squares, 2));
  combine(to + 48, before, count, f32x4.extract_lane(mean, 3), f32x4.extract_lane(squares, 3));
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
    let channel = 0;
    for (; channel <= channels - 16; channel += 16) {
      const offset = <usize>channel << 2;
      const c = center + offset;
      const a = scale + offset;
      const b = shift + offset;
      const c0 = v128.load(c);
      const c1 = v128.load(c, 16);
      const c2 = v128.load(c, 32);
      const c3 = v128.load(c, 48);
      const a0 = v128.load(a);
      const a1 = v128.load(a, 16);
      const a2 = v128.load(a, 32);
      const a3 = v128.load(a, 48);
      const b0 = v128.load(b);
      const b1 = v128.load(b, 16);
      const b2 = v128.load(b, 32);
      const b3 = v128.load(b, 48);
      let from = x + <usize>start * rowBytes + offset;
      let to = y + <usize>start * rowBytes + offset;
      for (let row = start; row < end; row++) {
        const y0 = multiplyAdd(f32x4.sub(v128.load(from), c0), a0, b0);
        const y1 = multiplyAdd(f32x4.sub(v128.load(from, 16), c1), a1, b1);
        const y2 = multiplyAdd(f32x4.sub(v128.load(from, 32), c2), a2, b2);
        const y3 = multiplyAdd(f32x4.sub(v128.load(from, 48), c3), a3, b3);
        v128.store(to, y0);
        v128.store(to, y1, 16);
        v128.store(to, y2, 32);
        v128.store(to, y3, 48);
        from += rowBytes;
        to += rowBytes;
      }
    }
    for (; channel < channels; channel += 4) {
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
    const at = <usize>start * rowBytes;
    addSlopeSums(dy + at, x + at, min(rowsPerBlock, rows - start), rowBytes, 0, channels, center, sums);
  }
}

/** dx = dy·a + (x − center)·b + c for rows first…last; the four have ⌈C/4⌉·4 floats. */
export function normalizeGradientRows(
  dy: usize, x: usize, dx: usize, channels: i32, center: usize, a: usize, b: usize, c: usize,
  first: i32, last: i32, rowsPerBlock: i32,
): void {
  const rowBytes = <usize>channels << 2;
  for (let start = first; start < last; start += rowsPerBlock) {
    const end = min(last, start + rowsPerBlock);
    let channel = 0;
    for (; channel <= channels - 8; channel += 8) {
      const offset = <usize>channel << 2;
      const atMean = center + offset;
      const mean0 = v128.load(atMean);
      const mean1 = v128.load(atMean, 16);
      const atA = a + offset;
      const a0 = v128.load(atA);
      const a1 = v128.load(atA, 16);
      const atB = b + offset;
      const b0 = v128.load(atB);
      const b1 = v128.load(atB, 16);
      const atC = c + offset;
      const c0 = v128.load(atC);
      const c1 = v128.load(atC, 16);
      let slopes = dy + <usize>start * rowBytes + offset;
      let from = x + <usize>start * rowBytes + offset;
      let to = dx + <usize>start * rowBytes + offset;
      for (let row = start; row < end; row++) {
        const centred0 = f32x4.sub(v128.load(from), mean0);
        const centred1 = f32x4.sub(v128.load(from, 16), mean1);
        const dx0 = multiplyAdd(v128.load(slopes), a0, multiplyAdd(centred0, b0, c0));
        const dx1 = multiplyAdd(v128.load(slopes, 16), a1, multiplyAdd(centred1, b1, c1));
        v128.store(to, dx0);
        v128.store(to, dx1, 16);
        slopes += rowBytes;
        from += rowBytes;
        to += rowBytes;
      }
    }
    for (; channel < channels; channel += 4) {
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
