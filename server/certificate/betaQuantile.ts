// The beta distribution: its distribution function, its quantile, and what Clopper and Pearson make of them.

/** ln Γ(x) for x > 0: Stirling's series from 15 on, to 1e-15 of it; below by Γ(x) = Γ(x + 1)/x. */
function logGamma(x: number): number {
  let [shift, z] = [0, x];
  while (z < 15) shift -= Math.log(z++);
  const r = 1 / (z * z);
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r * (1 / 1188 - (r * 691) / 360_360))))) / z;
  return shift + (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series;
}

/** ln of x^a (1 − x)^b / B(a, b). */
function logFactor(x: number, a: number, b: number): number {
  return a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b);
}

/** The continued fraction of I_x(a, b) by Lentz's method (Abramowitz & Stegun, 1964, 26.5.8); quick where x < (a + 1)/(a + b + 2). */
function fraction(x: number, a: number, b: number): number {
  let [c, d, product] = [1, 0, 1];
  for (let i = 1; i < 100_000; i++) {
    const m = i >> 1;
    const term =
      i % 2 === 0
        ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
        : -((a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / awayFrom0(1 + term * d);
    c = awayFrom0(1 + term / c);
    product *= c * d;
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return product;
}

function awayFrom0(value: number): number {
  return Math.abs(value) < 1e-300 ? 1e-300 : value;
}

/** I_x(a, b), the chance that a beta variable is at most x; a, b > 0. */
export function betaCdf(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const isLow = x < (a + 1) / (a + b + 2);
  return isLow
    ? Math.exp(logFactor(x, a, b)) / fraction(x, a, b) / a
    : 1 - Math.exp(logFactor(x, a, b)) / fraction(1 - x, b, a) / b;
}

/** x with I_x(a, b) = p: halving, which nothing can mislead, until two numbers are neighbours. */
export function betaQuantile(p: number, a: number, b: number): number {
  let [low, high] = [0, 1];
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (betaCdf(middle, a, b) < p) low = middle;
    else high = middle;
  }
}

/** The one-sided lower bound at level 1 − α of a proportion of which `count` of `total` were seen (Clopper & Pearson, 1934). */
export function lowerBound(count: number, total: number, alpha: number): number {
  return count === 0 ? 0 : betaQuantile(alpha, count, total - count + 1);
}
