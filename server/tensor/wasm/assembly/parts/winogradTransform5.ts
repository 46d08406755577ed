// One-dimensional Winograd transforms for filters of 5 taps, at the points 0, ±1/2, ±1, ±2, ∞ (those of Lavin & Gray 2016 for
// F(6, 3): of twenty triples these err least, and every constant of the data transforms is exact). See winogradTransform3.ts.
// Exports no kernel.
import { multiplyAdd } from './lanes';

const A: f32 = 0.5;
const C: f32 = 2;

/** Writes the constants that the transforms read; the point 1 and the factor −1 of the point 0 need none. */
export function writeConstants5(to: usize): void {
  store<f32>(to, A * A + 1 + C * C);
  // −(q² + r²) and q²·r² of the other two pairs of points, for a, 1 and c.
  store<f32>(to, -(1 + C * C), 4);
  store<f32>(to, C * C, 8);
  store<f32>(to, -(A * A + C * C), 12);
  store<f32>(to, -(A * A + 1), 16);
  store<f32>(to, A * A, 20);
  store<f32>(to, A, 24);
  store<f32>(to, C, 28);
  store<f32>(to, -A, 32);
  store<f32>(to, -C, 36);
  store<f32>(to, A * A * A, 40);
  store<f32>(to, C * C * C, 44);
  store<f32>(to, A * A * A * A, 48);
  store<f32>(to, C * C * C * C, 52);
  // 1 / Π(p − q) over the other points q, of p = ±a, ±1, ±c.
  store<f32>(to, <f32>(1 / (2 * <f64>(A * A) * (A * A - 1) * (A * A - C * C))), 56);
  store<f32>(to, <f32>(1 / (2 * <f64>(1 - A * A) * (1 - C * C))), 60);
  store<f32>(to, <f32>(1 / (2 * <f64>(C * C) * (C * C - A * A) * (C * C - 1))), 64);
}

/** 8 → 8 points of the input: Bᵀd. */
// @ts-ignore: decorator
@inline
export function transformInput5(constants: usize, from: usize, fromStep: usize, to: usize, toStep: usize): void {
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
  from += fromStep;
  const d6 = v128.load(from);
  const e6 = v128.load(from, 16);
  from += fromStep;
  const d7 = v128.load(from);
  const e7 = v128.load(from, 16);
  const sum = v128.load32_splat(constants);
  v128.store(to, multiplyAdd(sum, f32x4.sub(d2, d4), f32x4.sub(d6, d0)));
  v128.store(to, multiplyAdd(sum, f32x4.sub(e2, e4), f32x4.sub(e6, e0)), 16);
  to += toStep;
  const minusSumA = v128.load32_splat(constants, 4);
  const productA = v128.load32_splat(constants, 8);
  const a = v128.load32_splat(constants, 24);
  const minusA = v128.load32_splat(constants, 32);
  let even = multiplyAdd(productA, d2, multiplyAdd(minusSumA, d4, d6));
  let even1 = multiplyAdd(productA, e2, multiplyAdd(minusSumA, e4, e6));
  let odd = multiplyAdd(productA, d1, multiplyAdd(minusSumA, d3, d5));
  let odd1 = multiplyAdd(productA, e1, multiplyAdd(minusSumA, e3, e5));
  v128.store(to, multiplyAdd(a, odd, even));
  v128.store(to, multiplyAdd(a, odd1, even1), 16);
  to += toStep;
  v128.store(to, multiplyAdd(minusA, odd, even));
  v128.store(to, multiplyAdd(minusA, odd1, even1), 16);
  to += toStep;
  const minusSumOne = v128.load32_splat(constants, 12);
  even = f32x4.add(d2, multiplyAdd(minusSumOne, d4, d6));
  even1 = f32x4.add(e2, multiplyAdd(minusSumOne, e4, e6));
  odd = f32x4.add(d1, multiplyAdd(minusSumOne, d3, d5));
  odd1 = f32x4.add(e1, multiplyAdd(minusSumOne, e3, e5));
  v128.store(to, f32x4.add(even, odd));
  v128.store(to, f32x4.add(even1, odd1), 16);
  to += toStep;
  v128.store(to, f32x4.sub(even, odd));
  v128.store(to, f32x4.sub(even1, odd1), 16);
  to += toStep;
  const minusSumC = v128.load32_splat(constants, 16);
  const productC = v128.load32_splat(constants, 20);
  const c = v128.load32_splat(constants, 28);
  const minusC = v128.load32_splat(constants, 36);
  even = multiplyAdd(productC, d2, multiplyAdd(minusSumC, d4, d6));
  even1 = multiplyAdd(productC, e2, multiplyAdd(minusSumC, e4, e6));
  odd = multiplyAdd(productC, d1, multiplyAdd(minusSumC, d3, d5));
  odd1 = multiplyAdd(productC, e1, multiplyAdd(minusSumC, e3, e5));
  v128.store(to, multiplyAdd(c, odd, even));
  v128.store(to, multiplyAdd(c, odd1, even1), 16);
  to += toStep;
  v128.store(to, multiplyAdd(minusC, odd, even));
  v128.store(to, multiplyAdd(minusC, odd1, even1), 16);
  to += toStep;
  v128.store(to, multiplyAdd(sum, f32x4.sub(d3, d5), f32x4.sub(d7, d1)));
  v128.store(to, multiplyAdd(sum, f32x4.sub(e3, e5), f32x4.sub(e7, e1)), 16);
}

