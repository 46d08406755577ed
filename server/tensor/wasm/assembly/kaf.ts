// KAF on x [rows, C] by pieces: a cubic on each interval of a uniform grid, of each channel its own, which kernels/kafGrid.ts makes
// as fine as float32 asks. An element then costs the same for any dictionary. A grid: entries e = 0 … n − 1 with centres
// (lowest + e + shift)·h; a piece holds four coefficients by ascending powers of s = (x − centre)/h in [−½, ½]; the first and the
// last are 0. Tables: [⌈C/4⌉·4][n] of four floats, made in kafTables.ts. Errors against float64: under 1e-6·Σ|α| (see the tests; 1e-7
// at the thesis's settings).
import { swish, swishSlope } from './parts/exponential';
import { loadFirst, multiplyAdd, opaqueZero, storeFirst } from './parts/lanes';
import { CHANNELS, PIECE } from './parts/pieces';
import { addSlopeSums } from './parts/slopeSums';

/** 1.5·2²³: adding it rounds to an integer, which the sum then holds in its lowest bits. */
const ROUNDING: f32 = 12582912;
const ROUNDING_BITS: i32 = 0x4b400000;

/** x within ±limit; NaN stays: pmin and pmax give their first argument where nothing compares. */
// @ts-ignore: decorator
@inline
function within(x: v128, limit: v128): v128 {
  return f32x4.pmax(f32x4.pmin(x, limit), f32x4.neg(limit));
}

/** For four channels from `table` on, the places of the pieces of entry 0. */
// @ts-ignore: decorator
@inline
function placesOf(table: usize, tableBytes: usize): v128 {
  let places = i32x4.splat(<i32>table);
  places = i32x4.replace_lane(places, 1, <i32>(table + tableBytes));
  places = i32x4.replace_lane(places, 2, <i32>(table + 2 * tableBytes));
  return i32x4.replace_lane(places, 3, <i32>(table + 3 * tableBytes));
}

/** Each lane's own cubic, whose piece is at its lane of `places`, at s. */
// @ts-ignore: decorator
@inline
function cubicsAt(places: v128, s: v128): v128 {
  const p0 = v128.load(<usize>i32x4.extract_lane(places, 0));
  const p1 = v128.load(<usize>i32x4.extract_lane(places, 1));
  const p2 = v128.load(<usize>i32x4.extract_lane(places, 2));
  const p3 = v128.load(<usize>i32x4.extract_lane(places, 3));
  // From one vector a lane to one vector a power.
  const low01 = v128.shuffle<i32>(p0, p1, 0, 4, 1, 5);
  const low23 = v128.shuffle<i32>(p2, p3, 0, 4, 1, 5);
  const high01 = v128.shuffle<i32>(p0, p1, 2, 6, 3, 7);
  const high23 = v128.shuffle<i32>(p2, p3, 2, 6, 3, 7);
  let y = multiplyAdd(v128.shuffle<i64>(high01, high23, 1, 3), s, v128.shuffle<i64>(high01, high23, 0, 2));
  y = multiplyAdd(y, s, v128.shuffle<i64>(low01, low23, 1, 3));
  return multiplyAdd(y, s, v128.shuffle<i64>(low01, low23, 0, 2));
}

/**
 * y = base(x) + Σα κ for rows first…last. `limit` keeps |x| on the grid; `base` 1 for Swish.
 */
export function kafForward(
  x: usize, y: usize, channels: i32, table: usize, nEntries: i32, lowest: i32, shift: f32, h: f32, limit: f32, base: i32,
  first: i32, last: i32, rowsPerBlock: i32,
): void {
  evaluate(x, y, channels, table, nEntries, lowest, shift, h, limit, base, first, last, rowsPerBlock, false, 0, 0, false, 0);
}

/**
 * The same of (x − center)·scale + shift in the place of x, as assembly/batchNorm.ts rounds it: `normalization` holds the three,
 * [3][⌈C/4⌉·4] floats.
 */
export function normalizedKafForward(
  normalization: usize, x: usize, y: usize, channels: i32, table: usize, nEntries: i32, lowest: i32, shift: f32, h: f32, limit: f32,
  base: i32, first: i32, last: i32, rowsPerBlock: i32,
): void {
  evaluate(
    x, y, channels, table, nEntries, lowest, shift, h, limit, base, first, last, rowsPerBlock, false, 0, 0, true, normalization,
  );
}

