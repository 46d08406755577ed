// Ridge initialisation of kernel activation functions, in float64 on the host.

export interface Dictionary {
  /** Number D of elements, at least 1. */
  readonly size: number;
  readonly boundary: number;
  readonly gamma: number;
}

/** d_i uniform on [−boundary, boundary]; 0 for a single element. */
export function dictionaryElements({ size, boundary }: Dictionary): Float64Array {
  if (size === 1) return Float64Array.of(0);
  return Float64Array.from({ length: size }, (_, i) => -boundary + (2 * boundary * i) / (size - 1));
}

/**
 * α = (K + εI)⁻¹ t with K_ij = exp(−γ(d_i − d_j)²) (Scardapane et al. 2019, eq. 11; thesis 4.11), by Cholesky factorisation.
 * @param target t_i = target(d_i)
 * @returns `[D]`
 * @throws RangeError where K + εI is not positive definite in float64 (ε too small for the bandwidth).
 */
export function fitRidge(dictionary: Dictionary, target: (x: number) => number, epsilon: number): Float64Array {
  const elements = dictionaryElements(dictionary);
  const n = elements.length;
  const factor = new Float64Array(n * n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column <= row; column++) {
      const gap = elements[row]! - elements[column]!;
      let sum = Math.exp(-dictionary.gamma * gap * gap) + (row === column ? epsilon : 0);
      for (let k = 0; k < column; k++) sum -= factor[row * n + k]! * factor[column * n + k]!;
      if (row > column) {
        factor[row * n + column] = sum / factor[column * n + column]!;
      } else if (sum > 0) {
        factor[row * n + row] = Math.sqrt(sum);
      } else {
        throw new RangeError(
          `ridge initialisation: the kernel matrix plus ${epsilon} on its diagonal is singular (dictionary ${n}, gamma ${dictionary.gamma}); take a larger epsilon or gamma`,
        );
      }
    }
  }
  return solve(factor, elements.map(target));
}

/** Solves L Lᵀ α = t for the lower triangular L, in place of t. */
function solve(factor: Float64Array, t: Float64Array): Float64Array {
  const n = t.length;
  for (let row = 0; row < n; row++) {
    for (let k = 0; k < row; k++) t[row]! -= factor[row * n + k]! * t[k]!;
    t[row]! /= factor[row * n + row]!;
  }
  for (let row = n - 1; row >= 0; row--) {
    for (let k = row + 1; k < n; k++) t[row]! -= factor[k * n + row]! * t[k]!;
    t[row]! /= factor[row * n + row]!;
  }
  return t;
}

/** The functions that a fit may aim at, in float64. */
export const ridgeTargets = {
  relu: (x: number) => Math.max(0, x),
  elu: (x: number) => (x > 0 ? x : Math.expm1(x)),
  swish: (x: number) => x / (1 + Math.exp(-x)),
} as const;
