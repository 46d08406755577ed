// KAF forward and backward on x [rows, C]: eight channels in two vectors, two rows at a time, so that V8 may join the two into one
// of 256 bits. With u = (x − d_c)/Δ from the centre c of a block of neighbouring dictionary elements and q = γΔ²,
//   κ_{c+k} = exp(−q(u − k)²) = A·B^k·exp(−qk²),  A = exp(−qu²),  B = exp(2qu),
// so a block costs A, B and 1/B, and one multiply-add an element and sum. exp(−qk²) is folded into the tables.
// A block holds as many elements as float32 can span (the caller cuts the dictionary); |u| > limit, where every kernel of the
// block is under 2.1e-9, counts as 0. Tables: [⌈C/8⌉][nBlocks][n] of 32 floats: 8 lanes each of α′ at k, k·α′ at k,
// α′ at −k−1, (−k−1)·α′ at −k−1, where α′ = α·exp(−qk²), missing elements 0.
// Blocks' header: 2 floats each, centre d_c and limit. Errors against float64: under 1e-5·Σ|α| (see the tests).
import { exponentialWithin, swish, swishSlope } from './parts/exponential';
import { addToDoubles, multiplyAdd, opaqueZero } from './parts/lanes';

/** Bytes of a table entry for one k: eight vectors. */
const ENTRY: usize = 128;
/** Bytes of eight channels of a row. */
const GROUP: usize = 32;

// @ts-ignore: decorator
@inline
function position(x: v128, centre: v128, inverseStep: v128): v128 {
  return f32x4.mul(f32x4.sub(x, centre), inverseStep);
}

// @ts-ignore: decorator
@inline
function within(u: v128, limit: v128, negativeLimit: v128): v128 {
  return f32x4.max(f32x4.min(u, limit), negativeLimit);
}

/** Copies `width` (under 8) floats of each row; rows of `from` and `to` are their bytes apart. Lanes beyond the width are left. */
function copyRows(from: usize, fromBytes: usize, to: usize, toBytes: usize, rows: i32, width: i32): void {
  for (let row = 0; row < rows; row++) {
    for (let lane = 0; lane < width; lane++) store<f32>(to + (<usize>lane << 2), load<f32>(from + (<usize>lane << 2)));
    from += fromBytes;
    to += toBytes;
  }
}

/**
 * y = base(x) + Σα κ for rows first…last. `n` (even) entries a block; `inverseStep` 1/Δ; `q` γΔ²; `ratio` 2q, or 0
 * for blocks of one element, which need no B (it might overflow); `base` 1 for Swish. `pad` is room for 2·rowsPerBlock·32 bytes.
 * Order of summation: by block, from its ends to its centre.
 */
export function kafForward(
  x: usize, y: usize, channels: i32, table: usize, header: usize, nBlocks: i32, n: i32, inverseStep: f32, q: f32, ratio: f32, base: i32,
  pad: usize, first: i32, last: i32, rowsPerBlock: i32,
): void {
  const rowBytes = <usize>channels << 2;
  const tableBytes = <usize>(nBlocks * n) * ENTRY;
  for (let start = first; start < last; start += rowsPerBlock) {
    const rows = min(rowsPerBlock, last - start);
    for (let channel = 0; channel < channels; channel += 8) {
      const entries = table + <usize>(channel >> 3) * tableBytes;
      const at = <usize>start * rowBytes + (<usize>channel << 2);
      if (channels - channel >= 8) {
        forwardGroup(x + at, y + at, rowBytes, rows, entries, header, nBlocks, n, inverseStep, q, ratio, base);
        continue;
      }
      const padded = pad + <usize>rows * GROUP;
      copyRows(x + at, rowBytes, pad, GROUP, rows, channels - channel);
      forwardGroup(pad, padded, GROUP, rows, entries, header, nBlocks, n, inverseStep, q, ratio, base);
      copyRows(padded, GROUP, y + at, rowBytes, rows, channels - channel);
    }
  }
}

