// Where a Padé unit starts: the quotient of polynomials nearest to a function.
import { solvePositive } from './solvePositive.ts';

export interface PadeCoefficients {
  /** a₀ … a₅. */
  readonly a: readonly number[];
  /** b₁ … b₄. */
  readonly b: readonly number[];
}

const reach = 3;
const nPoints = 601;
const nRounds = 40;
const ridge = 1e-8;
/** Powers of the numerator, then of the denominator: an even one has no zero that |…| would make a corner of. */
const powers = [0, 1, 2, 3, 4, 5, 2, 4];
const nOfNumerator = 6;
/** The identity, x(1 + x²/10 + x⁴/100)/(1 + x²/10 + x⁴/100): with a denominator of 1, whose slope is 0, b would never learn. */
const prior = [0, 1, 0, 0.1, 0, 0.01, 0.1, 0.01];

const known = new Map<(x: number) => number, PadeCoefficients>();

/**
 * The least squares of (P − t·Q)/Q on ±3, Q of the last round as the weight of the next (Sanathanan & Koerner, 1963), with a ridge that
 * draws towards the identity.
 * @param target t, finite
 */
export function fitPade(target: (x: number) => number): PadeCoefficients {
  let coefficients = known.get(target);
  if (!coefficients) {
    coefficients = fit(target);
    known.set(target, coefficients);
  }
  return coefficients;
}

function fit(target: (x: number) => number): PadeCoefficients {
  const points = Float64Array.from({ length: nPoints }, (_, i) => -reach + (2 * reach * i) / (nPoints - 1));
  const t = points.map(target);
  const columns = powers.map((power, column) =>
    points.map((x, i) => (column < nOfNumerator ? 1 : -t[i]!) * x ** power),
  );
  let c: Float64Array = Float64Array.from(prior);
  for (let round = 0; round < nRounds; round++) {
    const [b2, b4] = c.subarray(nOfNumerator) as unknown as [number, number];
    const weights = points.map((x) => (1 + b2 * x ** 2 + b4 * x ** 4) ** -2 / nPoints);
    const mean = (u: Float64Array, v: Float64Array) => weights.reduce((sum, w, i) => sum + w * u[i]! * v[i]!, 0);
    const right = Float64Array.from(columns, (column, i) => mean(column, t) + ridge * prior[i]!);
    const matrix = (i: number, j: number) => mean(columns[i]!, columns[j]!) + (i === j ? ridge : 0);
    c = solvePositive(powers.length, matrix, right) ?? c;
  }
  const [b2, b4] = c.subarray(nOfNumerator) as unknown as [number, number];
  return { a: [...c.subarray(0, nOfNumerator)], b: [0, b2, 0, b4] };
}
