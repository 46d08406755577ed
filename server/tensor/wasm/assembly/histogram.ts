// Counts of values in bins of equal width, four values at a time; ops/histogram.ts says which bin is whose.
import { loadFirst } from './parts/lanes';

/** Adds elements first…last to `counts`, integers: the bins, then what is below, above and not finite. */
export function histogram(
  x: usize, counts: usize, low: f32, high: f32, scale: f32, nBins: i32, first: i32, last: i32,
): void {
  const lastBin = i32x4.splat(nBins - 1);
  for (let i = first; i < last; i += 4) {
    const width = min(4, last - i);
    const value = loadFirst(x + (<usize>i << 2), width);
    // Not fused: difference and product are each rounded, as on every runtime.
    const position = f32x4.mul(f32x4.sub(value, f32x4.splat(low)), f32x4.splat(scale));
    let slot = i32x4.min_s(i32x4.trunc_sat_f32x4_s(position), lastBin);
    slot = v128.bitselect(i32x4.splat(nBins), slot, f32x4.lt(value, f32x4.splat(low)));
    slot = v128.bitselect(i32x4.splat(nBins + 1), slot, f32x4.gt(value, f32x4.splat(high)));
    slot = v128.bitselect(slot, i32x4.splat(nBins + 2), f32x4.lt(f32x4.abs(value), f32x4.splat(Infinity)));
    count(counts, i32x4.extract_lane(slot, 0));
    if (width > 1) count(counts, i32x4.extract_lane(slot, 1));
    if (width > 2) count(counts, i32x4.extract_lane(slot, 2));
    if (width > 3) count(counts, i32x4.extract_lane(slot, 3));
  }
}

// @ts-ignore: decorator
@inline
function count(counts: usize, slot: i32): void {
  const at = counts + (<usize>slot << 2);
  store<i32>(at, load<i32>(at) + 1);
}
