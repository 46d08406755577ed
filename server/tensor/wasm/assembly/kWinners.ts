// k-winners-take-all on samples of `size` floats. The k-th largest is found by radix selection on the bits of the floats, 11, 11
// and 10 at a time; NaN counts as the largest.
import { loadFirst, storeFirst } from './parts/lanes';

/** Numbers that are ordered as the floats are. */
// @ts-ignore: decorator
@inline
function keyOf(bits: i32): u32 {
  if ((bits & 0x7fffffff) > 0x7f800000) return 0xffffffff;
  return <u32>(bits ^ ((bits >> 31) | <i32>0x80000000));
}

// @ts-ignore: decorator
@inline
function floatOf(key: u32): f32 {
  const bits = <i32>key;
  return reinterpret<f32>(bits < 0 ? bits ^ <i32>0x80000000 : ~bits);
}

/** thresholds[i] = the `count`-th largest of sample i, for samples first…last; `counts` is room for 2048 integers. */
export function selectThresholds(
  x: usize, size: i32, count: i32, thresholds: usize, counts: usize, first: i32, last: i32,
): void {
  for (let sample = first; sample < last; sample++) {
    const start = x + ((<usize>sample * <usize>size) << 2);
    const end = start + (<usize>size << 2);
    let prefix: u32 = 0;
    let known: u32 = 0;
    let shift: u32 = 21;
    let rank = count;
    for (let pass = 0; pass < 3; pass++) {
      const digits: u32 = pass < 2 ? 2048 : 1024;
      memory.fill(counts, 0, <usize>digits << 2);
      for (let at = start; at < end; at += 4) {
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
    store<f32>(thresholds + (<usize>sample << 2), floatOf(prefix));
  }
}

/** y = values where x ≥ its sample's threshold or x is NaN, else 0, for samples first…last. */
export function keepWinners(
  values: usize, x: usize, thresholds: usize, y: usize, size: i32, first: i32, last: i32,
): void {
  for (let sample = first; sample < last; sample++) {
    const start = (<usize>sample * <usize>size) << 2;
    const threshold = v128.load32_splat(thresholds + (<usize>sample << 2));
    for (let i = 0; i < size; i += 4) {
      const width = min(4, size - i);
      const at = start + (<usize>i << 2);
      const value = loadFirst(x + at, width);
      const isKept = v128.or(f32x4.ge(value, threshold), f32x4.ne(value, value));
      storeFirst(y + at, v128.and(loadFirst(values + at, width), isKept), width);
    }
  }
}
