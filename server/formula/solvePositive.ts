// Systems of linear equations whose matrix is symmetric and positive definite, in float64.

/**
 * x with A·x = t, by Cholesky factorisation A = L·Lᵀ.
 * @param matrix Aᵢⱼ for j ≤ i
 * @param t `[n]`, or several right sides of n each, one after the other
 * @returns of the length of t; null where A is not positive definite in float64
 */
export function solvePositive(
  n: number,
  matrix: (row: number, column: number) => number,
  t: Float64Array,
): Float64Array | null {
  const factor = new Float64Array(n * n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix(row, column);
      for (let k = 0; k < column; k++) sum -= factor[row * n + k]! * factor[column * n + k]!;
      if (row > column) factor[row * n + column] = sum / factor[column * n + column]!;
      else if (sum > 0) factor[row * n + row] = Math.sqrt(sum);
      else return null;
    }
  }
  const x = Float64Array.from(t);
  for (let at = 0; at < x.length; at += n) substitute(factor, x.subarray(at, at + n));
  return x;
}

/** Solves L·Lᵀ·x = t for the lower triangular L, in place of t. */
function substitute(factor: Float64Array, t: Float64Array): void {
  const n = t.length;
  for (let row = 0; row < n; row++) {
    for (let k = 0; k < row; k++) t[row]! -= factor[row * n + k]! * t[k]!;
    t[row]! /= factor[row * n + row]!;
  }
  for (let row = n - 1; row >= 0; row--) {
    for (let k = row + 1; k < n; k++) t[row]! -= factor[k * n + row]! * t[k]!;
    t[row]! /= factor[row * n + row]!;
  }
}
