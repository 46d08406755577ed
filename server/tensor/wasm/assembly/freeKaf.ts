// KAF with a dictionary and a bandwidth of each channel's own, on x [rows, C]: four channels in the lanes, four rows at a time,
// D exponentials an element, to the base 2. Table: [⌈C/4⌉] groups of −γ·log₂e (4 lanes) and D entries of 4 lanes each of α and
// d. A kernel under 2⁻¹²⁶ counts as 0. Order of summation: the dictionary ascending. Errors against float64: under 1e-5·Σ|α| (see the tests).
import { powerOfTwoWithin, swish, swishSlope } from './parts/exponential';
import { addToDoubles, loadFirst, multiplyAdd, opaqueZero, storeFirst } from './parts/lanes';

/** Bytes of an entry, of its sums in float32, and of a vector. */
const ENTRY: usize = 32;
const VECTOR: usize = 16;

/** x within ±1e18: the square of an offset stays finite, and the kernel there is 0. NaN stays. */
// @ts-ignore: decorator
@inline
function finite(x: v128): v128 {
  return f32x4.max(f32x4.min(x, f32x4.splat(1e18)), f32x4.splat(-1e18));
}

/** exp(−γ·offset²); `rate` is −γ·log₂e. */
// @ts-ignore: decorator
@inline
function kernelOf(offset: v128, rate: v128): v128 {
  const exponent = f32x4.mul(f32x4.mul(offset, offset), rate);
  // Written so that a NaN, for which no comparison holds, stays.
  return v128.andnot(powerOfTwoWithin(exponent, opaqueZero()), f32x4.lt(exponent, f32x4.splat(-126)));
}

/** y = base(x) + Σα κ for rows first…last; `base` 1 for Swish. */
export function freeKafForward(
  x: usize, y: usize, channels: i32, table: usize, size: i32, base: i32, first: i32, last: i32, rowsPerBlock: i32,
): void {
  const rowBytes = <usize>channels << 2;
  const groupBytes = VECTOR + <usize>size * ENTRY;
  for (let start = first; start < last; start += rowsPerBlock) {
    const end = min(last, start + rowsPerBlock);
    for (let channel = 0; channel < channels; channel += 4) {
      const width = min(4, channels - channel);
      const group = table + <usize>(channel >> 2) * groupBytes;
      const rate = v128.load(group);
      const entries = group + VECTOR;
      const entriesEnd = entries + <usize>size * ENTRY;
      for (let row = start; row < end; row += 4) {
        const at = <usize>row * rowBytes + (<usize>channel << 2);
        const rows = min(4, end - row);
        // Missing rows repeat the first and are not stored.
        const second = rows > 1 ? rowBytes : 0;
        const third = rows > 2 ? 2 * rowBytes : 0;
        const fourth = rows > 3 ? 3 * rowBytes : 0;
        let x0 = loadFirst(x + at, width);
        let x1 = loadFirst(x + at + second, width);
        let x2 = loadFirst(x + at + third, width);
        let x3 = loadFirst(x + at + fourth, width);
        let y0 = f32x4.splat(0);
        let y1 = y0;
        let y2 = y0;
        let y3 = y0;
        if (base) {
          y0 = swish(x0, opaqueZero());
          y1 = swish(x1, opaqueZero());
          y2 = swish(x2, opaqueZero());
          y3 = swish(x3, opaqueZero());
        }
        x0 = finite(x0);
        x1 = finite(x1);
        x2 = finite(x2);
        x3 = finite(x3);
        for (let entry = entries; entry < entriesEnd; entry += ENTRY) {
          const alpha = v128.load(entry);
          const centre = v128.load(entry, 16);
          y0 = multiplyAdd(alpha, kernelOf(f32x4.sub(x0, centre), rate), y0);
          y1 = multiplyAdd(alpha, kernelOf(f32x4.sub(x1, centre), rate), y1);
          y2 = multiplyAdd(alpha, kernelOf(f32x4.sub(x2, centre), rate), y2);
          y3 = multiplyAdd(alpha, kernelOf(f32x4.sub(x3, centre), rate), y3);
        }
        storeFirst(y + at, y0, width);
        if (rows > 1) storeFirst(y + at + second, y1, width);
        if (rows > 2) storeFirst(y + at + third, y2, width);
        if (rows > 3) storeFirst(y + at + fourth, y3, width);
      }
    }
  }
}

/**
 * dx = dy·(base′(x) − 2γ Σα(x − d)κ) for rows first…last, and with `sums` ≠ 0 the sums over these rows into it: float64
 * [⌈C/4⌉] groups of 4 of Σ dy·Σα(x − d)²κ and [D] of 8, Σ dy·κ and Σ dy·(x − d)κ. `partial` is room for 16 + 32·D bytes.
 * Order of summation: rows ascending in float32 within `rowsPerBlock`, then blocks of rows in float64.
 */
