// Whether runs of two kinds differ, seed by seed.

export interface PairedTest {
  readonly nPairs: number;
  /** Mean of first − second. */
  readonly difference: number;
  /** Two-sided; NaN for fewer than two pairs. */
  readonly p: number;
}

/** Student's t test of paired samples: t = mean(d) / (s(d)/√n) with n − 1 degrees of freedom. Pairs with a value that is not finite count not. */
export function pairedTest(first: readonly number[], second: readonly number[]): PairedTest {
  const differences = first
    .map((value, index) => value - (second[index] ?? Number.NaN))
    .filter((value) => Number.isFinite(value));
  const n = differences.length;
  const { mean, std } = meanAndStd(differences);
  if (n < 2) return { nPairs: n, difference: mean, p: Number.NaN };
  if (std === 0) return { nPairs: n, difference: mean, p: mean === 0 ? 1 : 0 };
  const t = mean / (std / Math.sqrt(n));
  return { nPairs: n, difference: mean, p: incompleteBeta((n - 1) / (n - 1 + t * t), (n - 1) / 2, 0.5) };
}

/** Over finite values; the deviation of a sample (n − 1), 0 for one value. NaN for none. */
export function meanAndStd(values: readonly number[]): { mean: number; std: number; n: number } {
  const finite = values.filter((value) => Number.isFinite(value));
  const n = finite.length;
  const mean = finite.reduce((sum, value) => sum + value, 0) / n;
  const squares = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, std: n > 1 ? Math.sqrt(squares / (n - 1)) : mean - mean, n };
}

/** I_x(a, b) of 0 ≤ x ≤ 1, by its continued fraction (Abramowitz and Stegun 1964, 26.5.8) as Lentz evaluates it; to about 1e-12. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1) || tiny);
  let fraction = d;
  for (let m = 1; m <= 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      d = 1 / (1 + term * d || tiny);
      c = 1 + term / c || tiny;
      change = c * d;
      fraction *= change;
    }
    if (Math.abs(change - 1) < 1e-15) break;
  }
  return front * fraction;
}

/** ln Γ(x) for x > 0, by Stirling's series (Abramowitz and Stegun 1964, 6.1.41) from 10 on; to about 1e-14. */
function logGamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < 10; at++) shift += Math.log(at);
  const inverse = 1 / at;
  const square = inverse * inverse;
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))));
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
