// exp, log(1 + x) and what is made of them on four lanes. Cody and Waite's reduction and Cephes' polynomial of degree 6; against float64
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

/**
 * 2^x for −126 ≤ x ≤ 127, without a check: cheaper than exp, by a minimax polynomial of degree 5. Relative error under 3e-7;
 * NaN gives NaN.
 */
// @ts-ignore: decorator
@inline
export function powerOfTwoWithin(x: v128): v128 {
  const magic = f32x4.splat(12582912);
  const shifted = f32x4.add(x, magic);
  const r = f32x4.sub(x, f32x4.sub(shifted, magic));
  let p = f32x4.splat(1.3276470688961767e-3);
  p = multiplyAdd(p, r, f32x4.splat(9.675541324057074e-3));
  p = multiplyAdd(p, r, f32x4.splat(5.550713277530472e-2));
  p = multiplyAdd(p, r, f32x4.splat(2.4022119724098887e-1));
  p = multiplyAdd(p, r, f32x4.splat(6.931469670622911e-1));
  p = multiplyAdd(p, r, f32x4.splat(1.000000071654605));
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

/** log(1 + x) for x ≥ 0 and finite; NaN gives NaN. Relative error under 3e-7. */
// @ts-ignore: decorator
@inline
export function logOnePlus(x: v128): v128 {
  const one = f32x4.splat(1);
  const sum = f32x4.add(x, one);
  // 1 + x = m·2ⁿ with m in [√½, √2): the bits of √½ are taken off, and what is left of the exponent is n.
  const n = i32x4.shr_s(i32x4.sub(sum, i32x4.splat(0x3f3504f3)), 23);
  const m = i32x4.sub(sum, i32x4.shl(n, 23));
  // Where n = 0, x itself is m − 1 without the rounding of 1 + x.
  const f = v128.bitselect(x, f32x4.sub(m, one), i32x4.eq(n, i32x4.splat(0)));
  // log m = 2·artanh(s) with s = f/(2 + f), |s| < 0.172.
  const s = f32x4.div(f, f32x4.add(f, f32x4.splat(2)));
  const w = f32x4.mul(s, s);
  let p = f32x4.splat(1.0 / 11);
  p = multiplyAdd(p, w, f32x4.splat(1.0 / 9));
  p = multiplyAdd(p, w, f32x4.splat(1.0 / 7));
  p = multiplyAdd(p, w, f32x4.splat(1.0 / 5));
  p = multiplyAdd(p, w, f32x4.splat(1.0 / 3));
  const twice = f32x4.add(s, s);
  const mantissa = multiplyAdd(f32x4.mul(twice, w), p, twice);
  const result = multiplyAdd(f32x4.convert_i32x4_s(n), f32x4.splat(0.69314718), mantissa);
  return v128.bitselect(x, result, f32x4.ne(x, x));
}

/** tanh(x): a polynomial (Cephes) where the quotient would cancel. Relative error under 3e-7; NaN gives NaN. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const one = f32x4.splat(1);
  const w = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = multiplyAdd(p, w, f32x4.splat(2.06390887954e-2));
  p = multiplyAdd(p, w, f32x4.splat(-5.37397155531e-2));
  p = multiplyAdd(p, w, f32x4.splat(1.33314422036e-1));
  p = multiplyAdd(p, w, f32x4.splat(-3.33332819422e-1));
  const near = multiplyAdd(f32x4.mul(p, w), x, x);
  const size = f32x4.abs(x);
  const far = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(exponential(f32x4.add(size, size)), one)));
  const signed = v128.or(far, v128.and(x, f32x4.splat(-0.0)));
  return v128.bitselect(near, signed, f32x4.lt(size, f32x4.splat(0.625)));
}

/**
 * 1 − Φ(x) of the standard normal distribution for x ≥ 0, ½·erfc(x/√2) by the fit of Press et al. (Numerical Recipes in C,
 * 2nd ed., §6.2). Relative error under 1e-6 for x ≤ 5; NaN gives NaN.
 */
// @ts-ignore: decorator
@inline
export function normalTail(x: v128): v128 {
  const one = f32x4.splat(1);
  const z = f32x4.mul(x, f32x4.splat(0.70710678));
  const t = f32x4.div(one, multiplyAdd(z, f32x4.splat(0.5), one));
  let p = f32x4.splat(0.17087277);
  p = multiplyAdd(p, t, f32x4.splat(-0.82215223));
  p = multiplyAdd(p, t, f32x4.splat(1.48851587));
  p = multiplyAdd(p, t, f32x4.splat(-1.13520398));
  p = multiplyAdd(p, t, f32x4.splat(0.27886807));
  p = multiplyAdd(p, t, f32x4.splat(-0.18628806));
  p = multiplyAdd(p, t, f32x4.splat(0.09678418));
  p = multiplyAdd(p, t, f32x4.splat(0.37409196));
  p = multiplyAdd(p, t, f32x4.splat(1.00002368));
  p = multiplyAdd(p, t, f32x4.splat(-1.26551223));
  const exponent = f32x4.sub(p, f32x4.mul(z, z));
  return f32x4.mul(f32x4.mul(t, f32x4.splat(0.5)), exponential(exponent));
}