export function freeKafBackward(
  dy: usize, x: usize, dx: usize, channels: i32, table: usize, size: i32, base: i32, sums: usize, partial: usize,
  first: i32, last: i32, rowsPerBlock: i32,
): void {
  const rowBytes = <usize>channels << 2;
  const groupBytes = VECTOR + <usize>size * ENTRY;
  const zero = f32x4.splat(0);
  if (sums) memory.fill(sums, 0, (<usize>((channels + 3) >> 2) * groupBytes) << 1);
  for (let start = first; start < last; start += rowsPerBlock) {
    const end = min(last, start + rowsPerBlock);
    for (let channel = 0; channel < channels; channel += 4) {
      const width = min(4, channels - channel);
      const groupAt = <usize>(channel >> 2) * groupBytes;
      const rate = v128.load(table + groupAt);
      // −2γ.
      const slopeFactor = f32x4.mul(rate, f32x4.splat(1.3862943611198906));
      const entries = table + groupAt + VECTOR;
      const entriesEnd = entries + <usize>size * ENTRY;
      if (sums) memory.fill(partial, 0, groupBytes);
      for (let row = start; row < end; row += 4) {
        const at = <usize>row * rowBytes + (<usize>channel << 2);
        const rows = min(4, end - row);
        // Missing rows repeat the first with a gradient of 0 and are not stored.
        const second = rows > 1 ? rowBytes : 0;
        const third = rows > 2 ? 2 * rowBytes : 0;
        const fourth = rows > 3 ? 3 * rowBytes : 0;
        let x0 = loadFirst(x + at, width);
        let x1 = loadFirst(x + at + second, width);
        let x2 = loadFirst(x + at + third, width);
        let x3 = loadFirst(x + at + fourth, width);
        const dy0 = loadFirst(dy + at, width);
        const dy1 = rows > 1 ? loadFirst(dy + at + second, width) : zero;
        const dy2 = rows > 2 ? loadFirst(dy + at + third, width) : zero;
        const dy3 = rows > 3 ? loadFirst(dy + at + fourth, width) : zero;
        let base0 = zero;
        let base1 = zero;
        let base2 = zero;
        let base3 = zero;
        if (base) {
          base0 = swishSlope(x0, opaqueZero());
          base1 = swishSlope(x1, opaqueZero());
          base2 = swishSlope(x2, opaqueZero());
          base3 = swishSlope(x3, opaqueZero());
        }
        x0 = finite(x0);
        x1 = finite(x1);
        x2 = finite(x2);
        x3 = finite(x3);
        // Σα(x − d)κ and Σα(x − d)²κ.
        let first0 = zero;
        let first1 = zero;
        let first2 = zero;
        let first3 = zero;
        let second0 = zero;
        let second1 = zero;
        let second2 = zero;
        let second3 = zero;
        let sum = partial + VECTOR;
        for (let entry = entries; entry < entriesEnd; entry += ENTRY) {
          const alpha = v128.load(entry);
          const centre = v128.load(entry, 16);
          const offset0 = f32x4.sub(x0, centre);
          const offset1 = f32x4.sub(x1, centre);
          const offset2 = f32x4.sub(x2, centre);
          const offset3 = f32x4.sub(x3, centre);
          const kernel0 = kernelOf(offset0, rate);
          const kernel1 = kernelOf(offset1, rate);
          const kernel2 = kernelOf(offset2, rate);
          const kernel3 = kernelOf(offset3, rate);
          const moment0 = f32x4.mul(offset0, kernel0);
          const moment1 = f32x4.mul(offset1, kernel1);
          const moment2 = f32x4.mul(offset2, kernel2);
          const moment3 = f32x4.mul(offset3, kernel3);
          first0 = multiplyAdd(alpha, moment0, first0);
          first1 = multiplyAdd(alpha, moment1, first1);
          first2 = multiplyAdd(alpha, moment2, first2);
          first3 = multiplyAdd(alpha, moment3, first3);
          if (sums) {
            second0 = multiplyAdd(f32x4.mul(alpha, offset0), moment0, second0);
            second1 = multiplyAdd(f32x4.mul(alpha, offset1), moment1, second1);
            second2 = multiplyAdd(f32x4.mul(alpha, offset2), moment2, second2);
            second3 = multiplyAdd(f32x4.mul(alpha, offset3), moment3, second3);
            let total = v128.load(sum);
            total = multiplyAdd(dy0, kernel0, total);
            total = multiplyAdd(dy1, kernel1, total);
            total = multiplyAdd(dy2, kernel2, total);
            total = multiplyAdd(dy3, kernel3, total);
            v128.store(sum, total);
            total = v128.load(sum, 16);
            total = multiplyAdd(dy0, moment0, total);
            total = multiplyAdd(dy1, moment1, total);
            total = multiplyAdd(dy2, moment2, total);
            total = multiplyAdd(dy3, moment3, total);
            v128.store(sum, total, 16);
            sum += ENTRY;
          }
        }
        if (sums) {
          let total = v128.load(partial);
          total = multiplyAdd(dy0, second0, total);
          total = multiplyAdd(dy1, second1, total);
          total = multiplyAdd(dy2, second2, total);
          total = multiplyAdd(dy3, second3, total);
          v128.store(partial, total);
        }
        storeFirst(dx + at, f32x4.mul(dy0, multiplyAdd(slopeFactor, first0, base0)), width);
        if (rows > 1) storeFirst(dx + at + second, f32x4.mul(dy1, multiplyAdd(slopeFactor, first1, base1)), width);
        if (rows > 2) storeFirst(dx + at + third, f32x4.mul(dy2, multiplyAdd(slopeFactor, first2, base2)), width);
        if (rows > 3) storeFirst(dx + at + fourth, f32x4.mul(dy3, multiplyAdd(slopeFactor, first3, base3)), width);
      }
      if (sums) addToDoubles(sums + (groupAt << 1), partial, <i32>(groupBytes >> 2));
    }
  }
}
