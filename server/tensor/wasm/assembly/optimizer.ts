// Optimizer updates in place. The state is float32, the arithmetic float64 in the order of ops/optimizer.ts: the same bits.

/** SGD for elements first…last: v ← momentum·v + (g + weightDecay·w), w ← w − learningRate·v; without v where it is 0. */
export function sgdUpdate(
  weights: usize,
  gradient: usize,
  velocity: usize,
  learningRate: f64,
  momentum: f64,
  weightDecay: f64,
  first: i32,
  last: i32,
): void {
  for (let i = first; i < last; i++) {
    const at = (<usize>i) << 2;
    const weight = <f64>load<f32>(weights + at);
    let step = <f64>load<f32>(gradient + at) + weightDecay * weight;
    if (velocity) {
      const rounded = <f32>(momentum * <f64>load<f32>(velocity + at) + step);
      store<f32>(velocity + at, rounded);
      step = <f64>rounded;
    }
    store<f32>(weights + at, <f32>(weight - learningRate * step));
  }
}

/** Adam for elements first…last; `stepSize` is learningRate/(1 − β₁ᵗ), `correction` √(1 − β₂ᵗ). */
export function adamUpdate(
  weights: usize,
  gradient: usize,
  firstMoment: usize,
  secondMoment: usize,
  stepSize: f64,
  correction: f64,
  beta1: f64,
  beta2: f64,
  epsilon: f64,
  weightDecay: f64,
  first: i32,
  last: i32,
): void {
  for (let i = first; i < last; i++) {
    const at = (<usize>i) << 2;
    const weight = <f64>load<f32>(weights + at);
    const slope = <f64>load<f32>(gradient + at) + weightDecay * weight;
    const m = <f32>(beta1 * <f64>load<f32>(firstMoment + at) + (1 - beta1) * slope);
    const v = <f32>(beta2 * <f64>load<f32>(secondMoment + at) + (1 - beta2) * slope * slope);
    store<f32>(firstMoment + at, m);
    store<f32>(secondMoment + at, v);
    store<f32>(weights + at, <f32>(weight - (stepSize * <f64>m) / (Math.sqrt(<f64>v) / correction + epsilon)));
  }
}
