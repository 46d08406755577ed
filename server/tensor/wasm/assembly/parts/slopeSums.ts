// The sums of a batch normalisation's gradient over one block of rows: of batchNorm.ts, and of kaf.ts while the block is in the cache.
import { loadFirst, multiplyAdd } from './lanes';

/**
 * Adds Σ dy and Σ dy·(x − center) over `rows` rows, for channels channel…end, to `sums`, float64 [⌈C/4⌉·4][2]. In float32 over the
 * block, rows ascending.
 */
export function addSlopeSums(
  dy: usize, x: usize, rows: i32, rowBytes: usize, channel: i32, end: i32, center: usize, sums: usize,
): void {
  for (; channel <= end - 16; channel += 16) {
    const offset = <usize>channel << 2;
    const c = center + offset;
    const c0 = v128.load(c);
    const c1 = v128.load(c, 16);
    const c2 = v128.load(c, 32);
    const c3 = v128.load(c, 48);
    let total0 = f32x4.splat(0);
    let total1 = total0;
    let total2 = total0;
    let total3 = total0;
    let product0 = total0;
    let product1 = total0;
    let product2 = total0;
    let product3 = total0;
    let slopes = dy + offset;
    let from = x + offset;
    for (let row = 0; row < rows; row++) {
      const slope0 = v128.load(slopes);
      const slope1 = v128.load(slopes, 16);
      const slope2 = v128.load(slopes, 32);
      const slope3 = v128.load(slopes, 48);
      total0 = f32x4.add(total0, slope0);
      total1 = f32x4.add(total1, slope1);
      total2 = f32x4.add(total2, slope2);
      total3 = f32x4.add(total3, slope3);
      product0 = multiplyAdd(slope0, f32x4.sub(v128.load(from), c0), product0);
      product1 = multiplyAdd(slope1, f32x4.sub(v128.load(from, 16), c1), product1);
      product2 = multiplyAdd(slope2, f32x4.sub(v128.load(from, 32), c2), product2);
      product3 = multiplyAdd(slope3, f32x4.sub(v128.load(from, 48), c3), product3);
      slopes += rowBytes;
      from += rowBytes;
    }
    const to = sums + (<usize>channel << 4);
    addFourPairs(to, total0, product0);
    addFourPairs(to + 64, total1, product1);
    addFourPairs(to + 128, total2, product2);
    addFourPairs(to + 192, total3, product3);
  }
  for (; channel < end; channel += 4) {
    const width = min(4, end - channel);
    const offset = <usize>channel << 2;
    const c = v128.load(center + offset);
    let total = f32x4.splat(0);
    let product = total;
    let at = offset;
    for (let row = 0; row < rows; row++) {
      const slope = loadFirst(dy + at, width);
      total = f32x4.add(total, slope);
      product = multiplyAdd(slope, f32x4.sub(loadFirst(x + at, width), c), product);
      at += rowBytes;
    }
    addFourPairs(sums + (<usize>channel << 4), total, product);
  }
}

function addFourPairs(to: usize, first: v128, second: v128): void {
  addPair(to, f32x4.extract_lane(first, 0), f32x4.extract_lane(second, 0));
  addPair(to + 16, f32x4.extract_lane(first, 1), f32x4.extract_lane(second, 1));
  addPair(to + 32, f32x4.extract_lane(first, 2), f32x4.extract_lane(second, 2));
  addPair(to + 48, f32x4.extract_lane(first, 3), f32x4.extract_lane(second, 3));
}

// @ts-ignore: decorator
@inline
function addPair(to: usize, first: f32, second: f32): void {
  store<f64>(to, load<f64>(to) + <f64>first);
  store<f64>(to + 8, load<f64>(to + 8) + <f64>second);
}
