// Float64 reference of group normalisation and its gradients, group by group.

interface Sizes {
  readonly nSamples: number;
  readonly nRows: number;
  readonly nChannels: number;
  readonly groups: number;
  readonly epsilon: number;
}

/** y = γ(x − μ)/√(σ² + ε) + β; x `[nSamples, nRows, nChannels]`, μ and σ² over a sample's rows and the channels of a group. */
export function groupNorm(x: Float64Array, gamma: Float64Array, beta: Float64Array, sizes: Sizes): Float64Array {
  const normalized = normalize(x, sizes);
  return normalized.map((value, n) => gamma[n % sizes.nChannels]! * value + beta[n % sizes.nChannels]!);
}

/** The chain rule through the statistics: dx = (g − mean(g) − x̂·mean(g·x̂))/√(σ² + ε), g = γ·dy, means over the group. */
export function groupNormGradients(
  dy: Float64Array,
  x: Float64Array,
  gamma: Float64Array,
  sizes: Sizes,
): { dx: Float64Array; dgamma: Float64Array; dbeta: Float64Array } {
  const { nChannels, epsilon } = sizes;
  const normalized = normalize(x, sizes);
  const dgamma = new Float64Array(nChannels);
  const dbeta = new Float64Array(nChannels);
  dy.forEach((value, n) => {
    dgamma[n % nChannels] = dgamma[n % nChannels]! + value * normalized[n]!;
    dbeta[n % nChannels] = dbeta[n % nChannels]! + value;
  });
  const dx = new Float64Array(x.length);
  for (const members of groupsOf(sizes)) {
    const slopes = members.map((n) => dy[n]! * gamma[n % nChannels]!);
    const meanSlope = average(slopes);
    const meanProduct = average(members.map((n, i) => slopes[i]! * normalized[n]!));
    const inverse = 1 / Math.sqrt(varianceOf(members.map((n) => x[n]!)) + epsilon);
    members.forEach((n, i) => {
      dx[n] = inverse * (slopes[i]! - meanSlope - normalized[n]! * meanProduct);
    });
  }
  return { dx, dgamma, dbeta };
}

function normalize(x: Float64Array, sizes: Sizes): Float64Array {
  const normalized = new Float64Array(x.length);
  for (const members of groupsOf(sizes)) {
    const values = members.map((n) => x[n]!);
    const [mean, variance] = [average(values), varianceOf(values)];
    for (const n of members) normalized[n] = (x[n]! - mean) / Math.sqrt(variance + sizes.epsilon);
  }
  return normalized;
}

/** The indices of each sample's each group. */
function groupsOf({ nSamples, nRows, nChannels, groups }: Sizes): number[][] {
  const all = Array.from({ length: nSamples * nRows * nChannels }, (_, n) => n);
  const groupOf = (n: number) =>
    Math.floor(n / (nRows * nChannels)) * groups + Math.floor((n % nChannels) / (nChannels / groups));
  return Array.from({ length: nSamples * groups }, (_, group) => all.filter((n) => groupOf(n) === group));
}

function varianceOf(values: readonly number[]): number {
  const mean = average(values);
  return average(values.map((value) => (value - mean) ** 2));
}

function average(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
