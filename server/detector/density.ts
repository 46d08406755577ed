// A density for each class: normal ones of one covariance, by which far activations are improbable under all (Lee et al., 2018).
import type { Detector, Features } from './detector.ts';

/** Share of the mean variance that is added to each, so that directions without variance weigh no more than float32's noise. */
const ridge = 1e-3;

/**
 * μ_c the mean of the class, Σ the covariance about the classes' means (Lee et al., 2018, eq. 1); the score is the least Mahalanobis
 * distance min_c (h − μ_c)ᵀΣ⁻¹(h − μ_c) (their eq. 2 with its sign turned), by Cholesky's Σ = LLᵀ as ‖L⁻¹(h − μ_c)‖². In float64.
 */
export const density: Detector<'density'> = function* ({ clean, labels, nClasses }) {
  const { width } = clean;
  const means = Array.from({ length: nClasses }, () => new Float64Array(width));
  const counts = new Float64Array(nClasses);
  labels.forEach((label, row) => {
    counts[label]!++;
    for (let i = 0; i < width; i++) means[label]![i]! += clean.values[row * width + i]!;
  });
  means.forEach((mean, c) => {
    for (let i = 0; i < width; i++) mean[i]! /= Math.max(1, counts[c]!);
  });
  const covariance = new Float64Array(width * width);
  for (const [row, label] of labels.entries()) {
    const offset = Float64Array.from(means[label]!, (mean, i) => clean.values[row * width + i]! - mean);
    for (let i = 0; i < width; i++)
      for (let j = 0; j <= i; j++) covariance[i * width + j]! += (offset[i]! * offset[j]!) / labels.length;
    if (row % 64 === 0) yield;
  }
  let trace = 0;
  for (let i = 0; i < width; i++) trace += covariance[i * width + i]!;
  for (let i = 0; i < width; i++) covariance[i * width + i]! += (ridge * trace) / width + Number.MIN_VALUE;
  const lower = yield* cholesky(covariance, width);
  const seen = means.filter((_, c) => counts[c]! > 0);
  return (features) => scores(features, seen, lower);
};

/** L with LLᵀ = A, row by row, of which only the lower half is read. */
function* cholesky(a: Float64Array, n: number): Generator<void, Float64Array, void> {
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!;
      lower[i * n + j] = i === j ? Math.sqrt(sum) : sum / lower[j * n + j]!;
    }
    if (i % 16 === 0) yield;
  }
  return lower;
}

function scores({ values, width }: Features, means: readonly Float64Array[], lower: Float64Array): Float32Array {
  const solved = new Float64Array(width);
  return Float32Array.from({ length: values.length / width }, (_, row) => {
    let least = Infinity;
    for (const mean of means) {
      let length = 0;
      for (let i = 0; i < width; i++) {
        let rest = values[row * width + i]! - mean[i]!;
        for (let k = 0; k < i; k++) rest -= lower[i * width + k]! * solved[k]!;
        solved[i] = rest / lower[i * width + i]!;
        length += solved[i]! ** 2;
      }
      least = Math.min(least, length);
    }
    return least;
  });
}
