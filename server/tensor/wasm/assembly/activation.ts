// The fixed activations and their derivatives. NaN gives NaN, ±Inf the limit. `alpha` is what ops/activation.ts says of each.
import { exponential, logistic, logOnePlus, normalTail, swish, swishSlope, tanh } from './parts/exponential';
import { loadFirst, multiplyAdd, opaqueZero, storeFirst } from './parts/lanes';

const ONE = memory.data<f32>([1]);
const MINUS_HALF = memory.data<f32>([-0.5]);
/** (exp(x) − 1 − x)/x² on −½ … 0, highest power first. */
const EXP_MINUS_ONE = memory.data<f32>([1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5]);
/** Where the normal distribution's tail is at its least. */
const TAIL_RANGE = memory.data<f32>([-40, 40]);
const ROOT_OF_INVERSE_TWO_PI = memory.data<f32>([0.39894228]);
const ALMOST_INFINITE = memory.data<f32>([3.0e38]);
/** Beyond which ELU's slope counts as 0. */
const ELU_END = memory.data<f32>([-87]);

/** Tags: each activation has loops of its own, in which nothing is left to choose. */
class Relu {}
class Elu {}
class Swish {}
class Step {}
class Sigmoid {}
class Tanh {}
class LeakyRelu {}
class Gelu {}
class Softplus {}
class SmoothRelu {}

/** exp(x) − 1 for x ≤ 0: a polynomial where exp would cancel. Relative error under 3e-7. */
// @ts-ignore: decorator
@inline
function exponentialMinusOne(x: v128, origin: usize): v128 {
  let p = v128.load32_splat(origin, EXP_MINUS_ONE);
  p = multiplyAdd(p, x, v128.load32_splat(origin, EXP_MINUS_ONE + 4));
  p = multiplyAdd(p, x, v128.load32_splat(origin, EXP_MINUS_ONE + 8));
  p = multiplyAdd(p, x, v128.load32_splat(origin, EXP_MINUS_ONE + 12));
  p = multiplyAdd(p, x, v128.load32_splat(origin, EXP_MINUS_ONE + 16));
  p = multiplyAdd(p, x, v128.load32_splat(origin, EXP_MINUS_ONE + 20));
  p = multiplyAdd(p, f32x4.mul(x, x), x);
  const far = f32x4.sub(exponential(x, origin), v128.load32_splat(origin, ONE));
  return v128.bitselect(far, p, f32x4.lt(x, v128.load32_splat(origin, MINUS_HALF)));
}

// @ts-ignore: decorator
@inline
function gelu(x: v128, origin: usize): v128 {
  const zero = f32x4.splat(0);
  const tail = normalTail(f32x4.abs(x), origin);
  const share = v128.bitselect(f32x4.sub(v128.load32_splat(origin, ONE), tail), tail, f32x4.gt(x, zero));
  // Beyond −40 the tail is at its least: clamping there keeps −Inf·tail out.
  return f32x4.mul(f32x4.max(x, v128.load32_splat(origin, TAIL_RANGE)), share);
}

/** Φ(x) + x·φ(x). */
// @ts-ignore: decorator
@inline
function geluSlope(x: v128, origin: usize): v128 {
  x = f32x4.min(f32x4.max(x, v128.load32_splat(origin, TAIL_RANGE)), v128.load32_splat(origin, TAIL_RANGE + 4));
  const tail = normalTail(f32x4.abs(x), origin);
  const share = v128.bitselect(f32x4.sub(v128.load32_splat(origin, ONE), tail), tail, f32x4.gt(x, f32x4.splat(0)));
  const exponent = f32x4.mul(f32x4.mul(x, x), v128.load32_splat(origin, MINUS_HALF));
  const density = f32x4.mul(exponential(exponent, origin), v128.load32_splat(origin, ROOT_OF_INVERSE_TWO_PI));
  return multiplyAdd(x, density, share);
}

/** max(x, 0) + log(1 + exp(−|a·x|))/a. */
// @ts-ignore: decorator
@inline
function softplus(x: v128, a: v128, origin: usize): v128 {
  const rest = logOnePlus(exponential(f32x4.neg(f32x4.abs(f32x4.mul(a, x))), origin), origin);
  return f32x4.add(f32x4.max(x, f32x4.splat(0)), f32x4.div(rest, a));
}

