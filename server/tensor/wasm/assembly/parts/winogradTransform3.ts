// One-dimensional Winograd transforms for filters of 3 taps, at the points 0, ±3/4, ±3/2, ∞ (Lavin & Gray 2016 with other
// points: these halve the error of 0, ±1, ±2, and every constant of the data transforms is exact). Each works on 8 channels, in
// two halves that the engine may join; apply it to columns, then to rows. Exports no kernel.
import { multiplyAdd } from './lanes';

const A: f32 = 0.75;
const B: f32 = 1.5;

/** Writes the constants that the transforms read: a load with splat is cheaper than a vector literal in V8. */
export function writeConstants3(to: usize): void {
  store<f32>(to, A * A * B * B);
  store<f32>(to, -(A * A + B * B), 4);
  store<f32>(to, -(A * A), 8);
  store<f32>(to, -(B * B), 12);
  store<f32>(to, A, 16);
  store<f32>(to, B, 20);
  store<f32>(to, -A, 24);
  store<f32>(to, -B, 28);
  store<f32>(to, A * A, 32);
  store<f32>(to, B * B, 36);
  store<f32>(to, A * A * A, 40);
  store<f32>(to, B * B * B, 44);
  // 1 / Π(p − q) over the other points q, of p = 0, ±a, ±b.
  store<f32>(to, <f32>(1 / (<f64>(A * A) * B * B)), 48);
  store<f32>(to, <f32>(1 / (2 * <f64>(A * A) * (A * A - B * B))), 52);
  store<f32>(to, <f32>(1 / (2 * <f64>(B * B) * (B * B - A * A))), 56);
}

/** 6 → 6 points of the input: Bᵀd. */
// @ts-ignore: decorator
@inline
export function transformInput3(constants: usize, from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const d0 = v128.load(from);
  const e0 = v128.load(from, 16);
  from += fromStep;
  const d1 = v128.load(from);
  const e1 = v128.load(from, 16);
  from += fromStep;
  const d2 = v128.load(from);
  const e2 = v128.load(from, 16);
  from += fromStep;
  const d3 = v128.load(from);
  const e3 = v128.load(from, 16);
  from += fromStep;
  const d4 = v128.load(from);
  const e4 = v128.load(from, 16);
  from += fromStep;
  const d5 = v128.load(from);
  const e5 = v128.load(from, 16);
  const product = v128.load32_splat(constants);
  const minusSum = v128.load32_splat(constants, 4);
  v128.store(to, multiplyAdd(product, d0, multiplyAdd(minusSum, d2, d4)));
  v128.store(to, multiplyAdd(product, e0, multiplyAdd(minusSum, e2, e4)), 16);
  to += toStep;
  const minusB2 = v128.load32_splat(constants, 12);
  const a = v128.load32_splat(constants, 16);
  const minusA = v128.load32_splat(constants, 24);
  let even = multiplyAdd(minusB2, d2, d4);
  let even1 = multiplyAdd(minusB2, e2, e4);
  let odd = multiplyAdd(minusB2, d1, d3);
  let odd1 = multiplyAdd(minusB2, e1, e3);
  v128.store(to, multiplyAdd(a, odd, even));
  v128.store(to, multiplyAdd(a, odd1, even1), 16);
  to += toStep;
  v128.store(to, multiplyAdd(minusA, odd, even));
  v128.store(to, multiplyAdd(minusA, odd1, even1), 16);
  to += toStep;
  const minusA2 = v128.load32_splat(constants, 8);
  const b = v128.load32_splat(constants, 20);
  const minusB = v128.load32_splat(constants, 28);
  even = multiplyAdd(minusA2, d2, d4);
  even1 = multiplyAdd(minusA2, e2, e4);
  odd = multiplyAdd(minusA2, d1, d3);
  odd1 = multiplyAdd(minusA2, e1, e3);
  v128.store(to, multiplyAdd(b, odd, even));
  v128.store(to, multiplyAdd(b, odd1, even1), 16);
  to += toStep;
  v128.store(to, multiplyAdd(minusB, odd, even));
  v128.store(to, multiplyAdd(minusB, odd1, even1), 16);
  to += toStep;
  v128.store(to, multiplyAdd(product, d1, multiplyAdd(minusSum, d3, d5)));
  v128.store(to, multiplyAdd(product, e1, multiplyAdd(minusSum, e3, e5)), 16);
}