/** Eight channels of `rows` rows, `rowBytes` apart. */
function forwardGroup(
  x: usize, y: usize, rowBytes: usize, rows: i32, entries: usize, header: usize, nBlocks: i32, n: i32,
  inverseStep: f32, q: f32, ratio: f32, base: i32,
): void {
  const origin = opaqueZero();
  if (base) {
    for (let row = 0; row < rows; row++) {
      const from = x + <usize>row * rowBytes;
      const to = y + <usize>row * rowBytes;
      const low = swish(v128.load(from), origin);
      const high = swish(v128.load(from, 16), origin);
      v128.store(to, low);
      v128.store(to, high, 16);
    }
  }
  const baseMask = i32x4.splat(-base);
  const inverse = f32x4.splat(inverseStep);
  const ratios = f32x4.splat(ratio);
  const minusQ = f32x4.splat(-q);
  const one = f32x4.splat(1);
  for (let row = 0; row < rows; row += 2) {
    const top = <usize>row * rowBytes;
    // A missing second row repeats the first.
    const bottom = top + <usize>(row + 1 < rows) * rowBytes;
    const xTop = x + top;
    const xBottom = x + bottom;
    const yTop = y + top;
    const yBottom = y + bottom;
    const x0 = v128.load(xTop);
    const x1 = v128.load(xTop, 16);
    const x2 = v128.load(xBottom);
    const x3 = v128.load(xBottom, 16);
    let y0 = v128.and(v128.load(yTop), baseMask);
    let y1 = v128.and(v128.load(yTop, 16), baseMask);
    let y2 = v128.and(v128.load(yBottom), baseMask);
    let y3 = v128.and(v128.load(yBottom, 16), baseMask);
    let entry = entries + <usize>(n - 2) * ENTRY;
    let blockHeader = header;
    for (let block = 0; block < nBlocks; block++) {
      const centre = v128.load32_splat(blockHeader);
      const limit = v128.load32_splat(blockHeader, 4);
      const negativeLimit = f32x4.neg(limit);
      const u0 = position(x0, centre, inverse);
      const u1 = position(x1, centre, inverse);
      const u2 = position(x2, centre, inverse);
      const u3 = position(x3, centre, inverse);
      const within0 = within(u0, limit, negativeLimit);
      const within1 = within(u1, limit, negativeLimit);
      const within2 = within(u2, limit, negativeLimit);
      const within3 = within(u3, limit, negativeLimit);
      const up0 = exponentialWithin(f32x4.mul(within0, ratios), origin);
      const up1 = exponentialWithin(f32x4.mul(within1, ratios), origin);
      const up2 = exponentialWithin(f32x4.mul(within2, ratios), origin);
      const up3 = exponentialWithin(f32x4.mul(within3, ratios), origin);
      const down0 = f32x4.div(one, up0);
      const down1 = f32x4.div(one, up1);
      const down2 = f32x4.div(one, up2);
      const down3 = f32x4.div(one, up3);
      let right0 = f32x4.splat(0);
      let right1 = f32x4.splat(0);
      let right2 = f32x4.splat(0);
      let right3 = f32x4.splat(0);
      let left0 = f32x4.splat(0);
      let left1 = f32x4.splat(0);
      let left2 = f32x4.splat(0);
      let left3 = f32x4.splat(0);
      for (let k = n, e = entry; k > 0; k -= 2, e -= 2 * ENTRY) {
        let low = v128.load(e, 128);
        let high = v128.load(e, 144);
        right0 = multiplyAdd(right0, up0, low);
        right1 = multiplyAdd(right1, up1, high);
        right2 = multiplyAdd(right2, up2, low);
        right3 = multiplyAdd(right3, up3, high);
        low = v128.load(e, 192);
        high = v128.load(e, 208);
        left0 = multiplyAdd(left0, down0, low);
        left1 = multiplyAdd(left1, down1, high);
        left2 = multiplyAdd(left2, down2, low);
        left3 = multiplyAdd(left3, down3, high);
        low = v128.load(e, 0);
        high = v128.load(e, 16);
        right0 = multiplyAdd(right0, up0, low);
        right1 = multiplyAdd(right1, up1, high);
        right2 = multiplyAdd(right2, up2, low);
        right3 = multiplyAdd(right3, up3, high);
        low = v128.load(e, 64);
        high = v128.load(e, 80);
        left0 = multiplyAdd(left0, down0, low);
        left1 = multiplyAdd(left1, down1, high);
        left2 = multiplyAdd(left2, down2, low);
        left3 = multiplyAdd(left3, down3, high);
      }
      const a0 = exponentialWithin(f32x4.mul(f32x4.mul(within0, within0), minusQ), origin);
      const a1 = exponentialWithin(f32x4.mul(f32x4.mul(within1, within1), minusQ), origin);
      const a2 = exponentialWithin(f32x4.mul(f32x4.mul(within2, within2), minusQ), origin);
      const a3 = exponentialWithin(f32x4.mul(f32x4.mul(within3, within3), minusQ), origin);
      const sum0 = f32x4.mul(a0, multiplyAdd(left0, down0, right0));
      const sum1 = f32x4.mul(a1, multiplyAdd(left1, down1, right1));
      const sum2 = f32x4.mul(a2, multiplyAdd(left2, down2, right2));
      const sum3 = f32x4.mul(a3, multiplyAdd(left3, down3, right3));
      y0 = f32x4.add(y0, v128.andnot(sum0, f32x4.gt(f32x4.abs(u0), limit)));
      y1 = f32x4.add(y1, v128.andnot(sum1, f32x4.gt(f32x4.abs(u1), limit)));
      y2 = f32x4.add(y2, v128.andnot(sum2, f32x4.gt(f32x4.abs(u2), limit)));
      y3 = f32x4.add(y3, v128.andnot(sum3, f32x4.gt(f32x4.abs(u3), limit)));
      entry += <usize>n * ENTRY;
      blockHeader += 8;
    }
    v128.store(yTop, y0);
    v128.store(yTop, y1, 16);
    v128.store(yBottom, y2);
    v128.store(yBottom, y3, 16);
  }
}