// @ts-ignore: decorator
@inline
function smoothRelu(x: v128, beta: v128, origin: usize): v128 {
  const above = f32x4.max(x, f32x4.splat(0));
  // The clamp keeps Inf − Inf out.
  const scaled = f32x4.min(f32x4.mul(above, beta), v128.load32_splat(origin, ALMOST_INFINITE));
  return f32x4.sub(above, f32x4.div(logOnePlus(scaled, origin), beta));
}

// @ts-ignore: decorator
@inline
function valueLanes<T>(x: v128, alpha: v128, origin: usize): v128 {
  const zero = f32x4.splat(0);
  if (idof<T>() === idof<Relu>()) return f32x4.max(x, zero);
  if (idof<T>() === idof<Elu>()) {
    const below = f32x4.mul(alpha, exponentialMinusOne(f32x4.min(x, zero), origin));
    return v128.bitselect(x, below, f32x4.gt(x, zero));
  }
  if (idof<T>() === idof<Swish>()) return swish(x, origin);
  if (idof<T>() === idof<Step>()) return v128.bitselect(x, v128.and(v128.load32_splat(origin, ONE), f32x4.ge(x, zero)), f32x4.ne(x, x));
  if (idof<T>() === idof<Sigmoid>()) return logistic(x, origin);
  if (idof<T>() === idof<Tanh>()) return tanh(x, origin);
  if (idof<T>() === idof<LeakyRelu>()) return v128.bitselect(x, f32x4.mul(alpha, x), f32x4.gt(x, zero));
  if (idof<T>() === idof<Gelu>()) return gelu(x, origin);
  if (idof<T>() === idof<Softplus>()) return softplus(x, alpha, origin);
  return smoothRelu(x, alpha, origin);
}

/** dy·f′(x); a NaN x lets ReLU's dy through. */
// @ts-ignore: decorator
@inline
function gradientLanes<T>(dy: v128, x: v128, alpha: v128, origin: usize): v128 {
  const zero = f32x4.splat(0);
  const one = v128.load32_splat(origin, ONE);
  if (idof<T>() === idof<Relu>()) return v128.andnot(dy, f32x4.le(x, zero));
  if (idof<T>() === idof<Elu>()) {
    // Beyond −87 the slope counts as 0.
    const inner = v128.andnot(exponential(f32x4.min(x, zero), origin), f32x4.lt(x, v128.load32_splat(origin, ELU_END)));
    return v128.bitselect(dy, f32x4.mul(dy, f32x4.mul(alpha, inner)), f32x4.gt(x, zero));
  }
  if (idof<T>() === idof<Swish>()) return f32x4.mul(dy, swishSlope(x, origin));
  if (idof<T>() === idof<Step>()) return v128.and(dy, f32x4.lt(f32x4.abs(x), alpha));
  if (idof<T>() === idof<Sigmoid>()) {
    const s = logistic(x, origin);
    return f32x4.mul(dy, f32x4.mul(s, f32x4.sub(one, s)));
  }
  if (idof<T>() === idof<Tanh>()) {
    const t = tanh(x, origin);
    return f32x4.mul(dy, f32x4.sub(one, f32x4.mul(t, t)));
  }
  if (idof<T>() === idof<LeakyRelu>()) return v128.bitselect(dy, f32x4.mul(dy, alpha), f32x4.gt(x, zero));
  if (idof<T>() === idof<Gelu>()) return f32x4.mul(dy, geluSlope(x, origin));
  if (idof<T>() === idof<Softplus>()) return f32x4.mul(dy, logistic(f32x4.mul(alpha, x), origin));
  const slope = f32x4.sub(one, f32x4.div(one, multiplyAdd(alpha, x, one)));
  return v128.andnot(f32x4.mul(dy, slope), f32x4.le(x, zero));
}

/**
 * Elements first…last of y, eight at a time, so that V8 may join the two vectors; what is left over through `loadFirst`.
 */
function values<T>(x: usize, y: usize, parameter: f32, first: i32, last: i32): void {
  const alpha = f32x4.splat(parameter);
  const origin = opaqueZero();
  let i = first;
  for (; i <= last - 8; i += 8) {
    const from = x + (<usize>i << 2);
    const to = y + (<usize>i << 2);
    const low = valueLanes<T>(v128.load(from), alpha, origin);
    const high = valueLanes<T>(v128.load(from, 16), alpha, origin);
    v128.store(to, low);
    v128.store(to, high, 16);
  }
  for (; i < last; i += 4) {
    const width = min(4, last - i);
    const at = <usize>i << 2;
    storeFirst(y + at, valueLanes<T>(loadFirst(x + at, width), alpha, origin), width);
  }
}

