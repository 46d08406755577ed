// exp, log(1 + x) and what is made of them on four lanes; `origin` is `opaqueZero()`. Cody and Waite's reduction and Cephes' polynomial of degree 6; against float64
// the relative error of `exponential` stays under 2.5e-7. Imported, exports no kernel.
import { multiplyAdd } from './lanes';

const ONE = memory.data<f32>([1]);
const TWO = memory.data<f32>([2]);
const HALF = memory.data<f32>([0.5]);
const HUNDRED = memory.data<f32>([100]);
const MINUS_HUNDRED = memory.data<f32>([-100]);
const MINUS_ZERO = memory.data<f32>([-0.0]);
/** 1.5·2²³: adding it rounds to an integer, which the sum then holds in its lowest bits. */
const ROUNDING = memory.data<f32>([12582912]);
/** Of 1, as an integer: added to an integer in the exponent's place it makes a power of two. */
const BITS_OF_ONE = memory.data<i32>([0x3f800000]);
const BITS_OF_ROOT_HALF = memory.data<i32>([0x3f3504f3]);
const LOG2_E = memory.data<f32>([1.44269504088896341]);
const LOG_2 = memory.data<f32>([0.69314718]);
/** −ln 2 in two parts: an integer times the first is exact. */
const MINUS_LOG_2 = memory.data<f32>([-0.693359375, 2.12194440e-4]);
const EXP_RANGE = memory.data<f32>([-87, 88]);
/** (exp(r) − 1 − r)/r² on ±½ ln 2, highest power first, as all that follow. */
const EXP = memory.data<f32>([
  1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
]);
/** 2^r on ±½. */
const POWER_OF_TWO = memory.data<f32>([
  1.3276470688961767e-3, 9.675541324057074e-3, 5.550713277530472e-2, 2.4022119724098887e-1, 6.931469670622911e-1, 1.000000071654605,
]);
/** artanh(s)/s − 1, over s², by s². */
const ARTANH = memory.data<f32>([1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3]);
/** (tanh(x)/x − 1)/x², by x². */
const TANH = memory.data<f32>([-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1]);
const TANH_NEAR = memory.data<f32>([0.625]);
const ROOT_HALF = memory.data<f32>([0.70710678]);
const NORMAL_TAIL = memory.data<f32>([
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368, -1.26551223,
]);

/** exp(x) for −87 ≤ x ≤ 88, without a check. NaN gives NaN. */
// @ts-ignore: decorator
@inline
export function exponentialWithin(x: v128, origin: usize): v128 {
  const shifted = multiplyAdd(x, v128.load32_splat(origin, LOG2_E), v128.load32_splat(origin, ROUNDING));
  const n = f32x4.sub(shifted, v128.load32_splat(origin, ROUNDING));
  let r = multiplyAdd(n, v128.load32_splat(origin, MINUS_LOG_2), x);
  r = multiplyAdd(n, v128.load32_splat(origin, MINUS_LOG_2 + 4), r);
  let p = v128.load32_splat(origin, EXP);
  p = multiplyAdd(p, r, v128.load32_splat(origin, EXP + 4));
  p = multiplyAdd(p, r, v128.load32_splat(origin, EXP + 8));
  p = multiplyAdd(p, r, v128.load32_splat(origin, EXP + 12));
  p = multiplyAdd(p, r, v128.load32_splat(origin, EXP + 16));
  p = multiplyAdd(p, r, v128.load32_splat(origin, EXP + 20));
  p = multiplyAdd(p, f32x4.mul(r, r), f32x4.add(r, v128.load32_splat(origin, ONE)));
  return f32x4.mul(p, i32x4.add(i32x4.shl(shifted, 23), v128.load32_splat(origin, BITS_OF_ONE)));
}

/**
 * 2^x for −126 ≤ x ≤ 127, without a check: cheaper than exp, by a minimax polynomial of degree 5. Relative error under 3e-7;
 * NaN gives NaN.
 */
// @ts-ignore: decorator
@inline
export function powerOfTwoWithin(x: v128, origin: usize): v128 {
  const shifted = f32x4.add(x, v128.load32_splat(origin, ROUNDING));
  const r = f32x4.sub(x, f32x4.sub(shifted, v128.load32_splat(origin, ROUNDING)));
  let p = v128.load32_splat(origin, POWER_OF_TWO);
  p = multiplyAdd(p, r, v128.load32_splat(origin, POWER_OF_TWO + 4));
  p = multiplyAdd(p, r, v128.load32_splat(origin, POWER_OF_TWO + 8));
  p = multiplyAdd(p, r, v128.load32_splat(origin, POWER_OF_TWO + 12));
  p = multiplyAdd(p, r, v128.load32_splat(origin, POWER_OF_TWO + 16));
  p = multiplyAdd(p, r, v128.load32_splat(origin, POWER_OF_TWO + 20));
  return f32x4.mul(p, i32x4.add(i32x4.shl(shifted, 23), v128.load32_splat(origin, BITS_OF_ONE)));
}

/** exp(x) for x clamped to [−87, 88]: no underflow, no infinity. NaN gives NaN. */
// @ts-ignore: decorator
@inline
export function exponential(x: v128, origin: usize): v128 {
  return exponentialWithin(f32x4.max(f32x4.min(x, v128.load32_splat(origin, EXP_RANGE + 4)), v128.load32_splat(origin, EXP_RANGE)), origin);
}

/** σ(x) = 1/(1 + exp(−x)); NaN gives NaN. */
// @ts-ignore: decorator
@inline
export function logistic(x: v128, origin: usize): v128 {
  const one = v128.load32_splat(origin, ONE);
  return f32x4.div(one, f32x4.add(one, exponential(f32x4.neg(x), origin)));
}