/**
 * dx = dy·(base′(x) − 2γ Σα(x − d)κ) for rows first…last; with `sums` ≠ 0 also Σ dy·κ, added to `sums`: float64
 * [⌈C/8⌉][nBlocks][n] of 16 (lanes of k, lanes of −k−1), zeroed by the caller and without the factor exp(−qk²). `scratch` is
 * room for nBlocks·n·64 + 3·rowsPerBlock·32 bytes. `slope` is 2γΔ. Order of summation: rows ascending in float32 within
 * `rowsPerBlock`, then blocks of rows in float64.
 */
export function kafBackward(
  dy: usize, x: usize, dx: usize, channels: i32, table: usize, header: usize, nBlocks: i32, n: i32,
  inverseStep: f32, q: f32, ratio: f32, slope: f32, base: i32, sums: usize, scratch: usize, first: i32, last: i32, rowsPerBlock: i32,
): void {
  const rowBytes = <usize>channels << 2;
  const tableBytes = <usize>(nBlocks * n) * ENTRY;
  const partialBytes = <usize>(nBlocks * n) << 6;
  const pad = scratch + partialBytes;
  const partial = sums ? scratch : 0;
  for (let start = first; start < last; start += rowsPerBlock) {
    const rows = min(rowsPerBlock, last - start);
    const padBytes = <usize>rows * GROUP;
    for (let channel = 0; channel < channels; channel += 8) {
      const entries = table + <usize>(channel >> 3) * tableBytes;
      if (partial) memory.fill(partial, 0, partialBytes);
      const at = <usize>start * rowBytes + (<usize>channel << 2);
      if (channels - channel >= 8) {
        slopes(x + at, dx + at, rowBytes, rows, base);
        backwardGroup(
          dy + at, x + at, dx + at, rowBytes, rows, entries, header, nBlocks, n, inverseStep, q, ratio, slope, base, partial,
        );
      } else {
        const width = channels - channel;
        // Lanes beyond the width: whatever they hold, nothing of them is kept.
        copyRows(dy + at, rowBytes, pad, GROUP, rows, width);
        copyRows(x + at, rowBytes, pad + padBytes, GROUP, rows, width);
        const padded = pad + 2 * padBytes;
        slopes(pad + padBytes, padded, GROUP, rows, base);
        backwardGroup(
          pad, pad + padBytes, padded, GROUP, rows, entries, header, nBlocks, n, inverseStep, q, ratio, slope, base, partial,
        );
        copyRows(padded, GROUP, dx + at, rowBytes, rows, width);
      }
      if (partial) addToDoubles(sums + <usize>(channel >> 3) * (partialBytes << 1), partial, nBlocks * n * 16);
    }
  }
}

