// Four float32 lanes: the multiply-add that both builds share, tails, and sums carried on in float64. Imported by the kernels;
// exports no kernel itself.

/** Bytes of one float32. */
export const F32: usize = 4;

/** a·b + c by lane: fused where the build has relaxed SIMD, else rounded twice. */
// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

// @ts-ignore: decorator
@inline
export function zeros(): v128 {
  return f32x4.splat(0);
}

const ZERO = memory.data<u32>([0]);

/**
 * 0, in a way that no compiler can know, to load constants with: `v128.load32_splat(opaqueZero(), ADDRESS)` is one instruction
 * where the zero is kept. V8 makes a vector constant by seven instructions wherever it is used (twice that for a joined pair), and
 * a constant address by one more; in exp and what is made of it that was half of the time.
 */
// @ts-ignore: decorator
@inline
export function opaqueZero(): usize {
  return load<u32>(ZERO);
}

/** Stores the first `count` (1…4) lanes. */
// @ts-ignore: decorator
@inline
export function storeFirst(address: usize, lanes: v128, count: i32): void {
  if (count >= 4) {
    v128.store(address, lanes);
    return;
  }
  v128.store_lane<f32>(address, lanes, 0);
  if (count > 1) v128.store_lane<f32>(address, lanes, 1, 4);
  if (count > 2) v128.store_lane<f32>(address, lanes, 2, 8);
}

/** Loads the first `count` (1…4) lanes; the others are 0. */
// @ts-ignore: decorator
@inline
export function loadFirst(address: usize, count: i32): v128 {
  if (count >= 4) return v128.load(address);
  let lanes = f32x4.splat(0);
  lanes = v128.load_lane<f32>(address, lanes, 0);
  if (count > 1) lanes = v128.load_lane<f32>(address, lanes, 1, 4);
  if (count > 2) lanes = v128.load_lane<f32>(address, lanes, 2, 8);
  return lanes;
}

/** sums[i] += partial[i], float64 += float32, for i < count, a multiple of 4. */
export function addToDoubles(sums: usize, partial: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const values = v128.load(partial);
    v128.store(sums, f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(values)));
    const high = v128.shuffle<f32>(values, values, 2, 3, 2, 3);
    v128.store(sums, f64x2.add(v128.load(sums, 16), f64x2.promote_low_f32x4(high)), 16);
    partial += 16;
    sums += 32;
  }
}
