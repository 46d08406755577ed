// exp and the logistic function on four lanes. Cody and Waite's reduction and Cephes' polynomial of degree 6; against float64
// the relative error of `exponential` stays under 2.5e-7. Imported, exports no kernel.
import { multiplyAdd } from './lanes';

/** exp(x) for −87 ≤ x ≤ 88, without a check. NaN gives NaN. */
// @ts-ignore: decorator
@inline
export function exponentialWithin(x: v128): v128 {
  // Adding 1.5·2²³ rounds to an integer, which the sum then holds in its lowest bits.
  const magic = f32x4.splat(12582912);
  const shifted = multiplyAdd(x, f32x4.splat(1.44269504088896341), magic);
  const n = f32x4.sub(shifted, magic);
  // ln 2 in two parts: n times the first is exact.
  let r = multiplyAdd(n, f32x4.splat(-0.693359375), x);
  r = multiplyAdd(n, f32x4.splat(2.12194440e-4), r);
  let p = f32x4.splat(1.9875691500e-4);
  p = multiplyAdd(p, r, f32x4.splat(1.3981999507e-3));
  p = multiplyAdd(p, r, f32x4.splat(8.3334519073e-3));
  p = multiplyAdd(p, r, f32x4.splat(4.1665795894e-2));
  p = multiplyAdd(p, r, f32x4.splat(1.6666665459e-1));
  p = multiplyAdd(p, r, f32x4.splat(5.0000001201e-1));
  p = multiplyAdd(p, f32x4.mul(r, r), f32x4.add(r, f32x4.splat(1)));
  return f32x4.mul(p, i32x4.add(i32x4.shl(shifted, 23), i32x4.splat(0x3f800000)));
}

/** exp(x) for x clamped to [−87, 88]: no underflow, no infinity. NaN gives NaN. */
// @ts-ignore: decorator
@inline
export function exponential(x: v128): v128 {
  return exponentialWithin(f32x4.max(f32x4.min(x, f32x4.splat(88)), f32x4.splat(-87)));
}

/** σ(x) = 1/(1 + exp(−x)); NaN gives NaN. */
// @ts-ignore: decorator
@inline
export function logistic(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exponential(f32x4.neg(x))));
}

/** x·σ(x) with its limits 0 and +Inf. */
// @ts-ignore: decorator
@inline
export function swish(x: v128): v128 {
  // Below −100 the value is under 4e-42 in magnitude; clamping there keeps −Inf·0 out.
  x = f32x4.max(x, f32x4.splat(-100));
  return f32x4.mul(x, logistic(x));
}

/** σ(x)·(1 + x·(1 − σ(x))) with its limits 0 and 1. */
// @ts-ignore: decorator
@inline
export function swishSlope(x: v128): v128 {
  x = f32x4.min(f32x4.max(x, f32x4.splat(-100)), f32x4.splat(100));
  const one = f32x4.splat(1);
  const s = logistic(x);
  return f32x4.mul(s, multiplyAdd(x, f32x4.sub(one, s), one));
}