/** dx = base′(x), from which the group goes on. */
function slopes(x: usize, dx: usize, rowBytes: usize, rows: i32, base: i32): void {
  if (!base) return;
  const origin = opaqueZero();
  for (let row = 0; row < rows; row++) {
    const low = swishSlope(v128.load(x), origin);
    const high = swishSlope(v128.load(x, 16), origin);
    v128.store(dx, low);
    v128.store(dx, high, 16);
    x += rowBytes;
    dx += rowBytes;
  }
}

function backwardGroup(
  dy: usize, x: usize, dx: usize, rowBytes: usize, rows: i32, entries: usize, header: usize, nBlocks: i32, n: i32,
  inverseStep: f32, q: f32, ratio: f32, slope: f32, base: i32, partial: usize,
): void {
  const origin = opaqueZero();
  const baseMask = i32x4.splat(-base);
  const inverse = f32x4.splat(inverseStep);
  const ratios = f32x4.splat(ratio);
  const minusQ = f32x4.splat(-q);
  const minusSlope = f32x4.splat(-slope);
  const one = f32x4.splat(1);
  for (let row = 0; row < rows; row += 2) {
    const top = <usize>row * rowBytes;
    // A missing second row repeats the first with a gradient of 0, and is stored before it.
    const hasBottom = <i32>(row + 1 < rows);
    const bottom = top + <usize>hasBottom * rowBytes;
    const bottomMask = i32x4.splat(-hasBottom);
    const xTop = x + top;
    const xBottom = x + bottom;
    const dyTop = dy + top;
    const dyBottom = dy + bottom;
    const dxTop = dx + top;
    const dxBottom = dx + bottom;
    const x0 = v128.load(xTop);
    const x1 = v128.load(xTop, 16);
    const x2 = v128.load(xBottom);
    const x3 = v128.load(xBottom, 16);
    const dy0 = v128.load(dyTop);
    const dy1 = v128.load(dyTop, 16);
    const dy2 = v128.and(v128.load(dyBottom), bottomMask);
    const dy3 = v128.and(v128.load(dyBottom, 16), bottomMask);
    let slope0 = v128.and(v128.load(dxTop), baseMask);
    let slope1 = v128.and(v128.load(dxTop, 16), baseMask);
    let slope2 = v128.and(v128.load(dxBottom), baseMask);
    let slope3 = v128.and(v128.load(dxBottom, 16), baseMask);
    let entry = entries + <usize>(n - 2) * ENTRY;
    let sum = partial;
    let blockHeader = header;
    for (let block = 0; block < nBlocks; block++) {
      const centre = v128.load32_splat(blockHeader);
      const limit = v128.load32_splat(blockHeader, 4);
      const negativeLimit = f32x4.neg(limit);
      let u0 = position(x0, centre, inverse);
      let u1 = position(x1, centre, inverse);
      let u2 = position(x2, centre, inverse);
      let u3 = position(x3, centre, inverse);
      const beyond0 = f32x4.gt(f32x4.abs(u0), limit);
      const beyond1 = f32x4.gt(f32x4.abs(u1), limit);
      const beyond2 = f32x4.gt(f32x4.abs(u2), limit);
      const beyond3 = f32x4.gt(f32x4.abs(u3), limit);
      u0 = within(u0, limit, negativeLimit);
      u1 = within(u1, limit, negativeLimit);
      u2 = within(u2, limit, negativeLimit);
      u3 = within(u3, limit, negativeLimit);
      const up0 = exponentialWithin(f32x4.mul(u0, ratios), origin);
      const up1 = exponentialWithin(f32x4.mul(u1, ratios), origin);
      const up2 = exponentialWithin(f32x4.mul(u2, ratios), origin);
      const up3 = exponentialWithin(f32x4.mul(u3, ratios), origin);
      const down0 = f32x4.div(one, up0);
      const down1 = f32x4.div(one, up1);
      const down2 = f32x4.div(one, up2);
      const down3 = f32x4.div(one, up3);
      let right0 = f32x4.splat(0);
      let right1 = f32x4.splat(0);
      let right2 = f32x4.splat(0);
      let right3 = f32x4.splat(0);
      let rightMoment0 = f32x4.splat(0);
      let rightMoment1 = f32x4.splat(0);
      let rightMoment2 = f32x4.splat(0);
      let rightMoment3 = f32x4.splat(0);
      let left0 = f32x4.splat(0);
      let left1 = f32x4.splat(0);
      let left2 = f32x4.splat(0);
      let left3 = f32x4.splat(0);
      let leftMoment0 = f32x4.splat(0);
      let leftMoment1 = f32x4.splat(0);
      let leftMoment2 = f32x4.splat(0);
      let leftMoment3 = f32x4.splat(0);
      for (let k = n, e = entry; k > 0; k -= 2, e -= 2 * ENTRY) {
        let low = v128.load(e, 128);
        let high = v128.load(e, 144);
        right0 = multiplyAdd(right0, up0, low);
        right1 = multiplyAdd(right1, up1, high);
        right2 = multiplyAdd(right2, up2, low);
        right3 = multiplyAdd(right3, up3, high);
        low = v128.load(e, 160);
        high = v128.load(e, 176);
        rightMoment0 = multiplyAdd(rightMoment0, up0, low);
        rightMoment1 = multiplyAdd(rightMoment1, up1, high);
        rightMoment2 = multiplyAdd(rightMoment2, up2, low);
        rightMoment3 = multiplyAdd(rightMoment3, up3, high);
        low = v128.load(e, 192);
        high = v128.load(e, 208);
        left0 = multiplyAdd(left0, down0, low);
        left1 = multiplyAdd(left1, down1, high);
        left2 = multiplyAdd(left2, down2, low);
        left3 = multiplyAdd(left3, down3, high);
        low = v128.load(e, 224);
        high = v128.load(e, 240);
        leftMoment0 = multiplyAdd(leftMoment0, down0, low);
        leftMoment1 = multiplyAdd(leftMoment1, down1, high);
        leftMoment2 = multiplyAdd(leftMoment2, down2, low);
        leftMoment3 = multiplyAdd(leftMoment3, down3, high);
        low = v128.load(e, 0);
        high = v128.load(e, 16);
        right0 = multiplyAdd(right0, up0, low);
        right1 = multiplyAdd(right1, up1, high);
        right2 = multiplyAdd(right2, up2, low);
        right3 = multiplyAdd(right3, up3, high);
        low = v128.load(e, 32);
        high = v128.load(e, 48);
        rightMoment0 = multiplyAdd(rightMoment0, up0, low);
        rightMoment1 = multiplyAdd(rightMoment1, up1, high);
        rightMoment2 = multiplyAdd(rightMoment2, up2, low);
        rightMoment3 = multiplyAdd(rightMoment3, up3, high);
        low = v128.load(e, 64);
        high = v128.load(e, 80);
        left0 = multiplyAdd(left0, down0, low);
        left1 = multiplyAdd(left1, down1, high);
        left2 = multiplyAdd(left2, down2, low);
        left3 = multiplyAdd(left3, down3, high);
        low = v128.load(e, 96);
        high = v128.load(e, 112);
        leftMoment0 = multiplyAdd(leftMoment0, down0, low);
        leftMoment1 = multiplyAdd(leftMoment1, down1, high);
        leftMoment2 = multiplyAdd(leftMoment2, down2, low);
        leftMoment3 = multiplyAdd(leftMoment3, down3, high);
      }
      // Σα(u − k)κ without A: the same terms in both sums, so that only their rounding remains in the difference.
      right0 = f32x4.sub(f32x4.mul(u0, right0), rightMoment0);
      right1 = f32x4.sub(f32x4.mul(u1, right1), rightMoment1);
      right2 = f32x4.sub(f32x4.mul(u2, right2), rightMoment2);
      right3 = f32x4.sub(f32x4.mul(u3, right3), rightMoment3);
      left0 = f32x4.mul(down0, f32x4.sub(f32x4.mul(u0, left0), leftMoment0));
      left1 = f32x4.mul(down1, f32x4.sub(f32x4.mul(u1, left1), leftMoment1));
      left2 = f32x4.mul(down2, f32x4.sub(f32x4.mul(u2, left2), leftMoment2));
      left3 = f32x4.mul(down3, f32x4.sub(f32x4.mul(u3, left3), leftMoment3));
      const a0 = v128.andnot(exponentialWithin(f32x4.mul(f32x4.mul(u0, u0), minusQ), origin), beyond0);
      const a1 = v128.andnot(exponentialWithin(f32x4.mul(f32x4.mul(u1, u1), minusQ), origin), beyond1);
      const a2 = v128.andnot(exponentialWithin(f32x4.mul(f32x4.mul(u2, u2), minusQ), origin), beyond2);
      const a3 = v128.andnot(exponentialWithin(f32x4.mul(f32x4.mul(u3, u3), minusQ), origin), beyond3);
      slope0 = multiplyAdd(f32x4.mul(a0, minusSlope), f32x4.add(left0, right0), slope0);
      slope1 = multiplyAdd(f32x4.mul(a1, minusSlope), f32x4.add(left1, right1), slope1);
      slope2 = multiplyAdd(f32x4.mul(a2, minusSlope), f32x4.add(left2, right2), slope2);
      slope3 = multiplyAdd(f32x4.mul(a3, minusSlope), f32x4.add(left3, right3), slope3);
      if (partial) {
        let power0 = a0;
        let power1 = a1;
        let power2 = a2;
        let power3 = a3;
        for (let k = n, s = sum; k > 0; k--, s += 64) {
          let low = v128.load(s);
          let high = v128.load(s, 16);
          low = multiplyAdd(power0, dy0, low);
          high = multiplyAdd(power1, dy1, high);
          low = multiplyAdd(power2, dy2, low);
          high = multiplyAdd(power3, dy3, high);
          v128.store(s, low);
          v128.store(s, high, 16);
          power0 = f32x4.mul(power0, up0);
          power1 = f32x4.mul(power1, up1);
          power2 = f32x4.mul(power2, up2);
          power3 = f32x4.mul(power3, up3);
        }
        power0 = f32x4.mul(a0, down0);
        power1 = f32x4.mul(a1, down1);
        power2 = f32x4.mul(a2, down2);
        power3 = f32x4.mul(a3, down3);
        for (let k = n, s = sum; k > 0; k--, s += 64) {
          let low = v128.load(s, 32);
          let high = v128.load(s, 48);
          low = multiplyAdd(power0, dy0, low);
          high = multiplyAdd(power1, dy1, high);
          low = multiplyAdd(power2, dy2, low);
          high = multiplyAdd(power3, dy3, high);
          v128.store(s, low, 32);
          v128.store(s, high, 48);
          power0 = f32x4.mul(power0, down0);
          power1 = f32x4.mul(power1, down1);
          power2 = f32x4.mul(power2, down2);
          power3 = f32x4.mul(power3, down3);
        }
      }
      entry += <usize>n * ENTRY;
      sum += <usize>n << 6;
      blockHeader += 8;
    }
    slope0 = f32x4.mul(dy0, slope0);
    slope1 = f32x4.mul(dy1, slope1);
    slope2 = f32x4.mul(dy2, slope2);
    slope3 = f32x4.mul(dy3, slope3);
    v128.store(dxBottom, slope2);
    v128.store(dxBottom, slope3, 16);
    v128.store(dxTop, slope0);
    v128.store(dxTop, slope1, 16);
  }
}
