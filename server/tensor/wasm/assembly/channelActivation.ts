// Activations with coefficients per channel on x [rows, C], four channels in the lanes: 0 PReLU, 1 generalised hyperbolic
// tangent, 2 SReLU, 3 APL, 4 polynomial; ops/channelActivation.ts has their equations. Table: [⌈C/4⌉][P] of 4 lanes. NaN gives
// NaN. Values are rounded as on the backend cpu up to multiply-adds.
import { tanh } from './parts/exponential';
import { addToDoubles, loadFirst, multiplyAdd, opaqueZero, storeFirst } from './parts/lanes';

// @ts-ignore: decorator
@inline
function valueLanes(type: i32, x: v128, c: usize, length: i32): v128 {
  const zero = f32x4.splat(0);
  if (type === 0) return v128.bitselect(x, f32x4.mul(v128.load(c), x), f32x4.gt(x, zero));
  if (type === 1) return f32x4.mul(v128.load(c), tanh(f32x4.mul(v128.load(c, 16), f32x4.mul(x, f32x4.splat(0.5))), opaqueZero()));
  if (type === 2) {
    const left = v128.load(c);
    const right = v128.load(c, 32);
    const below = multiplyAdd(v128.load(c, 16), f32x4.sub(x, left), left);
    const above = multiplyAdd(v128.load(c, 48), f32x4.sub(x, right), right);
    return v128.bitselect(above, v128.bitselect(below, x, f32x4.le(x, left)), f32x4.ge(x, right));
  }
  if (type === 3) {
    const half = <usize>(length >> 1) << 4;
    let y = f32x4.max(x, zero);
    for (let i: usize = 0; i < half; i += 16) {
      y = multiplyAdd(v128.load(c + i), f32x4.max(f32x4.sub(v128.load(c + half + i), x), zero), y);
    }
    return y;
  }
  let y = v128.load(c + (<usize>(length - 1) << 4));
  for (let power = length - 2; power >= 0; power--) y = multiplyAdd(y, x, v128.load(c + (<usize>power << 4)));
  return y;
}

// @ts-ignore: decorator
@inline
function add(partial: usize, index: usize, value: v128): void {
  const at = partial + (index << 4);
  v128.store(at, f32x4.add(v128.load(at), value));
}

/** ∂f/∂x; dy·∂f/∂c is added to `partial`, [P] of 4 lanes. */
// @ts-ignore: decorator
@inline
function slopeLanes(type: i32, dy: v128, x: v128, c: usize, length: i32, partial: usize): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  if (type === 0) {
    const isAbove = f32x4.gt(x, zero);
    add(partial, 0, v128.andnot(f32x4.mul(dy, x), isAbove));
    return v128.bitselect(one, v128.load(c), isAbove);
  }
  if (type === 1) {
    const scale = v128.load(c);
    const rate = v128.load(c, 16);
    const half = f32x4.mul(x, f32x4.splat(0.5));
    const t = tanh(f32x4.mul(rate, half), opaqueZero());
    const flank = f32x4.mul(scale, f32x4.sub(one, f32x4.mul(t, t)));
    add(partial, 0, f32x4.mul(dy, t));
    // An infinite x, where the function is flat, adds nothing.
    add(partial, 1, v128.andnot(f32x4.mul(dy, f32x4.mul(half, flank)), f32x4.eq(flank, zero)));
    return f32x4.mul(f32x4.mul(rate, f32x4.splat(0.5)), flank);
  }
  if (type === 2) {
    const left = v128.load(c);
    const right = v128.load(c, 32);
    const leftSlope = v128.load(c, 16);
    const rightSlope = v128.load(c, 48);
    const isRight = f32x4.ge(x, right);
    const isLeft = v128.andnot(f32x4.le(x, left), isRight);
    add(partial, 0, v128.and(f32x4.mul(dy, f32x4.sub(one, leftSlope)), isLeft));
    add(partial, 1, v128.and(f32x4.mul(dy, f32x4.sub(x, left)), isLeft));
    add(partial, 2, v128.and(f32x4.mul(dy, f32x4.sub(one, rightSlope)), isRight));
    add(partial, 3, v128.and(f32x4.mul(dy, f32x4.sub(x, right)), isRight));
    return v128.bitselect(rightSlope, v128.bitselect(leftSlope, one, isLeft), isRight);
  }
  if (type === 3) {
    const nHinges = <usize>(length >> 1);
    let slope = v128.and(one, f32x4.gt(x, zero));
    for (let i: usize = 0; i < nHinges; i++) {
      const weight = v128.load(c + (i << 4));
      const distance = f32x4.sub(v128.load(c + ((nHinges + i) << 4)), x);
      const active = v128.and(weight, f32x4.gt(distance, zero));
      add(partial, i, f32x4.mul(dy, f32x4.max(distance, zero)));
      add(partial, nHinges + i, f32x4.mul(dy, active));
      slope = f32x4.sub(slope, active);
    }
    return slope;
  }
  let slope = zero;
  for (let power = length - 1; power > 0; power--) {
    const scaled = f32x4.mul(v128.load(c + (<usize>power << 4)), f32x4.splat(<f32>power));
    slope = multiplyAdd(slope, x, scaled);
  }
  let term = dy;
  for (let power = 0; power < length; power++) {
    add(partial, power, term);
    term = f32x4.mul(term, x);
  }
  return slope;
}

/** Rows first…last of y. */
export function channelActivate(
  type: i32, x: usize, y: usize, channels: i32, table: usize, length: i32, first: i32, last: i32, rowsPerBlock: i32,
): void {
  const rowBytes = <usize>channels << 2;
  for (let start = first; start < last; start += rowsPerBlock) {
    const end = min(last, start + rowsPerBlock);
    for (let channel = 0; channel < channels; channel += 4) {
      const width = min(4, channels - channel);
      const entries = table + ((<usize>(channel >> 2) * <usize>length) << 4);
      let at = <usize>start * rowBytes + (<usize>channel << 2);
      for (let row = start; row < end; row++) {
        storeFirst(y + at, valueLanes(type, loadFirst(x + at, width), entries, length), width);
        at += rowBytes;
      }
    }
  }
}

/**
 * Rows first…last of dx = dy·∂f/∂x, and Σ dy·∂f/∂c of these rows into `sums`: float64 [⌈C/4⌉][P] of 4. `partial` is room for
 * P·16 bytes. Order of summation: rows ascending in float32 within `rowsPerBlock`, then blocks in float64.
 */
export function channelActivateGradient(
  type: i32, dy: usize, x: usize, dx: usize, channels: i32, table: usize, length: i32, sums: usize, partial: usize,
  first: i32, last: i32, rowsPerBlock: i32,
): void {
  const rowBytes = <usize>channels << 2;
  memory.fill(sums, 0, (<usize>((channels + 3) >> 2) * <usize>length) << 5);
  for (let start = first; start < last; start += rowsPerBlock) {
    const end = min(last, start + rowsPerBlock);
    for (let channel = 0; channel < channels; channel += 4) {
      const width = min(4, channels - channel);
      const group = <usize>(channel >> 2) * <usize>length;
      memory.fill(partial, 0, <usize>length << 4);
      let at = <usize>start * rowBytes + (<usize>channel << 2);
      for (let row = start; row < end; row++) {
        const slope = loadFirst(dy + at, width);
        const inner = slopeLanes(type, slope, loadFirst(x + at, width), table + (group << 4), length, partial);
        storeFirst(dx + at, f32x4.mul(slope, inner), width);
        at += rowBytes;
      }
      addToDoubles(sums + (group << 5), partial, length << 2);
    }
  }
}
