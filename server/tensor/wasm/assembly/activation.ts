// The fixed activations and their derivatives: 0 ReLU, 1 ELU, 2 Swish. NaN gives NaN, ±Inf the limit.
import { exponential, swish, swishSlope } from './parts/exponential';
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

/** Elements first…last. */
export function activate(type: i32, x: usize, y: usize, alpha: f32, first: i32, last: i32): void {
  const zero = f32x4.splat(0);
  for (let i = first; i < last; i += 4) {
    const width = min(4, last - i);
    const at = <usize>i << 2;
    const value = loadFirst(x + at, width);
    let result: v128;
    if (type === 0) result = f32x4.max(value, zero);
    else if (type === 1) {
      const below = f32x4.mul(f32x4.splat(alpha), exponentialMinusOne(f32x4.min(value, zero)));
      result = v128.bitselect(value, below, f32x4.gt(value, zero));
    } else result = swish(value);
    storeFirst(y + at, result, width);
  }
}

/** Elements first…last of dx = dy·f′(x); a NaN x lets ReLU's dy through. */
export function activateGradient(type: i32, dy: usize, x: usize, dx: usize, alpha: f32, first: i32, last: i32): void {
  const zero = f32x4.splat(0);
  for (let i = first; i < last; i += 4) {
    const width = min(4, last - i);
    const at = <usize>i << 2;
    const value = loadFirst(x + at, width);
    const slope = loadFirst(dy + at, width);
    let result: v128;
    if (type === 0) result = v128.andnot(slope, f32x4.le(value, zero));
    else if (type === 1) {
      // Beyond −87 the slope counts as 0.
      const inner = v128.andnot(exponential(f32x4.min(value, zero)), f32x4.lt(value, f32x4.splat(-87)));
      const below = f32x4.mul(slope, f32x4.mul(f32x4.splat(alpha), inner));
      result = v128.bitselect(slope, below, f32x4.gt(value, zero));
    } else result = f32x4.mul(slope, swishSlope(value));
    storeFirst(dx + at, result, width);
  }
}
