// The quantile of the standard normal distribution.
import { scalarAlgebra } from '../formula/expression.ts';

const erfc = scalarAlgebra.operations.erfc as (u: number) => number;

/**
 * Φ⁻¹(p), p in (0, 1), by Newton's method on the nearer tail: log Φ is concave, so from the left it never overshoots. −∞ at 0, ∞ at 1.
 * Accurate to 1e-14 of its size.
 */
export function normalQuantile(p: number): number {
  if (p <= 0) return -Infinity;
  if (p >= 1) return Infinity;
  if (p > 0.5) return -normalQuantile(1 - p);
  // Φ(−t) ≤ ½·exp(−t²/2): a start to the left.
  let x = -Math.sqrt(-2 * Math.log(2 * p));
  for (let i = 0; i < 200; i++) {
    const tail = 0.5 * erfc(-x / Math.SQRT2);
    const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
    const next = x - ((Math.log(tail) - Math.log(p)) * tail) / density;
    if (!(Math.abs(next - x) > 1e-15 * Math.abs(x))) return next;
    x = next;
  }
  return x;
}
