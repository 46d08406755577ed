// k-winners-take-all on samples [size][lanes] of floats, each lane a group of its own: one lane is the whole sample. The k-th largest is
// found by radix selection on the bits of the floats, 11, 11 and 10 at a time; NaN counts as the largest. Order: by position.
import { loadFirst, storeFirst } from './parts/lanes';

/** Numbers that are ordered as the floats are; −0 is 0. */
// @ts-ignore: decorator
@inline
function keyOf(bits: i32): u32 {
  if ((bits & 0x7fffffff) > 0x7f800000) return 0xffffffff;
  if (bits === 0x80000000) bits = 0;
  return <u32>(bits ^ ((bits >> 31) | <i32>0x80000000));
}

// @ts-ignore: decorator
@inline
function floatOf(key: u32): f32 {
  const bits = <i32>key;
  return reinterpret<f32>(bits < 0 ? bits ^ <i32>0x80000000 : ~bits);
}

/**
 * thresholds[g] = the `count`-th largest of group g, for groups first…last, and quotas[g] how many that equal it are among the `count`, or
 * −1 without `isExact`; `counts` is room for 2048 integers.
 */
export function selectThresholds(
  x: usize, size: i32, lanes: i32, count: i32, isExact: i32, thresholds: usize, quotas: usize, counts: usize, first: i32, last: i32,
): void {
  const stride = <usize>lanes << 2;
  for (let group = first; group < last; group++) {
    const start = x + <usize>(group / lanes) * <usize>size * stride + (<usize>(group % lanes) << 2);
    const end = start + <usize>size * stride;
    let prefix: u32 = 0;
    let known: u32 = 0;
    let shift: u32 = 21;
    let rank = count;
    for (let pass = 0; pass < 3; pass++) {
      const digits: u32 = pass < 2 ? 2048 : 1024;
      memory.fill(counts, 0, <usize>digits << 2);
      for (let at = start; at < end; at += stride) {
        const key = keyOf(load<i32>(at));
        if ((key & known) !== prefix) continue;
        const place = counts + (<usize>((key >> shift) & (digits - 1)) << 2);
        store<i32>(place, load<i32>(place) + 1);
      }
      let digit = digits - 1;
      while (load<i32>(counts + (<usize>digit << 2)) < rank) {
        rank -= load<i32>(counts + (<usize>digit << 2));
        digit--;
      }
      prefix |= digit << shift;
      known |= (digits - 1) << shift;
      shift = pass === 0 ? 10 : 0;
    }
    store<f32>(thresholds + (<usize>group << 2), floatOf(prefix));
    store<i32>(quotas + (<usize>group << 2), isExact ? rank : -1);
  }
}

/**
 * y = values where x is above its group's threshold, or equals it and is one of the first `quotas` (any, for −1), or is NaN; else 0.
 * For samples first…last.
 */
export function keepWinners(
  values: usize, x: usize, thresholds: usize, quotas: usize, y: usize, size: i32, lanes: i32, first: i32, last: i32,
): void {
  for (let sample = first; sample < last; sample++) {
    if (lanes === 1) {
      const at = <usize>sample << 2;
      keepOfSample(values, x, load<f32>(thresholds + at), load<i32>(quotas + at), y, size, sample);
    } else keepOfChannels(values, x, thresholds, quotas, y, size, lanes, sample);
  }
}

function keepOfSample(values: usize, x: usize, threshold: f32, quota: i32, y: usize, size: i32, sample: i32): void {
  const start = (<usize>sample * <usize>size) << 2;
  const thresholds = f32x4.splat(threshold);
  for (let i = 0; i < size; i += 4) {
    const width = min(4, size - i);
    const at = start + (<usize>i << 2);
    const value = loadFirst(x + at, width);
    const isAbove = quota < 0 ? f32x4.ge(value, thresholds) : f32x4.gt(value, thresholds);
    const isKept = v128.or(isAbove, f32x4.ne(value, value));
    storeFirst(y + at, v128.and(loadFirst(values + at, width), isKept), width);
  }
  // The ties, of which there are few.
  const end = start + (<usize>size << 2);
  for (let at = start; quota > 0 && at < end; at += 4) {
    if (load<f32>(x + at) !== threshold) continue;
    store<f32>(y + at, load<f32>(values + at));
    quota--;
  }
}

function keepOfChannels(
  values: usize, x: usize, thresholds: usize, quotas: usize, y: usize, size: i32, lanes: i32, sample: i32,
): void {
  const rowBytes = <usize>lanes << 2;
  const start = <usize>sample * <usize>size * rowBytes;
  const groups = <usize>sample * rowBytes;
  for (let lane = 0; lane < lanes; lane += 4) {
    const width = min(4, lanes - lane);
    const offset = <usize>lane << 2;
    const threshold = loadFirst(thresholds + groups + offset, width);
    let quota = loadFirst(quotas + groups + offset, width);
    let at = start + offset;
    for (let i = 0; i < size; i++) {
      const value = loadFirst(x + at, width);
      const isTie = v128.and(f32x4.eq(value, threshold), i32x4.ne(quota, i32x4.splat(0)));
      // From −1 downwards it never comes to 0.
      quota = i32x4.add(quota, isTie);
      const isKept = v128.or(v128.or(f32x4.gt(value, threshold), isTie), f32x4.ne(value, value));
      storeFirst(y + at, v128.and(loadFirst(values + at, width), isKept), width);
      at += rowBytes;
    }
  }
}
