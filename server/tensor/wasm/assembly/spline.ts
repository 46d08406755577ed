// Spline activation functions on x [rows, C], four channels in the lanes: each channel's spans as cubic polynomials in u in [0, 1]
// (ops/spline.ts has the equations). Table: [C rounded up to 4][spans] of 4 coefficients, lowest power first. A position is
// x·perUnit + middle, in float32, so u is within spans·6e-8. NaN is in the first span, and gives NaN.
import { loadFirst, multiplyAdd, storeFirst, zeros } from './parts/lanes';

/** Bytes of a span's four coefficients, and of its four sums in float64. */
const SPAN: usize = 16;
const SPAN_SUMS: usize = 32;

/** ⌊position⌋ in the first … last span. */
// @ts-ignore: decorator
@inline
function spanOf(position: v128, nSpans: i32): v128 {
  return f32x4.min(f32x4.max(f32x4.floor(position), zeros()), f32x4.splat(<f32>(nSpans - 1)));
}

// @ts-ignore: decorator
@inline
function fractionOf(position: v128, span: v128): v128 {
  return f32x4.min(f32x4.max(f32x4.sub(position, span), zeros()), f32x4.splat(1));
}

/** The number of each lane's span in the table of all channels, for the channels from `channel` on. */
// @ts-ignore: decorator
@inline
function entriesOf(span: v128, channel: i32, nSpans: i32): v128 {
  const starts = i32x4.mul(i32x4.add(i32x4.splat(channel), i32x4(0, 1, 2, 3)), i32x4.splat(nSpans));
  return i32x4.add(starts, i32x4.trunc_sat_f32x4_s(span));
}

// @ts-ignore: decorator
@inline
function placeOf(base: usize, entry: i32, bytes: usize): usize {
  return base + <usize>(<u32>entry) * bytes;
}

// @ts-ignore: decorator
@inline
function addMoments(at: usize, moments: v128): void {
  const high = v128.shuffle<f32>(moments, moments, 2, 3, 2, 3);
  v128.store(at, f64x2.add(v128.load(at), f64x2.promote_low_f32x4(moments)));
  v128.store(at, f64x2.add(v128.load(at, 16), f64x2.promote_low_f32x4(high)), 16);
}

/** Rows first…last of y. */
export function splineForward(
  x: usize, y: usize, channels: i32, table: usize, nSpans: i32, perUnit: f32, middle: f32, first: i32, last: i32,
): void {
  let at = (<usize>first * <usize>channels) << 2;
  for (let row = first; row < last; row++) {
    for (let channel = 0; channel < channels; channel += 4) {
      const width = min(4, channels - channel);
      const position = multiplyAdd(loadFirst(x + at, width), f32x4.splat(perUnit), f32x4.splat(middle));
      const span = spanOf(position, nSpans);
      const u = fractionOf(position, span);
      const entries = entriesOf(span, channel, nSpans);
      const a = v128.load(placeOf(table, i32x4.extract_lane(entries, 0), SPAN));
      const b = v128.load(placeOf(table, i32x4.extract_lane(entries, 1), SPAN));
      const c = v128.load(placeOf(table, i32x4.extract_lane(entries, 2), SPAN));
      const d = v128.load(placeOf(table, i32x4.extract_lane(entries, 3), SPAN));
      const lowAb = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
      const lowCd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
      const highAb = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const highCd = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
      let value = v128.shuffle<f32>(highAb, highCd, 2, 3, 6, 7);
      value = multiplyAdd(value, u, v128.shuffle<f32>(highAb, highCd, 0, 1, 4, 5));
      value = multiplyAdd(value, u, v128.shuffle<f32>(lowAb, lowCd, 2, 3, 6, 7));
      value = multiplyAdd(value, u, v128.shuffle<f32>(lowAb, lowCd, 0, 1, 4, 5));
      storeFirst(y + at, value, width);
      at += <usize>width << 2;
    }
  }
}

/**
 * Rows first…last of dx = dy·∂f/∂x; and unless `sums` is 0, Σ dy·[1, u, u², u³] of these rows for each channel and span into it,
 * in float64 from the start: [C rounded up to 4][spans] of 4. Order of summation: rows ascending.
 */
export function splineBackward(
  dy: usize, x: usize, dx: usize, channels: i32, table: usize, nSpans: i32, perUnit: f32, middle: f32, sums: usize,
  first: i32, last: i32,
): void {
  if (sums) memory.fill(sums, 0, <usize>((channels + 3) & ~3) * <usize>nSpans * SPAN_SUMS);
  let at = (<usize>first * <usize>channels) << 2;
  for (let row = first; row < last; row++) {
    for (let channel = 0; channel < channels; channel += 4) {
      const width = min(4, channels - channel);
      const upstream = loadFirst(dy + at, width);
      const position = multiplyAdd(loadFirst(x + at, width), f32x4.splat(perUnit), f32x4.splat(middle));
      const span = spanOf(position, nSpans);
      const u = fractionOf(position, span);
      const entries = entriesOf(span, channel, nSpans);
      const first0 = i32x4.extract_lane(entries, 0);
      const first1 = i32x4.extract_lane(entries, 1);
      const first2 = i32x4.extract_lane(entries, 2);
      const first3 = i32x4.extract_lane(entries, 3);
      const a = v128.load(placeOf(table, first0, SPAN));
      const b = v128.load(placeOf(table, first1, SPAN));
      const c = v128.load(placeOf(table, first2, SPAN));
      const d = v128.load(placeOf(table, first3, SPAN));
      const highAb = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const highCd = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
      const linear = v128.shuffle<f32>(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 0, 4, 1, 5), 2, 3, 6, 7);
      const square = v128.shuffle<f32>(highAb, highCd, 0, 1, 4, 5);
      const cubic = v128.shuffle<f32>(highAb, highCd, 2, 3, 6, 7);
      let slope = multiplyAdd(f32x4.mul(cubic, f32x4.splat(3)), u, f32x4.add(square, square));
      slope = f32x4.mul(multiplyAdd(slope, u, linear), f32x4.splat(perUnit));
      const isBeyond = v128.or(f32x4.lt(position, zeros()), f32x4.gt(position, f32x4.splat(<f32>nSpans)));
      storeFirst(dx + at, f32x4.mul(upstream, v128.andnot(slope, isBeyond)), width);
      at += <usize>width << 2;
      if (!sums) continue;
      const once = f32x4.mul(upstream, u);
      const twice = f32x4.mul(once, u);
      const thrice = f32x4.mul(twice, u);
      const low01 = v128.shuffle<f32>(upstream, once, 0, 4, 1, 5);
      const low23 = v128.shuffle<f32>(twice, thrice, 0, 4, 1, 5);
      const high01 = v128.shuffle<f32>(upstream, once, 2, 6, 3, 7);
      const high23 = v128.shuffle<f32>(twice, thrice, 2, 6, 3, 7);
      addMoments(placeOf(sums, first0, SPAN_SUMS), v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
      addMoments(placeOf(sums, first1, SPAN_SUMS), v128.shuffle<f32>(low01, low23, 2, 3, 6, 7));
      addMoments(placeOf(sums, first2, SPAN_SUMS), v128.shuffle<f32>(high01, high23, 0, 1, 4, 5));
      addMoments(placeOf(sums, first3, SPAN_SUMS), v128.shuffle<f32>(high01, high23, 2, 3, 6, 7));
    }
  }
}
