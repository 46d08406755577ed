// KAF forward and backward on x [rows, C]: four channels in the lanes, four rows at a time.
// With u = (x − d_c)/Δ from the centre c of a block of neighbouring dictionary elements and q = γΔ²,
//   κ_{c+k} = exp(−q(u − k)²) = A·B^k·exp(−qk²),  A = exp(−qu²),  B = exp(2qu),
// so a block costs A, B and 1/B, and one multiply-add an element and sum. exp(−qk²) is folded into the tables.
// A block holds as many elements as float32 can span (the caller cuts the dictionary); |u| > limit, where every kernel of the
// block is under 2.1e-9, counts as 0. Tables: [⌈C/4⌉][nBlocks][n] of 16 floats: 4 lanes each of α′ at k, k·α′ at k,
// α′ at −k−1, (−k−1)·α′ at −k−1, where α′ = α·exp(−qk²), missing elements 0.
// Blocks' header: 2 floats each, centre d_c and limit. Errors against float64: under 1e-5·Σ|α| (see the tests).
import { exponentialWithin, swish, swishSlope } from './parts/exponential';
import { addToDoubles, loadFirst, multiplyAdd, storeFirst } from './parts/lanes';

/** Bytes of a table entry for one k: four vectors. */
const ENTRY: usize = 64;

// @ts-ignore: decorator
@inline
function position(x: v128, centre: v128, inverseStep: f32): v128 {
  return f32x4.mul(f32x4.sub(x, centre), f32x4.splat(inverseStep));
}

// @ts-ignore: decorator
@inline
function within(u: v128, limit: v128): v128 {
  return f32x4.max(f32x4.min(u, limit), f32x4.neg(limit));
}

/**
 * y = base(x) + Σα κ for rows first…last. `n` (even) entries a block; `inverseStep` 1/Δ; `q` γΔ²; `ratio` 2q, or 0
 * for blocks of one element, which need no B (it might overflow); `base` 1 for Swish.
 * Order of summation: by block, from its ends to its centre.
 */