/** 6 points → 4 outputs: Aᵀm (+ bias: two vectors at `bias`). */
// @ts-ignore: decorator
@inline
export function transformOutput3(
  constants: usize, from: usize, fromStep: usize, to: usize, toStep: usize, bias: usize,
): void {
  const m0 = v128.load(from);
  const n0 = v128.load(from, 16);
  from += fromStep;
  const m1 = v128.load(from);
  const n1 = v128.load(from, 16);
  from += fromStep;
  const m2 = v128.load(from);
  const n2 = v128.load(from, 16);
  from += fromStep;
  const m3 = v128.load(from);
  const n3 = v128.load(from, 16);
  from += fromStep;
  const m4 = v128.load(from);
  const n4 = v128.load(from, 16);
  from += fromStep;
  const m5 = v128.load(from);
  const n5 = v128.load(from, 16);
  const bias0 = v128.load(bias);
  const bias1 = v128.load(bias, 16);
  const evenA = f32x4.add(m1, m2);
  const evenA1 = f32x4.add(n1, n2);
  const evenB = f32x4.add(m3, m4);
  const evenB1 = f32x4.add(n3, n4);
  const oddA = f32x4.sub(m1, m2);
  const oddA1 = f32x4.sub(n1, n2);
  const oddB = f32x4.sub(m3, m4);
  const oddB1 = f32x4.sub(n3, n4);
  v128.store(to, f32x4.add(f32x4.add(m0, bias0), f32x4.add(evenA, evenB)));
  v128.store(to, f32x4.add(f32x4.add(n0, bias1), f32x4.add(evenA1, evenB1)), 16);
  to += toStep;
  const a = v128.load32_splat(constants, 16);
  const b = v128.load32_splat(constants, 20);
  v128.store(to, multiplyAdd(a, oddA, multiplyAdd(b, oddB, bias0)));
  v128.store(to, multiplyAdd(a, oddA1, multiplyAdd(b, oddB1, bias1)), 16);
  to += toStep;
  const a2 = v128.load32_splat(constants, 32);
  const b2 = v128.load32_splat(constants, 36);
  v128.store(to, multiplyAdd(a2, evenA, multiplyAdd(b2, evenB, bias0)));
  v128.store(to, multiplyAdd(a2, evenA1, multiplyAdd(b2, evenB1, bias1)), 16);
  to += toStep;
  const a3 = v128.load32_splat(constants, 40);
  const b3 = v128.load32_splat(constants, 44);
  v128.store(to, multiplyAdd(a3, oddA, multiplyAdd(b3, oddB, f32x4.add(m5, bias0))));
  v128.store(to, multiplyAdd(a3, oddA1, multiplyAdd(b3, oddB1, f32x4.add(n5, bias1))), 16);
}

