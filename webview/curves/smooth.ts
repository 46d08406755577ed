// Exponential smoothing of a curve.

/**
 * Debiased exponential moving average: m ← w·m + (1−w)·y, shown as m / (1 − wⁿ) after n values (Kingma and Ba 2015, §3).
 *
 * @param weight in [0, 1): 0 gives the curve itself.
 * @returns as long as `values`. A value that is not finite gives NaN at its place and leaves the average as it was.
 */
export function smooth(values: ArrayLike<number>, weight: number): Float64Array {
  const result = new Float64Array(values.length);
  let average = 0;
  let debias = 1;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (!Number.isFinite(value)) {
      result[index] = Number.NaN;
      continue;
    }
    average = weight * average + (1 - weight) * value;
    debias *= weight;
    result[index] = average / (1 - debias);
  }
  return result;
}
