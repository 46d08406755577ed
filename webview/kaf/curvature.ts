// How bent a curve is.

/** The mean of f″² over the grid, by second differences; NaN where a value is not finite. @param x evenly spread */
export function curvatureOf(x: ArrayLike<number>, f: ArrayLike<number>): number {
  const step = x[1]! - x[0]!;
  let sum = 0;
  for (let index = 1; index < f.length - 1; index++) {
    sum += ((f[index - 1]! - 2 * f[index]! + f[index + 1]!) / (step * step)) ** 2;
  }
  return sum / (f.length - 2);
}
