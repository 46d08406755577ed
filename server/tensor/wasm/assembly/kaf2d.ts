// Two-dimensional KAF on x [rows, 2·C], whose channels c and C + c are a pair, to y [rows, C]. The kernels are products of one of each
// axis, so a value costs 2·D exponentials and D² multiply-adds. `table` holds α: [⌈C/4⌉][D][D] of four channels' floats. Any size.
import { exponentialWithin } from './parts/exponential';
import { addToDoubles, loadFirst, multiplyAdd, opaqueZero, storeFirst } from './parts/lanes';

const VECTOR: usize = 16;
/** After which float32 sums go on in float64. */
const ROWS: i32 = 256;

/** κ(x, dᵢ) of four channels to `kernels`, [D], and with `slopes` ≠ 0 κ′ to there. An infinite x is taken for one where κ is 1e-38. */
// @ts-ignore: decorator
@inline
function fillKernels(x: v128, size: i32, boundary: f32, step: f32, gamma: f32, kernels: usize, slopes: usize, origin: usize): void {
  const limit = f32x4.splat(boundary + sqrt<f32>(87 / gamma));
  const inside = f32x4.pmax(f32x4.pmin(x, limit), f32x4.neg(limit));
  for (let i = 0; i < size; i++) {
    const offset = f32x4.sub(inside, f32x4.splat(<f32>i * step - boundary));
    const scaled = f32x4.mul(f32x4.splat(-gamma), offset);
    const kernel = exponentialWithin(f32x4.pmax(f32x4.mul(scaled, offset), f32x4.splat(-87)), origin);
    const at = <usize>i * VECTOR;
    v128.store(kernels + at, kernel);
    if (slopes) v128.store(slopes + at, f32x4.mul(f32x4.add(scaled, scaled), kernel));
  }
}

/** y for rows first…last; `scratch` is room for 2·D vectors. */
export function kaf2dForward(
  x: usize, y: usize, channels: i32, table: usize, size: i32, boundary: f32, step: f32, gamma: f32, scratch: usize,
  first: i32, last: i32,
): void {
  const origin = opaqueZero();
  const rowBytes = <usize>channels << 2;
  const axisBytes = <usize>size * VECTOR;
  for (let channel = 0; channel < channels; channel += 4) {
    const width = min(4, channels - channel);
    const alphas = table + <usize>(channel >> 2) * <usize>size * axisBytes;
    for (let row = first; row < last; row++) {
      const at = <usize>row * rowBytes + (<usize>channel << 2);
      const from = x + <usize>row * rowBytes + at;
      fillKernels(loadFirst(from, width), size, boundary, step, gamma, scratch, 0, origin);
      fillKernels(loadFirst(from + rowBytes, width), size, boundary, step, gamma, scratch + axisBytes, 0, origin);
      let sum = f32x4.splat(0);
      let alpha = alphas;
      for (let i: usize = 0; i < axisBytes; i += VECTOR) {
        let inner = f32x4.splat(0);
        for (let j: usize = 0; j < axisBytes; j += VECTOR) {
          inner = multiplyAdd(v128.load(alpha), v128.load(scratch + axisBytes + j), inner);
          alpha += VECTOR;
        }
        sum = multiplyAdd(v128.load(scratch + i), inner, sum);
      }
      storeFirst(y + at, sum, width);
    }
  }
}

/**
 * dx for rows first…last, and with `sums` ≠ 0 Σ dy·κᵢκⱼ of them to there, float64, placed as in `table`. `scratch` is room for 4·D + D²
 * vectors. Order of summation: rows ascending in float32 within 256, then these in float64.
 */
export function kaf2dBackward(
  dy: usize, x: usize, dx: usize, channels: i32, table: usize, size: i32, boundary: f32, step: f32, gamma: f32, sums: usize,
  scratch: usize, first: i32, last: i32,
): void {
  const origin = opaqueZero();
  const rowBytes = <usize>channels << 2;
  const axisBytes = <usize>size * VECTOR;
  const groupBytes = <usize>size * axisBytes;
  const second = scratch + axisBytes;
  const slopes = second + axisBytes;
  const secondSlopes = slopes + axisBytes;
  const partial = secondSlopes + axisBytes;
  if (sums) memory.fill(sums, 0, (<usize>((channels + 3) >> 2) * groupBytes) << 1);
  for (let channel = 0; channel < channels; channel += 4) {
    const width = min(4, channels - channel);
    const group = <usize>(channel >> 2) * groupBytes;
    for (let start = first; start < last; start += ROWS) {
      const end = min(last, start + ROWS);
      if (sums) memory.fill(partial, 0, groupBytes);
      for (let row = start; row < end; row++) {
        const at = <usize>row * rowBytes + (<usize>channel << 2);
        const pair = <usize>row * rowBytes + at;
        fillKernels(loadFirst(x + pair, width), size, boundary, step, gamma, scratch, slopes, origin);
        fillKernels(loadFirst(x + pair + rowBytes, width), size, boundary, step, gamma, second, secondSlopes, origin);
        const upstream = loadFirst(dy + at, width);
        let ofFirst = f32x4.splat(0);
        let ofSecond = f32x4.splat(0);
        let alpha = table + group;
        let sum = partial;
        for (let i: usize = 0; i < axisBytes; i += VECTOR) {
          const kernel = v128.load(scratch + i);
          const weight = f32x4.mul(upstream, kernel);
          let inner = f32x4.splat(0);
          let innerSlope = f32x4.splat(0);
          for (let j: usize = 0; j < axisBytes; j += VECTOR) {
            const coefficient = v128.load(alpha);
            const other = v128.load(second + j);
            inner = multiplyAdd(coefficient, other, inner);
            innerSlope = multiplyAdd(coefficient, v128.load(secondSlopes + j), innerSlope);
            if (sums) v128.store(sum, multiplyAdd(weight, other, v128.load(sum)));
            alpha += VECTOR;
            sum += VECTOR;
          }
          ofFirst = multiplyAdd(v128.load(slopes + i), inner, ofFirst);
          ofSecond = multiplyAdd(kernel, innerSlope, ofSecond);
        }
        storeFirst(dx + pair, f32x4.mul(upstream, ofFirst), width);
        storeFirst(dx + pair + rowBytes, f32x4.mul(upstream, ofSecond), width);
      }
      if (sums) addToDoubles(sums + (group << 1), partial, <i32>(groupBytes >> 2));
    }
  }
}