export function kafForward(
  x: usize, y: usize, channels: i32, table: usize, header: usize, nBlocks: i32, n: i32, inverseStep: f32, q: f32, ratio: f32, base: i32,
  first: i32, last: i32, rowsPerBlock: i32,
): void {
  const rowBytes = <usize>channels << 2;
  const tableBytes = <usize>(nBlocks * n) * ENTRY;
  for (let start = first; start < last; start += rowsPerBlock) {
    const end = min(last, start + rowsPerBlock);
    for (let channel = 0; channel < channels; channel += 4) {
      const width = min(4, channels - channel);
      const entries = table + <usize>(channel >> 2) * tableBytes;
      for (let row = start; row < end; row += 4) {
        const at = <usize>row * rowBytes + (<usize>channel << 2);
        const rows = min(4, end - row);
        // Missing rows repeat the first and are not stored.
        const second = rows > 1 ? rowBytes : 0;
        const third = rows > 2 ? 2 * rowBytes : 0;
        const fourth = rows > 3 ? 3 * rowBytes : 0;
        const x0 = loadFirst(x + at, width);
        const x1 = loadFirst(x + at + second, width);
        const x2 = loadFirst(x + at + third, width);
        const x3 = loadFirst(x + at + fourth, width);
        let y0 = f32x4.splat(0);
        let y1 = y0;
        let y2 = y0;
        let y3 = y0;
        if (base) {
          y0 = swish(x0);
          y1 = swish(x1);
          y2 = swish(x2);
          y3 = swish(x3);
        }
        for (let block = 0; block < nBlocks; block++) {
          const centre = v128.load32_splat(header + (<usize>block << 3));
          const limit = v128.load32_splat(header + (<usize>block << 3), 4);
          const u0 = position(x0, centre, inverseStep);
          const u1 = position(x1, centre, inverseStep);
          const u2 = position(x2, centre, inverseStep);
          const u3 = position(x3, centre, inverseStep);
          const within0 = within(u0, limit);
          const within1 = within(u1, limit);
          const within2 = within(u2, limit);
          const within3 = within(u3, limit);
          const up0 = exponentialWithin(f32x4.mul(within0, f32x4.splat(ratio)));
          const up1 = exponentialWithin(f32x4.mul(within1, f32x4.splat(ratio)));
          const up2 = exponentialWithin(f32x4.mul(within2, f32x4.splat(ratio)));
          const up3 = exponentialWithin(f32x4.mul(within3, f32x4.splat(ratio)));
          const start = entries + <usize>((block + 1) * n - 2) * ENTRY;
          let right0 = f32x4.splat(0);
          let right1 = f32x4.splat(0);
          let right2 = f32x4.splat(0);
          let right3 = f32x4.splat(0);
          let entry = start;
          for (let k = n; k > 0; k -= 2) {
            let alpha = v128.load(entry, 64);
            right0 = multiplyAdd(right0, up0, alpha);
            right1 = multiplyAdd(right1, up1, alpha);
            right2 = multiplyAdd(right2, up2, alpha);
            right3 = multiplyAdd(right3, up3, alpha);
            alpha = v128.load(entry);
            right0 = multiplyAdd(right0, up0, alpha);
            right1 = multiplyAdd(right1, up1, alpha);
            right2 = multiplyAdd(right2, up2, alpha);
            right3 = multiplyAdd(right3, up3, alpha);
            entry -= 2 * ENTRY;
          }
          const down0 = f32x4.div(f32x4.splat(1), up0);
          const down1 = f32x4.div(f32x4.splat(1), up1);
          const down2 = f32x4.div(f32x4.splat(1), up2);
          const down3 = f32x4.div(f32x4.splat(1), up3);
          let left0 = f32x4.splat(0);
          let left1 = f32x4.splat(0);
          let left2 = f32x4.splat(0);
          let left3 = f32x4.splat(0);
          entry = start;
          for (let k = n; k > 0; k -= 2) {
            let alpha = v128.load(entry, 96);
            left0 = multiplyAdd(left0, down0, alpha);
            left1 = multiplyAdd(left1, down1, alpha);
            left2 = multiplyAdd(left2, down2, alpha);
            left3 = multiplyAdd(left3, down3, alpha);
            alpha = v128.load(entry, 32);
            left0 = multiplyAdd(left0, down0, alpha);
            left1 = multiplyAdd(left1, down1, alpha);
            left2 = multiplyAdd(left2, down2, alpha);
            left3 = multiplyAdd(left3, down3, alpha);
            entry -= 2 * ENTRY;
          }
          const a0 = exponentialWithin(f32x4.mul(f32x4.mul(within0, within0), f32x4.splat(-q)));
          const a1 = exponentialWithin(f32x4.mul(f32x4.mul(within1, within1), f32x4.splat(-q)));
          const a2 = exponentialWithin(f32x4.mul(f32x4.mul(within2, within2), f32x4.splat(-q)));
          const a3 = exponentialWithin(f32x4.mul(f32x4.mul(within3, within3), f32x4.splat(-q)));
          const sum0 = f32x4.mul(a0, multiplyAdd(left0, down0, right0));
          const sum1 = f32x4.mul(a1, multiplyAdd(left1, down1, right1));
          const sum2 = f32x4.mul(a2, multiplyAdd(left2, down2, right2));
          const sum3 = f32x4.mul(a3, multiplyAdd(left3, down3, right3));
          y0 = f32x4.add(y0, v128.andnot(sum0, f32x4.gt(f32x4.abs(u0), limit)));
          y1 = f32x4.add(y1, v128.andnot(sum1, f32x4.gt(f32x4.abs(u1), limit)));
          y2 = f32x4.add(y2, v128.andnot(sum2, f32x4.gt(f32x4.abs(u2), limit)));
          y3 = f32x4.add(y3, v128.andnot(sum3, f32x4.gt(f32x4.abs(u3), limit)));
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
 * dx = dy·(base′(x) − 2γ Σα(x − d)κ) for rows first…last; with `sums` ≠ 0 also Σ dy·κ, added to `sums`: float64
 * [⌈C/4⌉][nBlocks][n] of 8 (lanes of k, lanes of −k−1), zeroed by the caller and without the factor exp(−qk²). `partial` is
 * room for nBlocks·n·32 bytes. `slope` is 2γΔ. Order of summation: rows ascending in float32 within `rowsPerBlock`, then
 * blocks of rows in float64.
 */
export function kafBackward(
  dy: usize, x: usize, dx: usize, channels: i32, table: usize, header: usize, nBlocks: i32, n: i32,
  inverseStep: f32, q: f32, ratio: f32, slope: f32, base: i32, sums: usize, partial: usize, first: i32, last: i32, rowsPerBlock: i32,
): void {
  const rowBytes = <usize>channels << 2;
  const tableBytes = <usize>(nBlocks * n) * ENTRY;
  const partialBytes = <usize>(nBlocks * n) << 5;
  const zero = f32x4.splat(0);
  for (let start = first; start < last; start += rowsPerBlock) {
    const end = min(last, start + rowsPerBlock);
    for (let channel = 0; channel < channels; channel += 4) {
      const width = min(4, channels - channel);
      const entries = table + <usize>(channel >> 2) * tableBytes;
      if (sums) memory.fill(partial, 0, partialBytes);
      for (let row = start; row < end; row += 4) {
        const at = <usize>row * rowBytes + (<usize>channel << 2);
        const rows = min(4, end - row);
        // Missing rows repeat the first with a gradient of 0 and are not stored.
        const second = rows > 1 ? rowBytes : 0;
        const third = rows > 2 ? 2 * rowBytes : 0;
        const fourth = rows > 3 ? 3 * rowBytes : 0;
        const x0 = loadFirst(x + at, width);
        const x1 = loadFirst(x + at + second, width);
        const x2 = loadFirst(x + at + third, width);
        const x3 = loadFirst(x + at + fourth, width);
        const dy0 = loadFirst(dy + at, width);
        const dy1 = rows > 1 ? loadFirst(dy + at + second, width) : zero;
        const dy2 = rows > 2 ? loadFirst(dy + at + third, width) : zero;
        const dy3 = rows > 3 ? loadFirst(dy + at + fourth, width) : zero;
        let slope0 = zero;
        let slope1 = zero;
        let slope2 = zero;
        let slope3 = zero;
        if (base) {
          slope0 = swishSlope(x0);
          slope1 = swishSlope(x1);
          slope2 = swishSlope(x2);
          slope3 = swishSlope(x3);
        }
        for (let block = 0; block < nBlocks; block++) {
          const centre = v128.load32_splat(header + (<usize>block << 3));
          const limit = v128.load32_splat(header + (<usize>block << 3), 4);
          let u0 = position(x0, centre, inverseStep);
          let u1 = position(x1, centre, inverseStep);
          let u2 = position(x2, centre, inverseStep);
          let u3 = position(x3, centre, inverseStep);
          const beyond0 = f32x4.gt(f32x4.abs(u0), limit);
          const beyond1 = f32x4.gt(f32x4.abs(u1), limit);
          const beyond2 = f32x4.gt(f32x4.abs(u2), limit);
          const beyond3 = f32x4.gt(f32x4.abs(u3), limit);
          u0 = within(u0, limit);
          u1 = within(u1, limit);
          u2 = within(u2, limit);
          u3 = within(u3, limit);
          const up0 = exponentialWithin(f32x4.mul(u0, f32x4.splat(ratio)));
          const up1 = exponentialWithin(f32x4.mul(u1, f32x4.splat(ratio)));
          const up2 = exponentialWithin(f32x4.mul(u2, f32x4.splat(ratio)));
          const up3 = exponentialWithin(f32x4.mul(u3, f32x4.splat(ratio)));
          const start = entries + <usize>((block + 1) * n - 2) * ENTRY;
          let value0 = zero;
          let value1 = zero;
          let value2 = zero;
          let value3 = zero;
          let moment0 = zero;
          let moment1 = zero;
          let moment2 = zero;
          let moment3 = zero;
          let entry = start;
          for (let k = n; k > 0; k -= 2) {
            let alpha = v128.load(entry, 64);
            value0 = multiplyAdd(value0, up0, alpha);
            value1 = multiplyAdd(value1, up1, alpha);
            value2 = multiplyAdd(value2, up2, alpha);
            value3 = multiplyAdd(value3, up3, alpha);
            let scaled = v128.load(entry, 80);
            moment0 = multiplyAdd(moment0, up0, scaled);
            moment1 = multiplyAdd(moment1, up1, scaled);
            moment2 = multiplyAdd(moment2, up2, scaled);
            moment3 = multiplyAdd(moment3, up3, scaled);
            alpha = v128.load(entry);
            value0 = multiplyAdd(value0, up0, alpha);
            value1 = multiplyAdd(value1, up1, alpha);
            value2 = multiplyAdd(value2, up2, alpha);
            value3 = multiplyAdd(value3, up3, alpha);
            scaled = v128.load(entry, 16);
            moment0 = multiplyAdd(moment0, up0, scaled);
            moment1 = multiplyAdd(moment1, up1, scaled);
            moment2 = multiplyAdd(moment2, up2, scaled);
            moment3 = multiplyAdd(moment3, up3, scaled);
            entry -= 2 * ENTRY;
          }
          // Σα(u − k)κ without A: the same terms in both sums, so that only their rounding remains in the difference.
          const right0 = f32x4.sub(f32x4.mul(u0, value0), moment0);
          const right1 = f32x4.sub(f32x4.mul(u1, value1), moment1);
          const right2 = f32x4.sub(f32x4.mul(u2, value2), moment2);
          const right3 = f32x4.sub(f32x4.mul(u3, value3), moment3);
          const down0 = f32x4.div(f32x4.splat(1), up0);
          const down1 = f32x4.div(f32x4.splat(1), up1);
          const down2 = f32x4.div(f32x4.splat(1), up2);
          const down3 = f32x4.div(f32x4.splat(1), up3);
          value0 = value1 = value2 = value3 = zero;
          moment0 = moment1 = moment2 = moment3 = zero;
          entry = start;
          for (let k = n; k > 0; k -= 2) {
            let alpha = v128.load(entry, 96);
            value0 = multiplyAdd(value0, down0, alpha);
            value1 = multiplyAdd(value1, down1, alpha);
            value2 = multiplyAdd(value2, down2, alpha);
            value3 = multiplyAdd(value3, down3, alpha);
            let scaled = v128.load(entry, 112);
            moment0 = multiplyAdd(moment0, down0, scaled);
            moment1 = multiplyAdd(moment1, down1, scaled);
            moment2 = multiplyAdd(moment2, down2, scaled);
            moment3 = multiplyAdd(moment3, down3, scaled);
            alpha = v128.load(entry, 32);
            value0 = multiplyAdd(value0, down0, alpha);
            value1 = multiplyAdd(value1, down1, alpha);
            value2 = multiplyAdd(value2, down2, alpha);
            value3 = multiplyAdd(value3, down3, alpha);
            scaled = v128.load(entry, 48);
            moment0 = multiplyAdd(moment0, down0, scaled);
            moment1 = multiplyAdd(moment1, down1, scaled);
            moment2 = multiplyAdd(moment2, down2, scaled);
            moment3 = multiplyAdd(moment3, down3, scaled);
            entry -= 2 * ENTRY;
          }
          const left0 = f32x4.mul(down0, f32x4.sub(f32x4.mul(u0, value0), moment0));
          const left1 = f32x4.mul(down1, f32x4.sub(f32x4.mul(u1, value1), moment1));
          const left2 = f32x4.mul(down2, f32x4.sub(f32x4.mul(u2, value2), moment2));
          const left3 = f32x4.mul(down3, f32x4.sub(f32x4.mul(u3, value3), moment3));
          const a0 = v128.andnot(exponentialWithin(f32x4.mul(f32x4.mul(u0, u0), f32x4.splat(-q))), beyond0);
          const a1 = v128.andnot(exponentialWithin(f32x4.mul(f32x4.mul(u1, u1), f32x4.splat(-q))), beyond1);
          const a2 = v128.andnot(exponentialWithin(f32x4.mul(f32x4.mul(u2, u2), f32x4.splat(-q))), beyond2);
          const a3 = v128.andnot(exponentialWithin(f32x4.mul(f32x4.mul(u3, u3), f32x4.splat(-q))), beyond3);
          slope0 = multiplyAdd(f32x4.mul(a0, f32x4.splat(-slope)), f32x4.add(left0, right0), slope0);
          slope1 = multiplyAdd(f32x4.mul(a1, f32x4.splat(-slope)), f32x4.add(left1, right1), slope1);
          slope2 = multiplyAdd(f32x4.mul(a2, f32x4.splat(-slope)), f32x4.add(left2, right2), slope2);
          slope3 = multiplyAdd(f32x4.mul(a3, f32x4.splat(-slope)), f32x4.add(left3, right3), slope3);
          if (sums) {
            let power0 = a0;
            let power1 = a1;
            let power2 = a2;
            let power3 = a3;
            let sum = partial + (<usize>(block * n) << 5);
            for (let k = n; k > 0; k -= 2) {
              let total = v128.load(sum);
              total = multiplyAdd(power0, dy0, total);
              total = multiplyAdd(power1, dy1, total);
              total = multiplyAdd(power2, dy2, total);
              total = multiplyAdd(power3, dy3, total);
              v128.store(sum, total);
              power0 = f32x4.mul(power0, up0);
              power1 = f32x4.mul(power1, up1);
              power2 = f32x4.mul(power2, up2);
              power3 = f32x4.mul(power3, up3);
              total = v128.load(sum, 32);
              total = multiplyAdd(power0, dy0, total);
              total = multiplyAdd(power1, dy1, total);
              total = multiplyAdd(power2, dy2, total);
              total = multiplyAdd(power3, dy3, total);
              v128.store(sum, total, 32);
              power0 = f32x4.mul(power0, up0);
              power1 = f32x4.mul(power1, up1);
              power2 = f32x4.mul(power2, up2);
              power3 = f32x4.mul(power3, up3);
              sum += 64;
            }
            power0 = f32x4.mul(a0, down0);
            power1 = f32x4.mul(a1, down1);
            power2 = f32x4.mul(a2, down2);
            power3 = f32x4.mul(a3, down3);
            sum = partial + (<usize>(block * n) << 5);
            for (let k = n; k > 0; k -= 2) {
              let total = v128.load(sum, 16);
              total = multiplyAdd(power0, dy0, total);
              total = multiplyAdd(power1, dy1, total);
              total = multiplyAdd(power2, dy2, total);
              total = multiplyAdd(power3, dy3, total);
              v128.store(sum, total, 16);
              power0 = f32x4.mul(power0, down0);
              power1 = f32x4.mul(power1, down1);
              power2 = f32x4.mul(power2, down2);
              power3 = f32x4.mul(power3, down3);
              total = v128.load(sum, 48);
              total = multiplyAdd(power0, dy0, total);
              total = multiplyAdd(power1, dy1, total);
              total = multiplyAdd(power2, dy2, total);
              total = multiplyAdd(power3, dy3, total);
              v128.store(sum, total, 48);
              power0 = f32x4.mul(power0, down0);
              power1 = f32x4.mul(power1, down1);
              power2 = f32x4.mul(power2, down2);
              power3 = f32x4.mul(power3, down3);
              sum += 64;
            }
          }
        }
        storeFirst(dx + at, f32x4.mul(dy0, slope0), width);
        if (rows > 1) storeFirst(dx + at + second, f32x4.mul(dy1, slope1), width);
        if (rows > 2) storeFirst(dx + at + third, f32x4.mul(dy2, slope2), width);
        if (rows > 3) storeFirst(dx + at + fourth, f32x4.mul(dy3, slope3), width);
      }
      if (sums) addToDoubles(sums + <usize>(channel >> 2) * (partialBytes << 1), partial, nBlocks * n * 8);
    }
  }
}
