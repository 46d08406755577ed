// exp and what is made of it on four lanes; `origin` is `opaqueZero()`. Cody and Waite's reduction and Cephes' polynomial of
// degree 6; against float64 the relative error of `exponential` stays under 2.5e-7. Imported, exports no kernel.
import { multiplyAdd } from './lanes';

const ONE = memory.data<f32>([1]);
const HUNDRED = memory.data<f32>([100]);
const MINUS_HUNDRED = memory.data<f32>([-100]);
/** 1.5·2²³: adding it rounds to an integer, which the sum then holds in its lowest bits. */
const ROUNDING = memory.data<f32>([12582912]);
/** Of 1, as an integer: added to an integer in the exponent's place it makes a power of two. */
const BITS_OF_ONE = memory.data<i32>([0x3f800000]);
const LOG2_E = memory.data<f32>([1.44269504088896341]);
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
