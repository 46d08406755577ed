// Two-dimensional KAF on x [rows, 2·C], whose channels c and C + c are a pair (u, v), to y [rows, C]: f(u, v) = Σᵢ κᵢ(u)·gᵢ(v) with
// gᵢ(v) = Σⱼ αᵢⱼ κⱼ(v). Both are cubics on the intervals of kaf.ts's grid, κ the same for all channels, g of each channel its own, made
// anew in each call; so a value costs D look-ups of each, not D² products. Tables: [nEntries][⌈D/4⌉][4 powers][4 functions] floats,
// a cache line for four functions on an interval; what fills them up is 0. Any size.
import { multiplyAdd, storeFirst } from './parts/lanes';

/** 1.5·2²³: adding it rounds to an integer, which the sum then holds in its lowest bits. */
const ROUNDING: f32 = 12582912;
const ROUNDING_BITS: i32 = 0x4b400000;
/** Channels of one call: a cache line of a row. */
const CHANNELS: i32 = 16;
const VECTOR: usize = 16;
/** Bytes of four functions' coefficients on an interval. */
const BLOCK: usize = 64;

/** columns[j][i] = α[i][j] of one channel, [width][width]. */
function transpose(alpha: usize, size: i32, width: i32, columns: usize): void {
  memory.fill(columns, 0, <usize>(width * width) << 2);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      store<f32>(columns + (<usize>(j * width + i) << 2), load<f32>(alpha + (<usize>(i * size + j) << 2)));
    }
  }
}

/** On every interval and for every power: table's i = Σⱼ αᵢⱼ·kernels' j. Order of summation: j ascending. */
function combine(columns: usize, width: i32, kernels: usize, nEntries: i32, table: usize): void {
  const widthBytes = <usize>width << 2;
  const entryBytes = widthBytes << 2;
  const end = kernels + <usize>nEntries * entryBytes;
  while (kernels < end) {
    for (let i: usize = 0; i < widthBytes; i += VECTOR) {
      for (let power: usize = 0; power < BLOCK; power += VECTOR) {
        let sum = f32x4.splat(0);
        let column = columns + i;
        for (let block: usize = 0; block < entryBytes; block += BLOCK) {
          const from = kernels + block + power;
          sum = multiplyAdd(v128.load32_splat(from), v128.load(column), sum);
          column += widthBytes;
          sum = multiplyAdd(v128.load32_splat(from, 4), v128.load(column), sum);
          column += widthBytes;
          sum = multiplyAdd(v128.load32_splat(from, 8), v128.load(column), sum);
          column += widthBytes;
          sum = multiplyAdd(v128.load32_splat(from, 12), v128.load(column), sum);
          column += widthBytes;
        }
        v128.store(table + power, sum);
      }
      table += BLOCK;
    }
    kernels += entryBytes;
  }
}

/** sums[i][j] = Σ moments' i·kernels' j over all intervals and powers, [D][D]. Order of summation: intervals ascending. */
function gather(moments: usize, kernels: usize, nEntries: i32, size: i32, width: i32, sums: usize): void {
  const entryBytes = <usize>width << 4;
  const length = <usize>nEntries * entryBytes;
  for (let i = 0; i < size; i++) {
    const from = moments + <usize>(i >> 2) * BLOCK + (<usize>(i & 3) << 2);
    for (let j = 0; j < size; j += 4) {
      const other = kernels + <usize>(j >> 2) * BLOCK;
      let even = f32x4.splat(0);
      let odd = f32x4.splat(0);
      for (let at: usize = 0; at < length; at += entryBytes) {
        even = multiplyAdd(v128.load32_splat(from + at), v128.load(other + at), even);
        odd = multiplyAdd(v128.load32_splat(from + at, 16), v128.load(other + at, 16), odd);
        even = multiplyAdd(v128.load32_splat(from + at, 32), v128.load(other + at, 32), even);
        odd = multiplyAdd(v128.load32_splat(from + at, 48), v128.load(other + at, 48), odd);
      }
      storeFirst(sums + (<usize>(i * size + j) << 2), f32x4.add(even, odd), size - j);
    }
  }
}

/** The cubics of the four functions of a block at s. */
// @ts-ignore: decorator
@inline
function cubics(block: usize, s: v128): v128 {
  const high = multiplyAdd(v128.load(block, 48), s, v128.load(block, 32));
  return multiplyAdd(multiplyAdd(high, s, v128.load(block, 16)), s, v128.load(block));
}