/** 4 → 6 points of an output's gradient, without the factors 1 / Π(p − q), which `transformFilterGradient3` applies. */
// @ts-ignore: decorator
@inline
export function transformOutputGradient3(constants: usize, from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const d0 = v128.load(from);
  const e0 = v128.load(from, 16);
  from += fromStep;
  const d1 = v128.load(from);
  const e1 = v128.load(from, 16);
  from += fromStep;
  const d2 = v128.load(from);
  const e2 = v128.load(from, 16);
  from += fromStep;
  const d3 = v128.load(from);
  const e3 = v128.load(from, 16);
  v128.store(to, d0);
  v128.store(to, e0, 16);
  to += toStep;
  const a2 = v128.load32_splat(constants, 32);
  const a = v128.load32_splat(constants, 16);
  const minusA = v128.load32_splat(constants, 24);
  let even = multiplyAdd(a2, d2, d0);
  let even1 = multiplyAdd(a2, e2, e0);
  let odd = multiplyAdd(a2, d3, d1);
  let odd1 = multiplyAdd(a2, e3, e1);
  v128.store(to, multiplyAdd(a, odd, even));
  v128.store(to, multiplyAdd(a, odd1, even1), 16);
  to += toStep;
  v128.store(to, multiplyAdd(minusA, odd, even));
  v128.store(to, multiplyAdd(minusA, odd1, even1), 16);
  to += toStep;
  const b2 = v128.load32_splat(constants, 36);
  const b = v128.load32_splat(constants, 20);
  const minusB = v128.load32_splat(constants, 28);
  even = multiplyAdd(b2, d2, d0);
  even1 = multiplyAdd(b2, e2, e0);
  odd = multiplyAdd(b2, d3, d1);
  odd1 = multiplyAdd(b2, e3, e1);
  v128.store(to, multiplyAdd(b, odd, even));
  v128.store(to, multiplyAdd(b, odd1, even1), 16);
  to += toStep;
  v128.store(to, multiplyAdd(minusB, odd, even));
  v128.store(to, multiplyAdd(minusB, odd1, even1), 16);
  to += toStep;
  v128.store(to, d3);
  v128.store(to, e3, 16);
}

/** 3 taps → 6 points of a filter: Gg; four channels. */
// @ts-ignore: decorator
@inline
export function transformFilter3(constants: usize, from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const g0 = v128.load(from);
  const g1 = v128.load(from + fromStep);
  const g2 = v128.load(from + 2 * fromStep);
  const factor0 = v128.load32_splat(constants, 48);
  const factorA = v128.load32_splat(constants, 52);
  const factorB = v128.load32_splat(constants, 56);
  v128.store(to, f32x4.mul(factor0, g0));
  let even = f32x4.mul(factorA, multiplyAdd(v128.load32_splat(constants, 32), g2, g0));
  let odd = f32x4.mul(f32x4.mul(factorA, v128.load32_splat(constants, 16)), g1);
  v128.store(to + toStep, f32x4.add(even, odd));
  v128.store(to + 2 * toStep, f32x4.sub(even, odd));
  even = f32x4.mul(factorB, multiplyAdd(v128.load32_splat(constants, 36), g2, g0));
  odd = f32x4.mul(f32x4.mul(factorB, v128.load32_splat(constants, 20)), g1);
  v128.store(to + 3 * toStep, f32x4.add(even, odd));
  v128.store(to + 4 * toStep, f32x4.sub(even, odd));
  v128.store(to + 5 * toStep, g2);
}

/** 6 points → 3 taps of a filter's gradient; four channels. */
// @ts-ignore: decorator
@inline
export function transformFilterGradient3(constants: usize, from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const m0 = f32x4.mul(v128.load32_splat(constants, 48), v128.load(from));
  const m1 = v128.load(from + fromStep);
  const m2 = v128.load(from + 2 * fromStep);
  const m3 = v128.load(from + 3 * fromStep);
  const m4 = v128.load(from + 4 * fromStep);
  const m5 = v128.load(from + 5 * fromStep);
  const factorA = v128.load32_splat(constants, 52);
  const factorB = v128.load32_splat(constants, 56);
  const evenA = f32x4.mul(factorA, f32x4.add(m1, m2));
  const evenB = f32x4.mul(factorB, f32x4.add(m3, m4));
  const oddA = f32x4.mul(factorA, f32x4.sub(m1, m2));
  const oddB = f32x4.mul(factorB, f32x4.sub(m3, m4));
  v128.store(to, f32x4.add(m0, f32x4.add(evenA, evenB)));
  v128.store(
    to + toStep,
    multiplyAdd(v128.load32_splat(constants, 16), oddA, f32x4.mul(v128.load32_splat(constants, 20), oddB)),
  );
  v128.store(
    to + 2 * toStep,
    multiplyAdd(v128.load32_splat(constants, 32), evenA, multiplyAdd(v128.load32_splat(constants, 36), evenB, m5)),
  );
}