/**
 * The same on a folded grid (kernels/foldedGrid.ts), where the cubics are of t = x for |x| ≤ fold and ±(2·fold − fold²/|x|) beyond.
 * With `rises` the last entry, of no interval, has as its second coefficient what y rises by with each 1 of x beyond the fold.
 */
export function kernelKafForward(
  x: usize, y: usize, channels: i32, table: usize, nEntries: i32, lowest: i32, shift: f32, h: f32, limit: f32, base: i32,
  fold: f32, rises: i32, first: i32, last: i32, rowsPerBlock: i32,
): void {
  evaluate(
    x, y, channels, table, nEntries, lowest, shift, h, limit, base, first, last, rowsPerBlock, true, fold, rises, false, 0,
  );
}

/** Bytes from the centers to the scales of a normalization, and on to its shifts. */
// @ts-ignore: decorator
@inline
function strideOf(channels: i32): usize {
  return <usize>((channels + 3) & ~3) << 2;
}

// @ts-ignore: decorator
@inline
function evaluate(
  x: usize, y: usize, channels: i32, table: usize, nEntries: i32, lowest: i32, shift: f32, h: f32, limit: f32, base: i32,
  first: i32, last: i32, rowsPerBlock: i32, isFolded: bool, fold: f32, rises: i32, isNormalized: bool, normalization: usize,
): void {
  const origin = opaqueZero();
  const rowBytes = <usize>channels << 2;
  const tableBytes = <usize>nEntries * PIECE;
  const inverse = f32x4.splat(1 / h);
  const minusH = f32x4.splat(-h);
  const shifts = f32x4.splat(shift);
  const limits = f32x4.splat(limit);
  const rounding = f32x4.splat(ROUNDING);
  const entryZero = i32x4.splat(ROUNDING_BITS + lowest);
  const lastEntry = i32x4.splat(nEntries - 1);
  for (let start = first; start < last; start += rowsPerBlock) {
    const rows = min(rowsPerBlock, last - start);
    for (let channel = 0; channel < channels; channel += 4) {
      const width = min(4, channels - channel);
      const places = placesOf(table + <usize>channel * tableBytes, tableBytes);
      const center = normalization + (<usize>channel << 2);
      const centers = isNormalized ? v128.load(center) : limits;
      const scales = isNormalized ? v128.load(center + strideOf(channels)) : limits;
      const offsets = isNormalized ? v128.load(center + 2 * strideOf(channels)) : limits;
      let rise = f32x4.splat(0);
      if (isFolded) rise = secondsAt(i32x4.add(places, i32x4.splat((nEntries - 1) << 4)));
      let at = <usize>start * rowBytes + (<usize>channel << 2);
      for (let row = 0; row < rows; row++) {
        let value = loadFirst(x + at, width);
        if (isNormalized) value = multiplyAdd(f32x4.sub(value, centers), scales, offsets);
        const inside = within(isFolded ? folded(value, fold) : value, limits);
        const shifted = f32x4.add(f32x4.sub(f32x4.mul(inside, inverse), shifts), rounding);
        const centre = f32x4.add(f32x4.sub(shifted, rounding), shifts);
        const s = f32x4.mul(multiplyAdd(centre, minusH, inside), inverse);
        // Of a NaN, the last.
        const entry = i32x4.min_u(i32x4.sub(shifted, entryZero), lastEntry);
        const place = i32x4.add(i32x4.shl(entry, 4), places);
        let sum = cubicsAt(place, s);
        if (isFolded && rises) sum = multiplyAdd(rise, beyond(value, fold), sum);
        if (base) sum = f32x4.add(sum, swish(value, origin));
        storeFirst(y + at, sum, width);
        at += rowBytes;
      }
    }
  }
}

/**
 * dx = dy·(base′(x) + Σα κ′) for rows first…last and 16 channels from `channel` on; `table` holds the pieces of Σα κ′. With
 * `hasMoments` also Σ dy·sʲ of each interval into `moments`, [16][n] of four floats, and with `sums` ≠ 0 from them Σ dy·κᵢ by
 * `pieces` of κ: [16][D] floats. A dy that is not finite, or a NaN x, makes its channel's sums NaN: its last moment, of an interval
 * of no element, is. Order of summation: rows ascending, then the pieces of each element.
 */
