// The surface of a two-dimensional KAF, f(u, v) = Σᵢ Σⱼ αᵢⱼ exp(−γ((u − dᵢ)² + (v − dⱼ)²)) (Scardapane et al. 2017, §3.2), on a square
// grid. For drawing, in float64; training's kernels are elsewhere.

export interface SurfaceLayer {
  /** The elements of each axis, ascending. */
  readonly axis: readonly number[];
  readonly gamma: number;
}

/** `points` inputs of each axis, evenly over the dictionary and `margin` beyond its ends. */
export function surfaceInputs({ axis }: SurfaceLayer, options: { points: number; margin: number }): Float64Array {
  const [low, high] = [axis[0]! - options.margin, axis.at(-1)! + options.margin];
  return Float64Array.from(
    { length: options.points },
    (_, index) => low + ((high - low) * index) / (options.points - 1),
  );
}

/** f at all pairs of inputs by one channel's coefficients `[D, D]`: `[u, v]`, row by row. */
export function surfaceValues(layer: SurfaceLayer, inputs: Float64Array, row: Float32Array): Float64Array {
  const { kernels } = kernelsAt(layer, inputs);
  return combine(kernels, kernels, row, layer.axis.length);
}

/** max |∇f| on the grid: an estimate of the Lipschitz constant from below. NaN where f is not finite. */
export function steepestSlope(layer: SurfaceLayer, inputs: Float64Array, row: Float32Array): number {
  const { kernels, slopes } = kernelsAt(layer, inputs);
  const ofU = combine(slopes, kernels, row, layer.axis.length);
  const ofV = combine(kernels, slopes, row, layer.axis.length);
  return ofU.reduce((most, slope, at) => {
    const size = Math.hypot(slope, ofV[at]!);
    return Number.isNaN(size) ? NaN : Math.max(most, size);
  }, 0);
}

/** ‖f − g‖₂ over the square of the inputs, by the trapezoidal rule. */
export function surfaceDistance(inputs: Float64Array, f: Float64Array, g: Float64Array): number {
  const n = inputs.length;
  const step = (inputs[n - 1]! - inputs[0]!) / (n - 1);
  const weight = (index: number) => (index === 0 || index === n - 1 ? step / 2 : step);
  const sum = f.reduce(
    (total, value, at) => total + weight(Math.floor(at / n)) * weight(at % n) * (value - g[at]!) ** 2,
    0,
  );
  return Math.sqrt(sum);
}

/** κ(x, dᵢ) and κ′, `[inputs, D]`. */
function kernelsAt(
  { axis, gamma }: SurfaceLayer,
  inputs: Float64Array,
): { readonly kernels: Float64Array; readonly slopes: Float64Array } {
  const kernels = new Float64Array(inputs.length * axis.length);
  const slopes = new Float64Array(kernels.length);
  inputs.forEach((x, n) => {
    axis.forEach((centre, i) => {
      const at = n * axis.length + i;
      kernels[at] = Math.exp(-gamma * (x - centre) ** 2);
      slopes[at] = -2 * gamma * (x - centre) * kernels[at];
    });
  });
  return { kernels, slopes };
}

/** ofU·α·ofVᵀ. */
function combine(ofU: Float64Array, ofV: Float64Array, alpha: Float32Array, size: number): Float64Array {
  const n = ofU.length / size;
  const values = new Float64Array(n * n);
  const inner = new Float64Array(size);
  for (let u = 0; u < n; u++) {
    for (let j = 0; j < size; j++) {
      inner[j] = 0;
      for (let i = 0; i < size; i++) inner[j]! += ofU[u * size + i]! * alpha[i * size + j]!;
    }
    for (let v = 0; v < n; v++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += inner[j]! * ofV[v * size + j]!;
      values[u * n + v] = sum;
    }
  }
  return values;
}
