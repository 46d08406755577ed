// Elementwise arithmetic. Binary: b is full or broadcast as [outer, 1, inner] over [outer, repeat, inner]. The operation is a
// number, see kernels/elementwise.ts. Each operation rounds to float32 (a squared difference so twice), as on every runtime.
import { loadFirst, storeFirst } from './parts/lanes';

// @ts-ignore: decorator
@inline
function binaryLanes(operation: i32, a: v128, b: v128): v128 {
  if (operation === 0) return f32x4.add(a, b);
  if (operation === 1) return f32x4.sub(a, b);
  if (operation === 2) return f32x4.mul(a, b);
  if (operation === 3) return f32x4.div(a, b);
  if (operation === 4) return f32x4.max(a, b);
  if (operation === 5) return f32x4.min(a, b);
  if (operation === 6) {
    const difference = f32x4.sub(a, b);
    return f32x4.mul(difference, difference);
  }
  if (operation === 7) return f32x4.sub(b, a);
  return f32x4.div(b, a);
}

/** y = a ∘ b for outer first…last; 0 add, 1 sub, 2 mul, 3 div, 4 max, 5 min, 6 squared difference, 7 b − a, 8 b/a. */
export function binary(
  operation: i32, a: usize, b: usize, y: usize, repeat: i32, inner: i32, first: i32, last: i32,
): void {
  const rowBytes = <usize>inner << 2;
  for (let outer = first; outer < last; outer++) {
    const row = b + <usize>outer * rowBytes;
    let offset = <usize>outer * <usize>repeat * rowBytes;
    if (inner === 1) {
      // One b for a run of a's.
      const lanes = v128.load32_splat(row);
      for (let i = 0; i < repeat; i += 4) {
        const width = min(4, repeat - i);
        storeFirst(y + offset, binaryLanes(operation, loadFirst(a + offset, width), lanes), width);
        offset += 16;
      }
      continue;
    }
    for (let i = 0; i < repeat; i++) {
      for (let column = 0; column < inner; column += 4) {
        const width = min(4, inner - column);
        const at = offset + (<usize>column << 2);
        const value = binaryLanes(operation, loadFirst(a + at, width), loadFirst(row + (<usize>column << 2), width));
        storeFirst(y + at, value, width);
      }
      offset += rowBytes;
    }
  }
}

/** Elements first…last of y; 0 relu, 1 square, 2 √, 3 1/√, 4 −x, 5 |x|, 6 step (x > 0 ? 1 : parameter). NaN gives NaN. */
export function unary(operation: i32, x: usize, y: usize, parameter: f32, first: i32, last: i32): void {
  const zero = f32x4.splat(0);
  for (let i = first; i < last; i += 4) {
    const width = min(4, last - i);
    const at = <usize>i << 2;
    const value = loadFirst(x + at, width);
    let result = value;
    if (operation === 0) result = f32x4.max(value, zero);
    else if (operation === 1) result = f32x4.mul(value, value);
    else if (operation === 2) result = f32x4.sqrt(value);
    else if (operation === 3) result = f32x4.div(f32x4.splat(1), f32x4.sqrt(value));
    else if (operation === 4) result = f32x4.neg(value);
    else if (operation === 5) result = f32x4.abs(value);
    else {
      const step = v128.bitselect(f32x4.splat(1), f32x4.splat(parameter), f32x4.gt(value, zero));
      result = v128.bitselect(value, step, f32x4.ne(value, value));
    }
    storeFirst(y + at, result, width);
  }
}

/** Elements first…last of clip(x, low, high). NaN gives NaN. */
export function clip(x: usize, y: usize, low: f32, high: f32, first: i32, last: i32): void {
  for (let i = first; i < last; i += 4) {
    const width = min(4, last - i);
    const at = <usize>i << 2;
    const value = loadFirst(x + at, width);
    storeFirst(y + at, f32x4.max(f32x4.splat(low), f32x4.min(f32x4.splat(high), value)), width);
  }
}

/**
 * Elements first…last of clip(clean + clip(x + step·sign(gradient) − clean, ±radius), 0, 1), each operation rounded;
 * sign(0) = sign(NaN) = 0.
 */
export function attackStep(
  x: usize, clean: usize, gradient: usize, y: usize, step: f32, radius: f32, first: i32, last: i32,
): void {
  const zero = f32x4.splat(0);
  for (let i = first; i < last; i += 4) {
    const width = min(4, last - i);
    const at = <usize>i << 2;
    const slope = loadFirst(gradient + at, width);
    const centre = loadFirst(clean + at, width);
    const up = v128.and(f32x4.splat(step), f32x4.gt(slope, zero));
    const move = v128.or(up, v128.and(f32x4.splat(-step), f32x4.lt(slope, zero)));
    let offset = f32x4.sub(f32x4.add(loadFirst(x + at, width), move), centre);
    offset = f32x4.min(f32x4.max(offset, f32x4.splat(-radius)), f32x4.splat(radius));
    const value = f32x4.min(f32x4.max(f32x4.add(centre, offset), zero), f32x4.splat(1));
    storeFirst(y + at, value, width);
  }
}
