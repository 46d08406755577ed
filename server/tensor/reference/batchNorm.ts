// Float64 reference of batch normalisation in training and its gradients, channel by channel.

/** y = γ(x − μ)/√(σ² + ε) + β over all axes but the last; mean and biased variance `[C]`, 0 where there are no rows. */
export function batchNorm(
  x: Float64Array,
  gamma: Float64Array,
  beta: Float64Array,
  epsilon: number,
): { y: Float64Array; mean: Float64Array; variance: Float64Array } {
  const mean = gamma.map((_, c) => average(channel(x, c, gamma.length)));
  const variance = gamma.map((_, c) => average(channel(x, c, gamma.length).map((value) => (value - mean[c]!) ** 2)));
  const y = x.map((value, n) => {
    const c = n % gamma.length;
    return (gamma[c]! * (value - mean[c]!)) / Math.sqrt(variance[c]! + epsilon) + beta[c]!;
  });
  return { y, mean, variance };
}

/** The chain rule through the statistics: dx = γ/√(σ² + ε)·(dy − mean(dy) − x̂·mean(dy·x̂)). */
export function batchNormGradients(
  dy: Float64Array,
  x: Float64Array,
  gamma: Float64Array,
  epsilon: number,
): { dx: Float64Array; dgamma: Float64Array; dbeta: Float64Array } {
  const nChannels = gamma.length;
  const { mean, variance } = batchNorm(x, gamma, gamma, epsilon);
  const normalized = x.map((value, n) => {
    const c = n % nChannels;
    return (value - mean[c]!) / Math.sqrt(variance[c]! + epsilon);
  });
  const products = dy.map((value, n) => value * normalized[n]!);
  const dgamma = gamma.map((_, c) => sum(channel(products, c, nChannels)));
  const dbeta = gamma.map((_, c) => sum(channel(dy, c, nChannels)));
  const nRows = x.length / nChannels;
  const dx = dy.map((value, n) => {
    const c = n % nChannels;
    const centred = value - dbeta[c]! / nRows - (normalized[n]! * dgamma[c]!) / nRows;
    return (gamma[c]! / Math.sqrt(variance[c]! + epsilon)) * centred;
  });
  return { dx, dgamma, dbeta };
}

function channel(x: Float64Array, c: number, nChannels: number): Float64Array {
  return x.filter((_, n) => n % nChannels === c);
}

function average(values: Float64Array): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