/** x·σ(x) with its limits 0 and +Inf. */
// @ts-ignore: decorator
@inline
export function swish(x: v128, origin: usize): v128 {
  // Below −100 the value is under 4e-42 in magnitude; clamping there keeps −Inf·0 out.
  x = f32x4.max(x, v128.load32_splat(origin, MINUS_HUNDRED));
  return f32x4.mul(x, logistic(x, origin));
}

/** σ(x)·(1 + x·(1 − σ(x))) with its limits 0 and 1. */
// @ts-ignore: decorator
@inline
export function swishSlope(x: v128, origin: usize): v128 {
  x = f32x4.min(f32x4.max(x, v128.load32_splat(origin, MINUS_HUNDRED)), v128.load32_splat(origin, HUNDRED));
  const one = v128.load32_splat(origin, ONE);
  const s = logistic(x, origin);
  return f32x4.mul(s, multiplyAdd(x, f32x4.sub(one, s), one));
}

/** log(1 + x) for x ≥ 0 and finite; NaN gives NaN. Relative error under 3e-7. */
// @ts-ignore: decorator
@inline
export function logOnePlus(x: v128, origin: usize): v128 {
  const one = v128.load32_splat(origin, ONE);
  const sum = f32x4.add(x, one);
  // 1 + x = m·2ⁿ with m in [√½, √2): the bits of √½ are taken off, and what is left of the exponent is n.
  const n = i32x4.shr_s(i32x4.sub(sum, v128.load32_splat(origin, BITS_OF_ROOT_HALF)), 23);
  const m = i32x4.sub(sum, i32x4.shl(n, 23));
  // Where n = 0, x itself is m − 1 without the rounding of 1 + x.
  const f = v128.bitselect(x, f32x4.sub(m, one), i32x4.eq(n, i32x4.splat(0)));
  // log m = 2·artanh(s) with s = f/(2 + f), |s| < 0.172.
  const s = f32x4.div(f, f32x4.add(f, v128.load32_splat(origin, TWO)));
  const w = f32x4.mul(s, s);
  let p = v128.load32_splat(origin, ARTANH);
  p = multiplyAdd(p, w, v128.load32_splat(origin, ARTANH + 4));
  p = multiplyAdd(p, w, v128.load32_splat(origin, ARTANH + 8));
  p = multiplyAdd(p, w, v128.load32_splat(origin, ARTANH + 12));
  p = multiplyAdd(p, w, v128.load32_splat(origin, ARTANH + 16));
  const twice = f32x4.add(s, s);
  const mantissa = multiplyAdd(f32x4.mul(twice, w), p, twice);
  const result = multiplyAdd(f32x4.convert_i32x4_s(n), v128.load32_splat(origin, LOG_2), mantissa);
  return v128.bitselect(x, result, f32x4.ne(x, x));
}

/** tanh(x): a polynomial (Cephes) where the quotient would cancel. Relative error under 3e-7; NaN gives NaN. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128, origin: usize): v128 {
  const one = v128.load32_splat(origin, ONE);
  const w = f32x4.mul(x, x);
  let p = v128.load32_splat(origin, TANH);
  p = multiplyAdd(p, w, v128.load32_splat(origin, TANH + 4));
  p = multiplyAdd(p, w, v128.load32_splat(origin, TANH + 8));
  p = multiplyAdd(p, w, v128.load32_splat(origin, TANH + 12));
  p = multiplyAdd(p, w, v128.load32_splat(origin, TANH + 16));
  const near = multiplyAdd(f32x4.mul(p, w), x, x);
  const size = f32x4.abs(x);
  const far = f32x4.sub(one, f32x4.div(v128.load32_splat(origin, TWO), f32x4.add(exponential(f32x4.add(size, size), origin), one)));
  const signed = v128.or(far, v128.and(x, v128.load32_splat(origin, MINUS_ZERO)));
  return v128.bitselect(near, signed, f32x4.lt(size, v128.load32_splat(origin, TANH_NEAR)));
}

/**
 * 1 − Φ(x) of the standard normal distribution for x ≥ 0, ½·erfc(x/√2) by the fit of Press et al. (Numerical Recipes in C,
 * 2nd ed., §6.2). Relative error under 1e-6 for x ≤ 5; NaN gives NaN.
 */
// @ts-ignore: decorator
@inline
export function normalTail(x: v128, origin: usize): v128 {
  const one = v128.load32_splat(origin, ONE);
  const z = f32x4.mul(x, v128.load32_splat(origin, ROOT_HALF));
  const t = f32x4.div(one, multiplyAdd(z, v128.load32_splat(origin, HALF), one));
  let p = v128.load32_splat(origin, NORMAL_TAIL);
  p = multiplyAdd(p, t, v128.load32_splat(origin, NORMAL_TAIL + 4));
  p = multiplyAdd(p, t, v128.load32_splat(origin, NORMAL_TAIL + 8));
  p = multiplyAdd(p, t, v128.load32_splat(origin, NORMAL_TAIL + 12));
  p = multiplyAdd(p, t, v128.load32_splat(origin, NORMAL_TAIL + 16));
  p = multiplyAdd(p, t, v128.load32_splat(origin, NORMAL_TAIL + 20));
  p = multiplyAdd(p, t, v128.load32_splat(origin, NORMAL_TAIL + 24));
  p = multiplyAdd(p, t, v128.load32_splat(origin, NORMAL_TAIL + 28));
  p = multiplyAdd(p, t, v128.load32_splat(origin, NORMAL_TAIL + 32));
  p = multiplyAdd(p, t, v128.load32_splat(origin, NORMAL_TAIL + 36));
  const exponent = f32x4.sub(p, f32x4.mul(z, z));
  return f32x4.mul(f32x4.mul(t, v128.load32_splat(origin, HALF)), exponential(exponent, origin));
}
