// Float64 reference of one L∞ attack step.

/** clip(c + clip(x + stepSize·sign(g) − c, ±epsilon), 0, 1), with sign(0) = sign(NaN) = 0. */
export function attackStep(
  x: Float64Array,
  clean: Float64Array,
  gradient: Float64Array,
  { stepSize, epsilon }: { stepSize: number; epsilon: number },
): Float64Array {
  return x.map((value, i) => {
    const slope = Number.isNaN(gradient[i]!) ? 0 : Math.sign(gradient[i]!);
    return clip(clean[i]! + clip(value + stepSize * slope - clean[i]!, -epsilon, epsilon), 0, 1);
  });
}

function clip(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