/** 8 points → 4 outputs: Aᵀm (+ bias: two vectors at `bias`). */
// @ts-ignore: decorator
@inline
export function transformOutput5(
  constants: usize, from: usize, fromStep: usize, to: usize, toStep: usize, bias: usize,
): void {
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
  from += fromStep;
  const d6 = v128.load(from);
  const e6 = v128.load(from, 16);
  from += fromStep;
  const d7 = v128.load(from);
  const e7 = v128.load(from, 16);
  const bias0 = v128.load(bias);
  const bias1 = v128.load(bias, 16);
  const evenA = f32x4.add(d1, d2);
  const evenA1 = f32x4.add(e1, e2);
  const evenOne = f32x4.add(d3, d4);
  const evenOne1 = f32x4.add(e3, e4);
  const evenC = f32x4.add(d5, d6);
  const evenC1 = f32x4.add(e5, e6);
  const oddA = f32x4.sub(d1, d2);
  const oddA1 = f32x4.sub(e1, e2);
  const oddOne = f32x4.sub(d3, d4);
  const oddOne1 = f32x4.sub(e3, e4);
  const oddC = f32x4.sub(d5, d6);
  const oddC1 = f32x4.sub(e5, e6);
  v128.store(to, f32x4.add(f32x4.add(d0, bias0), f32x4.add(f32x4.add(evenA, evenOne), evenC)));
  v128.store(to, f32x4.add(f32x4.add(e0, bias1), f32x4.add(f32x4.add(evenA1, evenOne1), evenC1)), 16);
  to += toStep;
  const a = v128.load32_splat(constants, 24);
  const c = v128.load32_splat(constants, 28);
  v128.store(to, multiplyAdd(a, oddA, multiplyAdd(c, oddC, f32x4.add(oddOne, bias0))));
  v128.store(to, multiplyAdd(a, oddA1, multiplyAdd(c, oddC1, f32x4.add(oddOne1, bias1))), 16);
  to += toStep;
  const a2 = v128.load32_splat(constants, 20);
  const c2 = v128.load32_splat(constants, 8);
  v128.store(to, multiplyAdd(a2, evenA, multiplyAdd(c2, evenC, f32x4.add(evenOne, bias0))));
  v128.store(to, multiplyAdd(a2, evenA1, multiplyAdd(c2, evenC1, f32x4.add(evenOne1, bias1))), 16);
  to += toStep;
  const a3 = v128.load32_splat(constants, 40);
  const c3 = v128.load32_splat(constants, 44);
  v128.store(to, multiplyAdd(a3, oddA, multiplyAdd(c3, oddC, f32x4.add(oddOne, f32x4.add(d7, bias0)))));
  v128.store(to, multiplyAdd(a3, oddA1, multiplyAdd(c3, oddC1, f32x4.add(oddOne1, f32x4.add(e7, bias1)))), 16);
}

/** 4 → 8 points of an output's gradient, without the factors 1 / Π(p − q), which `transformFilterGradient5` applies. */
// @ts-ignore: decorator
@inline
export function transformOutputGradient5(constants: usize, from: usize, fromStep: usize, to: usize, toStep: usize): void {
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
  const a2 = v128.load32_splat(constants, 20);
  const a = v128.load32_splat(constants, 24);
  const minusA = v128.load32_splat(constants, 32);
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
  even = f32x4.add(d2, d0);
  even1 = f32x4.add(e2, e0);
  odd = f32x4.add(d3, d1);
  odd1 = f32x4.add(e3, e1);
  v128.store(to, f32x4.add(even, odd));
  v128.store(to, f32x4.add(even1, odd1), 16);
  to += toStep;
  v128.store(to, f32x4.sub(even, odd));
  v128.store(to, f32x4.sub(even1, odd1), 16);
  to += toStep;
  const c2 = v128.load32_splat(constants, 8);
  const c = v128.load32_splat(constants, 28);
  const minusC = v128.load32_splat(constants, 36);
  even = multiplyAdd(c2, d2, d0);
  even1 = multiplyAdd(c2, e2, e0);
  odd = multiplyAdd(c2, d3, d1);
  odd1 = multiplyAdd(c2, e3, e1);
  v128.store(to, multiplyAdd(c, odd, even));
  v128.store(to, multiplyAdd(c, odd1, even1), 16);
  to += toStep;
  v128.store(to, multiplyAdd(minusC, odd, even));
  v128.store(to, multiplyAdd(minusC, odd1, even1), 16);
  to += toStep;
  v128.store(to, d3);
  v128.store(to, e3, 16);
}

