// Maxout on x [rows, K, C]: the largest of K values, four channels in the lanes. NaN wins; of equal ones, and of several NaN, the
// first. Exact.
import { loadFirst, storeFirst, zeros } from './parts/lanes';

/** Where `value` takes the place of `best`: it is larger, or NaN where that is none. */
// @ts-ignore: decorator
@inline
function isTaken(value: v128, best: v128): v128 {
  return v128.andnot(f32x4.eq(best, best), f32x4.le(value, best));
}

/** Rows first…last of y [rows, C]. */
export function maxoutForward(x: usize, y: usize, channels: i32, maps: i32, first: i32, last: i32): void {
  const blockBytes = <usize>channels << 2;
  for (let row = first; row < last; row++) {
    for (let channel = 0; channel < channels; channel += 4) {
      const width = min(4, channels - channel);
      let at = <usize>row * <usize>maps * blockBytes + (<usize>channel << 2);
      let best = loadFirst(x + at, width);
      for (let map = 1; map < maps; map++) {
        at += blockBytes;
        const value = loadFirst(x + at, width);
        best = v128.bitselect(value, best, isTaken(value, best));
      }
      storeFirst(y + <usize>row * blockBytes + (<usize>channel << 2), best, width);
    }
  }
}

/** Rows first…last of dx [rows, K, C]: dy [rows, C] where the largest is, 0 elsewhere. */
export function maxoutBackward(
  dy: usize, x: usize, dx: usize, channels: i32, maps: i32, first: i32, last: i32,
): void {
  const blockBytes = <usize>channels << 2;
  for (let row = first; row < last; row++) {
    for (let channel = 0; channel < channels; channel += 4) {
      const width = min(4, channels - channel);
      const start = <usize>row * <usize>maps * blockBytes + (<usize>channel << 2);
      let best = loadFirst(x + start, width);
      let winner = zeros();
      for (let map = 1; map < maps; map++) {
        const value = loadFirst(x + start + <usize>map * blockBytes, width);
        const taken = isTaken(value, best);
        best = v128.bitselect(value, best, taken);
        winner = v128.bitselect(i32x4.splat(map), winner, taken);
      }
      const upstream = loadFirst(dy + <usize>row * blockBytes + (<usize>channel << 2), width);
      for (let map = 0; map < maps; map++) {
        const given = v128.and(upstream, i32x4.eq(winner, i32x4.splat(map)));
        storeFirst(dx + start + <usize>map * blockBytes, given, width);
      }
    }
  }
}
