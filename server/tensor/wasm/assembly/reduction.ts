// Sum and maximum over the middle axis of x [outer, length, inner]; leading axes are outer = 1, trailing ones inner = 1.
// Order of summation: ascending in float32 within 128 elements, these parts ascending in float64. NaN gives NaN.
import { loadFirst, storeFirst } from './parts/lanes';

const PART: i32 = 128;

/** y [outer, inner] = factor·Σ x for outer first…last; `sums` is room for ⌈inner/4⌉·4 float64. */
export function sumMiddle(
  x: usize,
  y: usize,
  length: i32,
  inner: i32,
  factor: f64,
  sums: usize,
  first: i32,
  last: i32,
): void {
  const rowBytes = (<usize>inner) << 2;
  for (let outer = first; outer < last; outer++) {
    const from = x + <usize>outer * <usize>length * rowBytes;
    if (inner === 1) {
      store<f32>(y + ((<usize>outer) << 2), <f32>(factor * sumContiguous(from, length)));
      continue;
    }
    memory.fill(sums, 0, (<usize>((inner + 3) & ~3)) << 3);
    for (let start = 0; start < length; start += PART) {
      const count = min(PART, length - start);
      let column = 0;
      // Four sums that don't wait for one another.
      for (; column <= inner - 16; column += 16) {
        let at = from + <usize>start * rowBytes + ((<usize>column) << 2);
        let sum0 = f32x4.splat(0);
        let sum1 = sum0;
        let sum2 = sum0;
        let sum3 = sum0;
        for (let i = 0; i < count; i++) {
          sum0 = f32x4.add(sum0, v128.load(at));
          sum1 = f32x4.add(sum1, v128.load(at, 16));
          sum2 = f32x4.add(sum2, v128.load(at, 32));
          sum3 = f32x4.add(sum3, v128.load(at, 48));
          at += rowBytes;
        }
        const to = sums + ((<usize>column) << 3);
        addFour(to, sum0);
        addFour(to + 32, sum1);
        addFour(to + 64, sum2);
        addFour(to + 96, sum3);
      }
      for (; column < inner; column += 4) {
        const width = min(4, inner - column);
        let at = from + <usize>start * rowBytes + ((<usize>column) << 2);
        let sum = f32x4.splat(0);
        for (let i = 0; i < count; i++) {
          sum = f32x4.add(sum, loadFirst(at, width));
          at += rowBytes;
        }
        addFour(sums + ((<usize>column) << 3), sum);
      }
    }
    for (let column = 0; column < inner; column++) {
      store<f32>(
        y + <usize>outer * rowBytes + ((<usize>column) << 2),
        <f32>(factor * load<f64>(sums + ((<usize>column) << 3))),
      );
    }
  }
}

/** Four float64 at `to` += lanes. */
function addFour(to: usize, lanes: v128): void {
  v128.store(to, f64x2.add(v128.load(to), f64x2.promote_low_f32x4(lanes)));
  const high = v128.shuffle<f32>(lanes, lanes, 2, 3, 2, 3);
  v128.store(to, f64x2.add(v128.load(to, 16), f64x2.promote_low_f32x4(high)), 16);
}

function sumContiguous(x: usize, length: i32): f64 {
  let total: f64 = 0;
  let i = 0;
  while (i + 4 <= length) {
    const end = min(length & ~3, i + PART);
    let sum = f32x4.splat(0);
    for (; i < end; i += 4) sum = f32x4.add(sum, v128.load(x + ((<usize>i) << 2)));
    total +=
      <f64>f32x4.extract_lane(sum, 0) +
      <f64>f32x4.extract_lane(sum, 1) +
      <f64>f32x4.extract_lane(sum, 2) +
      <f64>f32x4.extract_lane(sum, 3);
  }
  for (; i < length; i++) total += <f64>load<f32>(x + ((<usize>i) << 2));
  return total;
}

/** y [outer, inner] = max x for outer first…last. */
export function maxMiddle(x: usize, y: usize, length: i32, inner: i32, first: i32, last: i32): void {
  const rowBytes = (<usize>inner) << 2;
  for (let outer = first; outer < last; outer++) {
    const from = x + <usize>outer * <usize>length * rowBytes;
    for (let column = 0; column < inner; column += 4) {
      const width = min(4, inner - column);
      let at = from + ((<usize>column) << 2);
      let best = f32x4.splat(-Infinity);
      for (let i = 0; i < length; i++) {
        best = f32x4.max(best, loadFirst(at, width));
        at += rowBytes;
      }
      storeFirst(y + <usize>outer * rowBytes + ((<usize>column) << 2), best, width);
    }
  }
}

/** Two float64 into `result`: Σ x², and the number of elements that are NaN or infinite. */
export function squaredNorm(x: usize, length: i32, result: usize): void {
  let total = f64x2.splat(0);
  let high = total;
  let nonFinite = i32x4.splat(0);
  const infinity = f32x4.splat(Infinity);
  for (let i = 0; i < length; i += 4) {
    const values = loadFirst(x + ((<usize>i) << 2), min(4, length - i));
    const low = f64x2.promote_low_f32x4(values);
    const upper = f64x2.promote_low_f32x4(v128.shuffle<f32>(values, values, 2, 3, 2, 3));
    total = f64x2.add(total, f64x2.mul(low, low));
    high = f64x2.add(high, f64x2.mul(upper, upper));
    // A comparison that holds is −1 in every lane.
    nonFinite = i32x4.add(nonFinite, f32x4.lt(f32x4.abs(values), infinity));
  }
  total = f64x2.add(total, high);
  store<f64>(result, f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1));
  const nFinite = -(
    i32x4.extract_lane(nonFinite, 0) +
    i32x4.extract_lane(nonFinite, 1) +
    i32x4.extract_lane(nonFinite, 2) +
    i32x4.extract_lane(nonFinite, 3)
  );
  store<f64>(result, <f64>(((length + 3) & ~3) - nFinite), 8);
}
