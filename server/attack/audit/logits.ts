// Comparing logits.

export function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, index) => Math.max(most, Math.abs(value - b[index]!)), 0);
}

/** Their largest magnitude; 1 where all are smaller. */
export function logitScale(logits: Float32Array): number {
  return logits.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
}
