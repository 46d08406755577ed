// Ridge initialisation of kernel activation functions, in float64 on the host.
import { curveOf } from './evaluate.ts';
import { gaussianAlone, kafKernelFormula, kafKernels, type KafKernelName } from './kafKernels.ts';
import { solvePositive } from './solvePositive.ts';

export interface Dictionary {
  /** Number D of elements, at least 1. */
  readonly size: number;
  readonly boundary: number;
  readonly gamma: number;
  /** Absent for the Gaussian alone. */
  readonly kernels?: readonly KafKernelName[];
}

/** d_i uniform on [−boundary, boundary]; 0 for a single element. */
export function dictionaryElements({ size, boundary }: Dictionary): Float64Array {
  if (size === 1) return Float64Array.of(0);
  return Float64Array.from({ length: size }, (_, i) => -boundary + (2 * boundary * i) / (size - 1));
}

/**
 * For kernels whose matrix is positive definite α = (K + εI)⁻¹ t with Kᵢⱼ = κ(dᵢ, dⱼ) (Scardapane et al. 2019, eq. 11; thesis 4.11);
 * for others, and for those beside them, the least squares of f − target over the dictionary and three points between each two of its
 * elements: α = (KᵀK/4 + εI)⁻¹ Kᵀt/4. Of several kernels κ is their mean. By Cholesky factorisation.
 * @param target t_i = target(d_i)
 * @returns `[D]`
 * @throws RangeError where the matrix is not positive definite in float64 (ε too small for the bandwidth).
 */
export function fitRidge(dictionary: Dictionary, target: (x: number) => number, epsilon: number): Float64Array {
  const elements = dictionaryElements(dictionary);
  const names = dictionary.kernels ?? gaussianAlone;
  const kernel = kernelOf(names, dictionary.gamma);
  const isSolvable = names.every((name) => kafKernels[name].isPositiveDefinite);
  const { matrix, t } = isSolvable
    ? { matrix: (i: number, j: number) => kernel(elements[i]! - elements[j]!), t: elements.map(target) }
    : leastSquares(dictionary, kernel, target);
  const n = elements.length;
  return solveRidge(n, matrix, t, { dictionary, epsilon });
}

/**
 * Of a two-dimensional KAF: α = (K⊗K + εI)⁻¹ t with tᵢⱼ = target((dᵢ + dⱼ)/√2). A pair of normalised channels then starts as one, of the
 * same distribution, whose weights are the sum of theirs over √2.
 * @returns `[D, D]`, row by row
 * @throws RangeError as `fitRidge`
 */
export function fitRidge2d(
  dictionary: Omit<Dictionary, 'kernels'>,
  target: (x: number) => number,
  epsilon: number,
): Float64Array {
  const elements = dictionaryElements(dictionary);
  const size = elements.length;
  const kernel = kernelOf(gaussianAlone, dictionary.gamma);
  const axis = Float64Array.from({ length: size }, (_, i) => kernel(elements[i]! - elements[0]!));
  const matrix = (row: number, column: number) =>
    axis[Math.abs(Math.floor(row / size) - Math.floor(column / size))]! *
    axis[Math.abs((row % size) - (column % size))]!;
  const t = Float64Array.from({ length: size ** 2 }, (_, at) =>
    target((elements[Math.floor(at / size)]! + elements[at % size]!) / Math.SQRT2),
  );
  return solveRidge(size ** 2, matrix, t, { dictionary, epsilon });
}

function solveRidge(
  n: number,
  matrix: (row: number, column: number) => number,
  t: Float64Array,
  { dictionary: { size, gamma }, epsilon }: { readonly dictionary: Dictionary; readonly epsilon: number },
): Float64Array {
  const alpha = solvePositive(n, (row, column) => matrix(row, column) + (row === column ? epsilon : 0), t);
  if (alpha) return alpha;
  throw new RangeError(
    `ridge initialisation: the kernel matrix plus ${epsilon} on its diagonal is singular (dictionary ${size}, gamma ${gamma}); take a larger epsilon or gamma`,
  );
}

/** The mean of the kernels, of the distance. */
function kernelOf(names: readonly KafKernelName[], gamma: number): (distance: number) => number {
  // As fits have always been made, to the last bit.
  if (names.every((name) => name === 'gaussian')) return (distance) => Math.exp(-gamma * distance * distance);
  const formulas = names.map((name) => kafKernelFormula(name, gamma));
  return (distance) =>
    formulas.reduce((sum, formula) => sum + curveOf(formula, [distance], []).values[0]!, 0) / names.length;
}

function leastSquares(
  { size, boundary }: Dictionary,
  kernel: (distance: number) => number,
  target: (x: number) => number,
): { matrix: (i: number, j: number) => number; t: Float64Array } {
  const step = (2 * boundary) / (4 * (size - 1));
  const points = Float64Array.from({ length: 4 * (size - 1) + 1 }, (_, p) => -boundary + p * step);
  // κ of distances that are whole steps.
  const kernels = Float64Array.from({ length: 2 * points.length - 1 }, (_, k) =>
    kernel((k - points.length + 1) * step),
  );
  const at = (p: number, i: number) => kernels[p - 4 * i + points.length - 1]!;
  const meanOver = (f: (p: number) => number) => points.reduce((sum, _, p) => sum + f(p) / 4, 0);
  return {
    matrix: (i, j) => meanOver((p) => at(p, i) * at(p, j)),
    t: Float64Array.from({ length: size }, (_, i) => meanOver((p) => at(p, i) * target(points[p]!))),
  };
}
