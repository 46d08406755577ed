// The fixed activations and their derivatives: 0 ReLU, 1 ELU, 2 Swish, 3 step, 4 sigmoid, 5 tanh, 6 leaky ReLU, 7 GELU,
// 8 softplus, 9 SmoothReLU. NaN gives NaN, ±Inf the limit. `alpha` is what ops/activation.ts says of each.
import { exponential, logistic, logOnePlus, normalTail, swish, swishSlope, tanh } from './parts/exponential';
import { loadFirst, multiplyAdd, storeFirst } from './parts/lanes';

/** exp(x) − 1 for x ≤ 0: a polynomial where exp would cancel. Relative error under 3e-7. */
// @ts-ignore: decorator
@inline
function exponentialMinusOne(x: v128): v128 {
  let p = f32x4.splat(1.0 / 5040);
  p = multiplyAdd(p, x, f32x4.splat(1.0 / 720));
  p = multiplyAdd(p, x, f32x4.splat(1.0 / 120));
  p = multiplyAdd(p, x, f32x4.splat(1.0 / 24));
  p = multiplyAdd(p, x, f32x4.splat(1.0 / 6));
  p = multiplyAdd(p, x, f32x4.splat(0.5));
  p = multiplyAdd(p, f32x4.mul(x, x), x);
  const far = f32x4.sub(exponential(x), f32x4.splat(1));
  return v128.bitselect(far, p, f32x4.lt(x, f32x4.splat(-0.5)));
}

// @ts-ignore: decorator
@inline
function gelu(x: v128): v128 {
  const zero = f32x4.splat(0);
  const tail = normalTail(f32x4.abs(x));
  const share = v128.bitselect(f32x4.sub(f32x4.splat(1), tail), tail, f32x4.gt(x, zero));
  // Beyond −40 the tail is at its least: clamping there keeps −Inf·tail out.
  return f32x4.mul(f32x4.max(x, f32x4.splat(-40)), share);
}

/** Φ(x) + x·φ(x). */
// @ts-ignore: decorator
@inline
function geluSlope(x: v128): v128 {
  x = f32x4.min(f32x4.max(x, f32x4.splat(-40)), f32x4.splat(40));
  const tail = normalTail(f32x4.abs(x));
  const share = v128.bitselect(f32x4.sub(f32x4.splat(1), tail), tail, f32x4.gt(x, f32x4.splat(0)));
  const density = f32x4.mul(exponential(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5))), f32x4.splat(0.39894228));
  return multiplyAdd(x, density, share);
}

/** max(x, 0) + log(1 + exp(−|a·x|))/a. */
// @ts-ignore: decorator
@inline
function softplus(x: v128, a: v128): v128 {
  const rest = logOnePlus(exponential(f32x4.neg(f32x4.abs(f32x4.mul(a, x)))));
  return f32x4.add(f32x4.max(x, f32x4.splat(0)), f32x4.div(rest, a));
}

// @ts-ignore: decorator
@inline
function smoothRelu(x: v128, beta: v128): v128 {
  const above = f32x4.max(x, f32x4.splat(0));
  // The clamp keeps Inf − Inf out.
  const scaled = f32x4.min(f32x4.mul(above, beta), f32x4.splat(3.0e38));
  return f32x4.sub(above, f32x4.div(logOnePlus(scaled), beta));
}

// @ts-ignore: decorator
@inline
function valueLanes(type: i32, x: v128, alpha: v128): v128 {
  const zero = f32x4.splat(0);
  if (type === 0) return f32x4.max(x, zero);
  if (type === 1) {
    const below = f32x4.mul(alpha, exponentialMinusOne(f32x4.min(x, zero)));
    return v128.bitselect(x, below, f32x4.gt(x, zero));
  }
  if (type === 2) return swish(x);
  if (type === 3) return v128.bitselect(x, v128.and(f32x4.splat(1), f32x4.ge(x, zero)), f32x4.ne(x, x));
  if (type === 4) return logistic(x);
  if (type === 5) return tanh(x);
  if (type === 6) return v128.bitselect(x, f32x4.mul(alpha, x), f32x4.gt(x, zero));
  if (type === 7) return gelu(x);
  if (type === 8) return softplus(x, alpha);
  return smoothRelu(x, alpha);
}

/** dy·f′(x); a NaN x lets ReLU's dy through. */
// @ts-ignore: decorator
@inline
function gradientLanes(type: i32, dy: v128, x: v128, alpha: v128): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  if (type === 0) return v128.andnot(dy, f32x4.le(x, zero));
  if (type === 1) {
    // Beyond −87 the slope counts as 0.
    const inner = v128.andnot(exponential(f32x4.min(x, zero)), f32x4.lt(x, f32x4.splat(-87)));
    return v128.bitselect(dy, f32x4.mul(dy, f32x4.mul(alpha, inner)), f32x4.gt(x, zero));
  }
  if (type === 2) return f32x4.mul(dy, swishSlope(x));
  if (type === 3) return v128.and(dy, f32x4.lt(f32x4.abs(x), alpha));
  if (type === 4) {
    const s = logistic(x);
    return f32x4.mul(dy, f32x4.mul(s, f32x4.sub(one, s)));
  }
  if (type === 5) {
    const t = tanh(x);
    return f32x4.mul(dy, f32x4.sub(one, f32x4.mul(t, t)));
  }
  if (type === 6) return v128.bitselect(dy, f32x4.mul(dy, alpha), f32x4.gt(x, zero));
  if (type === 7) return f32x4.mul(dy, geluSlope(x));
  if (type === 8) return f32x4.mul(dy, logistic(f32x4.mul(alpha, x)));
  const slope = f32x4.sub(one, f32x4.div(one, multiplyAdd(alpha, x, one)));
  return v128.andnot(f32x4.mul(dy, slope), f32x4.le(x, zero));
}

/** Elements first…last. */
export function activate(type: i32, x: usize, y: usize, alpha: f32, first: i32, last: i32): void {
  const parameter = f32x4.splat(alpha);
  for (let i = first; i < last; i += 4) {
    const width = min(4, last - i);
    const at = <usize>i << 2;
    storeFirst(y + at, valueLanes(type, loadFirst(x + at, width), parameter), width);
  }
}

/** Elements first…last of dx = dy·f′(x). */
export function activateGradient(type: i32, dy: usize, x: usize, dx: usize, alpha: f32, first: i32, last: i32): void {
  const parameter = f32x4.splat(alpha);
  for (let i = first; i < last; i += 4) {
    const width = min(4, last - i);
    const at = <usize>i << 2;
    const result = gradientLanes(type, loadFirst(dy + at, width), loadFirst(x + at, width), parameter);
    storeFirst(dx + at, result, width);
  }
}
