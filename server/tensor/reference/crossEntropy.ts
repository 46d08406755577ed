// Float64 reference of softmax cross-entropy and its gradient with respect to the logits.

/** −log softmax(z)_y of each row of `[B, K]`; NaN for a label outside [0, K). */
export function crossEntropy(logits: Float64Array, labels: Int32Array, nClasses: number): Float64Array {
  return Float64Array.from(labels, (label, b) => {
    const row = logits.subarray(b * nClasses, (b + 1) * nClasses);
    const largest = Math.max(...row);
    const sum = row.reduce((total, logit) => total + Math.exp(logit - largest), 0);
    return Math.log(sum) - ((row[label] ?? NaN) - largest);
  });
}

/** dy_b·(softmax(z) − onehot(y)). */
export function crossEntropyGradient(
  dy: Float64Array,
  logits: Float64Array,
  labels: Int32Array,
  nClasses: number,
): Float64Array {
  return logits.map((logit, n) => {
    const b = Math.floor(n / nClasses);
    const row = logits.subarray(b * nClasses, (b + 1) * nClasses);
    const largest = Math.max(...row);
    const sum = row.reduce((total, other) => total + Math.exp(other - largest), 0);
    return dy[b]! * (Math.exp(logit - largest) / sum - (labels[b] === n % nClasses ? 1 : 0));
  });
}