// @ts-ignore: decorator
@inline
function sumOfLanes(lanes: v128): f32 {
  const pairs = f32x4.add(lanes, v128.shuffle<i32>(lanes, lanes, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** u and v of a row, within ±limit; NaN stays. */
// @ts-ignore: decorator
@inline
function pairAt(x: usize, apart: usize, limit: v128): v128 {
  const pair = v128.load_lane<f32>(x + apart, v128.load_zero<f32>(x), 1);
  return f32x4.pmax(f32x4.pmin(pair, limit), f32x4.neg(limit));
}

/**
 * y for rows first…last and 16 channels from `channel` on. `alpha` [C][D][D]; `kernels` is the table of κ; `scratch` is room for 16
 * tables and [width][width] floats.
 */
export function kaf2dForward(
  x: usize, y: usize, channels: i32, alpha: usize, size: i32, kernels: usize, nEntries: i32, lowest: i32, shift: f32, h: f32,
  limit: f32, scratch: usize, channel: i32, first: i32, last: i32, rowsPerBlock: i32,
): void {
  const width = (size + 3) & ~3;
  const widthBytes = <usize>width << 2;
  const entryBytes = widthBytes << 2;
  const tableBytes = <usize>nEntries * entryBytes;
  const rowBytes = <usize>channels << 2;
  const nOfCall = min(CHANNELS, channels - channel);
  const columns = scratch + <usize>CHANNELS * tableBytes;
  for (let c = 0; c < nOfCall; c++) {
    transpose(alpha + (<usize>((channel + c) * size * size) << 2), size, width, columns);
    combine(columns, width, kernels, nEntries, scratch + <usize>c * tableBytes);
  }
  const inverse = f32x4.splat(1 / h);
  const minusH = f32x4.splat(-h);
  const shifts = f32x4.splat(shift);
  const limits = f32x4.splat(limit);
  const rounding = f32x4.splat(ROUNDING);
  const entryZero = i32x4.splat(ROUNDING_BITS + lowest);
  const lastEntry = i32x4.splat(nEntries - 1);
  const entryLength = i32x4.splat(<i32>entryBytes);
  for (let start = first; start < last; start += rowsPerBlock) {
    const end = min(last, start + rowsPerBlock);
    for (let c = 0; c < nOfCall; c++) {
      const table = scratch + <usize>c * tableBytes;
      let at = <usize>start * rowBytes + (<usize>(channel + c) << 2);
      for (let row = start; row < end; row++) {
        const inside = pairAt(x + <usize>row * rowBytes + at, rowBytes, limits);
        const shifted = f32x4.add(f32x4.sub(f32x4.mul(inside, inverse), shifts), rounding);
        const centre = f32x4.add(f32x4.sub(shifted, rounding), shifts);
        const s = f32x4.mul(multiplyAdd(centre, minusH, inside), inverse);
        // Of a NaN, the last.
        const places = i32x4.mul(i32x4.min_u(i32x4.sub(shifted, entryZero), lastEntry), entryLength);
        const ofU = kernels + <usize>i32x4.extract_lane(places, 0);
        const ofV = table + <usize>i32x4.extract_lane(places, 1);
        const su = v128.shuffle<i32>(s, s, 0, 0, 0, 0);
        const sv = v128.shuffle<i32>(s, s, 1, 1, 1, 1);
        let sum = f32x4.splat(0);
        for (let block: usize = 0; block < entryBytes; block += BLOCK) {
          sum = multiplyAdd(cubics(ofU + block, su), cubics(ofV + block, sv), sum);
        }
        store<f32>(y + at, sumOfLanes(sum));
        at += rowBytes;
      }
    }
  }
}

/**
 * dx for rows first…last and 16 channels from `channel` on, and with `sums` ≠ 0 Σ dy·κᵢ(u)·κⱼ(v) to there, [16][D][D] floats, from
 * the moments Σ dy·κᵢ(u)·sᵖ of v's intervals. `slopes` is the table of κ′; `scratch` is room for 48 tables, 32 without sums, and
 * [width][width] floats. A dy that is not finite, or a NaN in a pair, makes all its channel's sums NaN. Order of summation: rows ascending.
 */
export function kaf2dBackward(
  dy: usize, x: usize, dx: usize, channels: i32, alpha: usize, size: i32, kernels: usize, slopes: usize, nEntries: i32, lowest: i32,
  shift: f32, h: f32, limit: f32, sums: usize, scratch: usize, channel: i32, first: i32, last: i32, rowsPerBlock: i32,
): void {
  const width = (size + 3) & ~3;
  const widthBytes = <usize>width << 2;
  const entryBytes = widthBytes << 2;
  const tableBytes = <usize>nEntries * entryBytes;
  const rowBytes = <usize>channels << 2;
  const nOfCall = min(CHANNELS, channels - channel);
  const columns = scratch;
  const tables = scratch + <usize>width * widthBytes;
  const slopeTables = tables + <usize>CHANNELS * tableBytes;
  const moments = slopeTables + <usize>CHANNELS * tableBytes;
  for (let c = 0; c < nOfCall; c++) {
    transpose(alpha + (<usize>((channel + c) * size * size) << 2), size, width, columns);
    combine(columns, width, kernels, nEntries, tables + <usize>c * tableBytes);
    combine(columns, width, slopes, nEntries, slopeTables + <usize>c * tableBytes);
  }
  if (sums) memory.fill(moments, 0, <usize>nOfCall * tableBytes);
  const inverse = f32x4.splat(1 / h);
  const minusH = f32x4.splat(-h);
  const shifts = f32x4.splat(shift);
  const limits = f32x4.splat(limit);
  const rounding = f32x4.splat(ROUNDING);
  const entryZero = i32x4.splat(ROUNDING_BITS + lowest);
  const lastEntry = i32x4.splat(nEntries - 1);
  const entryLength = i32x4.splat(<i32>entryBytes);
  for (let start = first; start < last; start += rowsPerBlock) {
    const end = min(last, start + rowsPerBlock);
    for (let c = 0; c < nOfCall; c++) {
      const own = <usize>c * tableBytes;
      let at = <usize>start * rowBytes + (<usize>(channel + c) << 2);
      for (let row = start; row < end; row++) {
        const pair = <usize>row * rowBytes + at;
        const inside = pairAt(x + pair, rowBytes, limits);
        const shifted = f32x4.add(f32x4.sub(f32x4.mul(inside, inverse), shifts), rounding);
        const centre = f32x4.add(f32x4.sub(shifted, rounding), shifts);
        const s = f32x4.mul(multiplyAdd(centre, minusH, inside), inverse);
        const places = i32x4.mul(i32x4.min_u(i32x4.sub(shifted, entryZero), lastEntry), entryLength);
        const placeU = <usize>i32x4.extract_lane(places, 0);
        const placeV = own + <usize>i32x4.extract_lane(places, 1);
        const su = v128.shuffle<i32>(s, s, 0, 0, 0, 0);
        const sv = v128.shuffle<i32>(s, s, 1, 1, 1, 1);
        const slope = load<f32>(dy + at);
        const upstream = f32x4.splat(slope);
        let ofU = f32x4.splat(0);
        let ofV = f32x4.splat(0);
        for (let block: usize = 0; block < entryBytes; block += BLOCK) {
          const kernel = cubics(kernels + placeU + block, su);
          ofU = multiplyAdd(cubics(slopes + placeU + block, su), cubics(tables + placeV + block, sv), ofU);
          ofV = multiplyAdd(kernel, cubics(slopeTables + placeV + block, sv), ofV);
          if (sums) {
            const to = moments + placeV + block;
            const first = f32x4.mul(upstream, kernel);
            const second = f32x4.mul(first, sv);
            const third = f32x4.mul(second, sv);
            const fourth = f32x4.mul(third, sv);
            v128.store(to, f32x4.add(v128.load(to), first));
            v128.store(to, f32x4.add(v128.load(to, 16), second), 16);
            v128.store(to, f32x4.add(v128.load(to, 32), third), 32);
            v128.store(to, f32x4.add(v128.load(to, 48), fourth), 48);
          }
        }
        store<f32>(dx + pair, slope * sumOfLanes(ofU));
        store<f32>(dx + pair + rowBytes, slope * sumOfLanes(ofV));
        at += rowBytes;
      }
    }
  }
  if (!sums) return;
  const sumBytes = <usize>(size * size) << 2;
  for (let c = 0; c < nOfCall; c++) {
    gather(moments + <usize>c * tableBytes, kernels, nEntries, size, width, sums + <usize>c * sumBytes);
  }
}