export function kafBackward(
  dy: usize, x: usize, dx: usize, channels: i32, table: usize, nEntries: i32, lowest: i32, shift: f32, h: f32, limit: f32, base: i32,
  pieces: usize, nPieces: i32, perStep: i32, dictionary: i32, sums: usize, hasMoments: i32, moments: usize,
  channel: i32, first: i32, last: i32, rowsPerBlock: i32,
): void {
  differentiate(
    dy, x, dx, channels, table, nEntries, lowest, shift, h, limit, base, hasMoments, moments, channel, first, last, rowsPerBlock,
    false, 0, 0, false, 0,
  );
  if (sums) gatherMoments(moments, nEntries, pieces, nPieces, perStep, dictionary, sums);
}

/** The same of a normalized x (see `normalizedKafForward`); dx is the gradient of that. */
export function normalizedKafBackward(
  normalization: usize, dy: usize, x: usize, dx: usize, channels: i32, table: usize, nEntries: i32, lowest: i32, shift: f32, h: f32,
  limit: f32, base: i32, pieces: usize, nPieces: i32, perStep: i32, dictionary: i32, sums: usize, hasMoments: i32, moments: usize,
  channel: i32, first: i32, last: i32, rowsPerBlock: i32,
): void {
  differentiate(
    dy, x, dx, channels, table, nEntries, lowest, shift, h, limit, base, hasMoments, moments, channel, first, last, rowsPerBlock,
    false, 0, 0, true, normalization,
  );
  if (sums) gatherMoments(moments, nEntries, pieces, nPieces, perStep, dictionary, sums);
}

/**
 * dx of `normalizedKafBackward`, without moments, and what batch normalisation's gradient sums of it (`gradientSums` of batchNorm.ts,
 * whose blocks have `rowsPerSum` rows) into `sums`: a block is summed while it is in the cache.
 * @param rowsPerBlock a multiple of `rowsPerSum`
 */
export function normalizedKafSlopes(
  normalization: usize, dy: usize, x: usize, dx: usize, channels: i32, table: usize, nEntries: i32, lowest: i32, shift: f32, h: f32,
  limit: f32, base: i32, sums: usize, channel: i32, first: i32, last: i32, rowsPerBlock: i32, rowsPerSum: i32,
): void {
  const rowBytes = <usize>channels << 2;
  const end = min(channels, channel + CHANNELS);
  memory.fill(sums + (<usize>channel << 4), 0, <usize>((end - channel + 3) & ~3) << 4);
  for (let start = first; start < last; start += rowsPerBlock) {
    const stop = min(last, start + rowsPerBlock);
    differentiate(
      dy, x, dx, channels, table, nEntries, lowest, shift, h, limit, base, 0, 0, channel, start, stop, rowsPerBlock,
      false, 0, 0, true, normalization,
    );
    for (let row = start; row < stop; row += rowsPerSum) {
      const at = <usize>row * rowBytes;
      addSlopeSums(dx + at, x + at, min(rowsPerSum, stop - row), rowBytes, channel, end, normalization, sums);
    }
  }
}

/** The same on a folded grid; with `rises` the last entry's second moment is Σ dy·(x − fold) over the x beyond the fold. */
export function kernelKafBackward(
  dy: usize, x: usize, dx: usize, channels: i32, table: usize, nEntries: i32, lowest: i32, shift: f32, h: f32, limit: f32, base: i32,
  fold: f32, rises: i32, hasMoments: i32, moments: usize, channel: i32, first: i32, last: i32, rowsPerBlock: i32,
): void {
  differentiate(
    dy, x, dx, channels, table, nEntries, lowest, shift, h, limit, base, hasMoments, moments, channel, first, last, rowsPerBlock,
    true, fold, rises, false, 0,
  );
}

/**
 * out[c] = the sum of its `nParts` moments, [nEntries] of four floats, for channels first…last, where `kernelKafBackward` left
 * [16][nEntries] of four for each 16 channels and part; overshoots[c] = the last entry's second, which becomes 0.
 */
