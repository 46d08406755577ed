// Float64 reference of the optimizer updates, in PyTorch's form; new arrays, nothing in place.

/** v ← momentum·v + g + weightDecay·w, w ← w − learningRate·v. */
export function sgd(
  weights: Float64Array,
  gradient: Float64Array,
  velocity: Float64Array,
  settings: { learningRate: number; momentum: number; weightDecay: number },
): { weights: Float64Array; velocity: Float64Array } {
  const { learningRate, momentum, weightDecay } = settings;
  const next = velocity.map((v, i) => momentum * v + gradient[i]! + weightDecay * weights[i]!);
  return { weights: weights.map((w, i) => w - learningRate * next[i]!), velocity: next };
}

/** Adam by its published form: bias-corrected moments m̂, v̂, then w ← w − learningRate·m̂/(√v̂ + ε). */
export function adam(
  weights: Float64Array,
  gradient: Float64Array,
  moments: { first: Float64Array; second: Float64Array },
  settings: {
    step: number;
    learningRate: number;
    beta1: number;
    beta2: number;
    epsilon: number;
    weightDecay: number;
  },
): { weights: Float64Array; first: Float64Array; second: Float64Array } {
  const { step, learningRate, beta1, beta2, epsilon, weightDecay } = settings;
  const slope = gradient.map((g, i) => g + weightDecay * weights[i]!);
  const first = moments.first.map((m, i) => beta1 * m + (1 - beta1) * slope[i]!);
  const second = moments.second.map((v, i) => beta2 * v + (1 - beta2) * slope[i]! ** 2);
  const updated = weights.map((w, i) => {
    const mean = first[i]! / (1 - beta1 ** step);
    const square = second[i]! / (1 - beta2 ** step);
    return w - (learningRate * mean) / (Math.sqrt(square) + epsilon);
  });
  return { weights: updated, first, second };
}