/** 5 taps → 8 points of a filter: Gg; four channels. */
// @ts-ignore: decorator
@inline
export function transformFilter5(constants: usize, from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const g0 = v128.load(from);
  const g1 = v128.load(from + fromStep);
  const g2 = v128.load(from + 2 * fromStep);
  const g3 = v128.load(from + 3 * fromStep);
  const g4 = v128.load(from + 4 * fromStep);
  const a2 = v128.load32_splat(constants, 20);
  const c2 = v128.load32_splat(constants, 8);
  const factorA = v128.load32_splat(constants, 56);
  const factorOne = v128.load32_splat(constants, 60);
  const factorC = v128.load32_splat(constants, 64);
  v128.store(to, f32x4.neg(g0));
  let even = f32x4.mul(factorA, multiplyAdd(a2, multiplyAdd(a2, g4, g2), g0));
  let odd = f32x4.mul(f32x4.mul(factorA, v128.load32_splat(constants, 24)), multiplyAdd(a2, g3, g1));
  v128.store(to + toStep, f32x4.add(even, odd));
  v128.store(to + 2 * toStep, f32x4.sub(even, odd));
  even = f32x4.mul(factorOne, f32x4.add(f32x4.add(g4, g2), g0));
  odd = f32x4.mul(factorOne, f32x4.add(g3, g1));
  v128.store(to + 3 * toStep, f32x4.add(even, odd));
  v128.store(to + 4 * toStep, f32x4.sub(even, odd));
  even = f32x4.mul(factorC, multiplyAdd(c2, multiplyAdd(c2, g4, g2), g0));
  odd = f32x4.mul(f32x4.mul(factorC, v128.load32_splat(constants, 28)), multiplyAdd(c2, g3, g1));
  v128.store(to + 5 * toStep, f32x4.add(even, odd));
  v128.store(to + 6 * toStep, f32x4.sub(even, odd));
  v128.store(to + 7 * toStep, g4);
}

/** 8 points → 5 taps of a filter's gradient; four channels. */
// @ts-ignore: decorator
@inline
export function transformFilterGradient5(constants: usize, from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const m0 = v128.load(from);
  const m1 = v128.load(from + fromStep);
  const m2 = v128.load(from + 2 * fromStep);
  const m3 = v128.load(from + 3 * fromStep);
  const m4 = v128.load(from + 4 * fromStep);
  const m5 = v128.load(from + 5 * fromStep);
  const m6 = v128.load(from + 6 * fromStep);
  const m7 = v128.load(from + 7 * fromStep);
  const factorA = v128.load32_splat(constants, 56);
  const factorOne = v128.load32_splat(constants, 60);
  const factorC = v128.load32_splat(constants, 64);
  const evenA = f32x4.mul(factorA, f32x4.add(m1, m2));
  const evenOne = f32x4.mul(factorOne, f32x4.add(m3, m4));
  const evenC = f32x4.mul(factorC, f32x4.add(m5, m6));
  const oddA = f32x4.mul(factorA, f32x4.sub(m1, m2));
  const oddOne = f32x4.mul(factorOne, f32x4.sub(m3, m4));
  const oddC = f32x4.mul(factorC, f32x4.sub(m5, m6));
  v128.store(to, f32x4.sub(f32x4.add(f32x4.add(evenA, evenOne), evenC), m0));
  const a = v128.load32_splat(constants, 24);
  const c = v128.load32_splat(constants, 28);
  v128.store(to + toStep, multiplyAdd(a, oddA, multiplyAdd(c, oddC, oddOne)));
  const a2 = v128.load32_splat(constants, 20);
  const c2 = v128.load32_splat(constants, 8);
  v128.store(to + 2 * toStep, multiplyAdd(a2, evenA, multiplyAdd(c2, evenC, evenOne)));
  const a3 = v128.load32_splat(constants, 40);
  const c3 = v128.load32_splat(constants, 44);
  v128.store(to + 3 * toStep, multiplyAdd(a3, oddA, multiplyAdd(c3, oddC, oddOne)));
  const a4 = v128.load32_splat(constants, 48);
  const c4 = v128.load32_splat(constants, 52);
  v128.store(to + 4 * toStep, multiplyAdd(a4, evenA, multiplyAdd(c4, evenC, f32x4.add(evenOne, m7))));
}