export function kernelKafMoments(
  moments: usize, nParts: i32, nEntries: i32, out: usize, overshoots: usize, first: i32, last: i32,
): void {
  const tableBytes = <usize>nEntries * PIECE;
  const partBytes = <usize>CHANNELS * tableBytes;
  for (let channel = first; channel < last; channel++) {
    const from = moments + <usize>((channel / CHANNELS) * nParts) * partBytes + <usize>(channel % CHANNELS) * tableBytes;
    const to = out + <usize>channel * tableBytes;
    memory.copy(to, from, tableBytes);
    for (let part = 1; part < nParts; part++) {
      const other = from + <usize>part * partBytes;
      for (let at: usize = 0; at < tableBytes; at += PIECE) add(to + at, v128.load(other + at));
    }
    const second = to + tableBytes - PIECE + 4;
    store<f32>(overshoots + (<usize>channel << 2), load<f32>(second));
    store<f32>(second, 0);
  }
}

// @ts-ignore: decorator
@inline
function differentiate(
  dy: usize, x: usize, dx: usize, channels: i32, table: usize, nEntries: i32, lowest: i32, shift: f32, h: f32, limit: f32, base: i32,
  hasMoments: i32, moments: usize, channel: i32, first: i32, last: i32, rowsPerBlock: i32,
  isFolded: bool, fold: f32, rises: i32, isNormalized: bool, normalization: usize,
): void {
  const origin = opaqueZero();
  const rowBytes = <usize>channels << 2;
  const tableBytes = <usize>nEntries * PIECE;
  const inverse = f32x4.splat(1 / h);
  const minusH = f32x4.splat(-h);
  const shifts = f32x4.splat(shift);
  const limits = f32x4.splat(limit);
  const rounding = f32x4.splat(ROUNDING);
  const entryZero = i32x4.splat(ROUNDING_BITS + lowest);
  const lastEntry = i32x4.splat(nEntries - 1);
  const zero = f32x4.splat(0);
  const channelsEnd = min(channels, channel + CHANNELS);
  if (hasMoments) memory.fill(moments, 0, <usize>CHANNELS * tableBytes);
  for (let start = first; start < last; start += rowsPerBlock) {
    const rows = min(rowsPerBlock, last - start);
    for (let of4 = channel; of4 < channelsEnd; of4 += 4) {
      const width = min(4, channels - of4);
      const places = placesOf(table + <usize>of4 * tableBytes, tableBytes);
      const ownMoments = moments + <usize>(of4 - channel) * tableBytes;
      const momentPlaces = placesOf(ownMoments, tableBytes);
      const center = normalization + (<usize>of4 << 2);
      const centers = isNormalized ? v128.load(center) : limits;
      const scales = isNormalized ? v128.load(center + strideOf(channels)) : limits;
      const offsets = isNormalized ? v128.load(center + 2 * strideOf(channels)) : limits;
      let poison = zero;
      let overshoot = zero;
      let at = <usize>start * rowBytes + (<usize>of4 << 2);
      for (let row = 0; row < rows; row++) {
        let value = loadFirst(x + at, width);
        if (isNormalized) value = multiplyAdd(f32x4.sub(value, centers), scales, offsets);
        const slope = loadFirst(dy + at, width);
        const inside = within(isFolded ? folded(value, fold) : value, limits);
        const shifted = f32x4.add(f32x4.sub(f32x4.mul(inside, inverse), shifts), rounding);
        const centre = f32x4.add(f32x4.sub(shifted, rounding), shifts);
        const s = f32x4.mul(multiplyAdd(centre, minusH, inside), inverse);
        const offset = i32x4.shl(i32x4.min_u(i32x4.sub(shifted, entryZero), lastEntry), 4);
        const place = i32x4.add(offset, places);
        let sum = cubicsAt(place, s);
        if (base) sum = f32x4.add(sum, swishSlope(value, origin));
        if (hasMoments) {
          // dy·(1, s, s², s³), a lane's four together, on the piece's moments.
          const first = f32x4.mul(slope, s);
          const second = f32x4.mul(first, s);
          const third = f32x4.mul(second, s);
          poison = multiplyAdd(third, zero, poison);
          if (isFolded && rises) overshoot = multiplyAdd(slope, beyond(value, fold), overshoot);
          const m01 = v128.shuffle<i32>(slope, first, 0, 4, 1, 5);
          const m23 = v128.shuffle<i32>(second, third, 0, 4, 1, 5);
          const n01 = v128.shuffle<i32>(slope, first, 2, 6, 3, 7);
          const n23 = v128.shuffle<i32>(second, third, 2, 6, 3, 7);
          const to = i32x4.add(offset, momentPlaces);
          add(<usize>i32x4.extract_lane(to, 0), v128.shuffle<i64>(m01, m23, 0, 2));
          add(<usize>i32x4.extract_lane(to, 1), v128.shuffle<i64>(m01, m23, 1, 3));
          add(<usize>i32x4.extract_lane(to, 2), v128.shuffle<i64>(n01, n23, 0, 2));
          add(<usize>i32x4.extract_lane(to, 3), v128.shuffle<i64>(n01, n23, 1, 3));
        }
        storeFirst(dx + at, f32x4.mul(slope, sum), width);
        at += rowBytes;
      }
      if (hasMoments) {
        // The last entry belongs to no element.
        const spare = ownMoments + tableBytes - PIECE;
        const low = v128.shuffle<i32>(poison, overshoot, 0, 4, 1, 5);
        const high = v128.shuffle<i32>(poison, overshoot, 2, 6, 3, 7);
        add(spare, v128.shuffle<i64>(low, zero, 0, 2));
        add(spare + tableBytes, v128.shuffle<i64>(low, zero, 1, 2));
        add(spare + 2 * tableBytes, v128.shuffle<i64>(high, zero, 0, 2));
        add(spare + 3 * tableBytes, v128.shuffle<i64>(high, zero, 1, 2));
      }
    }
  }
}