/** The same of dx = dy·f′(x). */
function gradients<T>(dy: usize, x: usize, dx: usize, parameter: f32, first: i32, last: i32): void {
  const alpha = f32x4.splat(parameter);
  const origin = opaqueZero();
  let i = first;
  for (; i <= last - 8; i += 8) {
    const from = x + (<usize>i << 2);
    const slopes = dy + (<usize>i << 2);
    const to = dx + (<usize>i << 2);
    const low = gradientLanes<T>(v128.load(slopes), v128.load(from), alpha, origin);
    const high = gradientLanes<T>(v128.load(slopes, 16), v128.load(from, 16), alpha, origin);
    v128.store(to, low);
    v128.store(to, high, 16);
  }
  for (; i < last; i += 4) {
    const width = min(4, last - i);
    const at = <usize>i << 2;
    const result = gradientLanes<T>(loadFirst(dy + at, width), loadFirst(x + at, width), alpha, origin);
    storeFirst(dx + at, result, width);
  }
}

// A kernel each: with all in one function, V8's joining of vectors ended in a fatal error.

export function reluValues(x: usize, y: usize, alpha: f32, first: i32, last: i32): void {
  values<Relu>(x, y, alpha, first, last);
}

export function reluGradients(dy: usize, x: usize, dx: usize, alpha: f32, first: i32, last: i32): void {
  gradients<Relu>(dy, x, dx, alpha, first, last);
}

export function eluValues(x: usize, y: usize, alpha: f32, first: i32, last: i32): void {
  values<Elu>(x, y, alpha, first, last);
}

export function eluGradients(dy: usize, x: usize, dx: usize, alpha: f32, first: i32, last: i32): void {
  gradients<Elu>(dy, x, dx, alpha, first, last);
}

export function swishValues(x: usize, y: usize, alpha: f32, first: i32, last: i32): void {
  values<Swish>(x, y, alpha, first, last);
}

export function swishGradients(dy: usize, x: usize, dx: usize, alpha: f32, first: i32, last: i32): void {
  gradients<Swish>(dy, x, dx, alpha, first, last);
}

export function stepValues(x: usize, y: usize, alpha: f32, first: i32, last: i32): void {
  values<Step>(x, y, alpha, first, last);
}

export function stepGradients(dy: usize, x: usize, dx: usize, alpha: f32, first: i32, last: i32): void {
  gradients<Step>(dy, x, dx, alpha, first, last);
}

export function sigmoidValues(x: usize, y: usize, alpha: f32, first: i32, last: i32): void {
  values<Sigmoid>(x, y, alpha, first, last);
}

export function sigmoidGradients(dy: usize, x: usize, dx: usize, alpha: f32, first: i32, last: i32): void {
  gradients<Sigmoid>(dy, x, dx, alpha, first, last);
}

export function tanhValues(x: usize, y: usize, alpha: f32, first: i32, last: i32): void {
  values<Tanh>(x, y, alpha, first, last);
}

export function tanhGradients(dy: usize, x: usize, dx: usize, alpha: f32, first: i32, last: i32): void {
  gradients<Tanh>(dy, x, dx, alpha, first, last);
}

export function leakyReluValues(x: usize, y: usize, alpha: f32, first: i32, last: i32): void {
  values<LeakyRelu>(x, y, alpha, first, last);
}

export function leakyReluGradients(dy: usize, x: usize, dx: usize, alpha: f32, first: i32, last: i32): void {
  gradients<LeakyRelu>(dy, x, dx, alpha, first, last);
}

export function geluValues(x: usize, y: usize, alpha: f32, first: i32, last: i32): void {
  values<Gelu>(x, y, alpha, first, last);
}

export function geluGradients(dy: usize, x: usize, dx: usize, alpha: f32, first: i32, last: i32): void {
  gradients<Gelu>(dy, x, dx, alpha, first, last);
}

export function softplusValues(x: usize, y: usize, alpha: f32, first: i32, last: i32): void {
  values<Softplus>(x, y, alpha, first, last);
}

export function softplusGradients(dy: usize, x: usize, dx: usize, alpha: f32, first: i32, last: i32): void {
  gradients<Softplus>(dy, x, dx, alpha, first, last);
}

export function smoothReluValues(x: usize, y: usize, alpha: f32, first: i32, last: i32): void {
  values<SmoothRelu>(x, y, alpha, first, last);
}

export function smoothReluGradients(dy: usize, x: usize, dx: usize, alpha: f32, first: i32, last: i32): void {
  gradients<SmoothRelu>(dy, x, dx, alpha, first, last);
}
