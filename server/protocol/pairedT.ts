// Whether two settings differ, from what they gave with the same seeds.

/** The p-value below which a difference of paired figures is rarer than chance makes it. */
export interface PairedTest {
  /** Of the first over the second. */
  readonly meanDifference: number;
  /** Two-sided. */
  readonly p: number;
  readonly pairs: number;
}

/**
 * Student's paired t-test: t = d̄·√n/s over the differences d, with n − 1 degrees of freedom.
 * @param first and @param second of the same seeds, in the same order
 * @returns null of fewer than two pairs, which tell nothing of the spread
 */
export function pairedT(first: readonly number[], second: readonly number[]): PairedTest | null {
  const differences = first.map((value, index) => value - second[index]!);
  const { mean, std, n } = meanAndStd(differences);
  if (n < 2 || std === null) return null;
  if (std === 0) return { meanDifference: mean, p: mean === 0 ? 1 : 0, pairs: n };
  return { meanDifference: mean, p: twoSidedP((mean * Math.sqrt(n)) / std, n - 1), pairs: n };
}

/** `std` of n − 1; null of a single value. */
export function meanAndStd(values: readonly number[]): { mean: number; std: number | null; n: number } {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean, std: null, n };
  return { mean, std: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)), n };
}

/**
 * The probability that |t| is as large by chance: 1 − A(t|ν) by its finite sums (Abramowitz & Stegun, 1964, 26.7.3 and 26.7.4), right
 * to 1e-15. @param df whole, at least 1
 */
export function twoSidedP(t: number, df: number): number {
  const angle = Math.atan(Math.abs(t) / Math.sqrt(df));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const isOdd = df % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = 0;
  for (let k = isOdd ? 3 : 2; k <= df; k += 2) {
    sum += term;
    term *= (cosine * cosine * (k - 1)) / k;
  }
  const within = isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
  return Math.min(1, Math.max(0, 1 - within));
}
