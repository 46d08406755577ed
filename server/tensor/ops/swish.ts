// Swish as the base of a residual KAF, one value at a time; as an activation of its own it is a formula.

/** x·σ(x), with its limits at ±Inf. */
export function swishValue(x: number): number {
  // Below −100 the value is under 4e-42 in magnitude; clamping there keeps −Inf/Inf out.
  const clamped = Math.max(x, -100);
  return clamped / (1 + Math.exp(-clamped));
}

/** σ(x)·(1 + x·(1 − σ(x))), with its limits 0 and 1 at ±Inf. */
export function swishSlope(x: number): number {
  const clamped = Math.min(Math.max(x, -100), 100);
  const sigmoid = 1 / (1 + Math.exp(-clamped));
  return sigmoid * (1 + clamped * (1 - sigmoid));
}