/** Where x is on the folded axis; NaN stays. */
// @ts-ignore: decorator
@inline
function folded(x: v128, fold: f32): v128 {
  const size = f32x4.abs(x);
  const far = f32x4.sub(f32x4.splat(2 * fold), f32x4.div(f32x4.splat(fold * fold), size));
  const signed = v128.or(far, v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(signed, x, f32x4.gt(size, f32x4.splat(fold)));
}

/** max(0, x − fold), which of a NaN is one. */
// @ts-ignore: decorator
@inline
function beyond(x: v128, fold: f32): v128 {
  return f32x4.max(f32x4.sub(x, f32x4.splat(fold)), f32x4.splat(0));
}

/** The second of the four floats at each lane's place. */
// @ts-ignore: decorator
@inline
function secondsAt(places: v128): v128 {
  let seconds = v128.load32_splat(<usize>i32x4.extract_lane(places, 0), 4);
  seconds = f32x4.replace_lane(seconds, 1, load<f32>(<usize>i32x4.extract_lane(places, 1), 4));
  seconds = f32x4.replace_lane(seconds, 2, load<f32>(<usize>i32x4.extract_lane(places, 2), 4));
  return f32x4.replace_lane(seconds, 3, load<f32>(<usize>i32x4.extract_lane(places, 3), 4));
}

// @ts-ignore: decorator
@inline
function add(address: usize, value: v128): void {
  v128.store(address, f32x4.add(v128.load(address), value));
}

/** sums[c][i] = Σ over the element's pieces of piece·moments. */
function gatherMoments(
  moments: usize, nEntries: i32, pieces: usize, nPieces: i32, perStep: i32, dictionary: i32, sums: usize,
): void {
  const tableBytes = <usize>nEntries * PIECE;
  const piecesBytes = <usize>nPieces * PIECE;
  for (let channel = 0; channel < CHANNELS; channel++) {
    const poison = load<f32>(moments + tableBytes - PIECE) * 0;
    for (let i = 0; i < dictionary; i++) {
      const from = moments + <usize>(1 + i * perStep) * PIECE;
      let sum = f32x4.splat(0);
      for (let at: usize = 0; at < piecesBytes; at += PIECE) {
        sum = multiplyAdd(v128.load(pieces + at), v128.load(from + at), sum);
      }
      const total = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3);
      store<f32>(sums, total + poison);
      sums += 4;
    }
    moments += tableBytes;
  }
}
