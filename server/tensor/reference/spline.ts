// Float64 reference of spline activation functions, by their definition: every control point times its basis function.

export interface SplineOptions {
  readonly channels: number;
  readonly boundary: number;
  readonly basis: 'catmull-rom' | 'b-spline';
}

/** f(x) by channel; x `[…, C]`, points `[C, Q]`. */
export function spline(x: Float64Array, points: Float64Array, options: SplineOptions): Float64Array {
  const nPoints = points.length / options.channels;
  return x.map((value, n) => {
    const start = (n % options.channels) * nPoints;
    return evaluate(value, nPoints, options).weights.reduce((sum, weight, i) => sum + weight * points[start + i]!, 0);
  });
}

/** dx = dy·∂f/∂x, and dpoints = Σ dy·∂f/∂q over the rows. */
export function splineGradients(
  dy: Float64Array,
  x: Float64Array,
  points: Float64Array,
  options: SplineOptions,
): { dx: Float64Array; dpoints: Float64Array } {
  const nPoints = points.length / options.channels;
  const dpoints = new Float64Array(points.length);
  const dx = x.map((value, n) => {
    const start = (n % options.channels) * nPoints;
    const { weights, slopes } = evaluate(value, nPoints, options);
    weights.forEach((weight, i) => {
      dpoints[start + i] = dpoints[start + i]! + dy[n]! * weight;
    });
    return dy[n]! * slopes.reduce((sum, slope, i) => sum + slope * points[start + i]!, 0);
  });
  return { dx, dpoints };
}

/** What each control point weighs at x, and the weights' derivatives; 0 for those outside the span, NaN for a NaN in the first. */
function evaluate(
  x: number,
  nPoints: number,
  { boundary, basis }: SplineOptions,
): { weights: number[]; slopes: number[] } {
  const spacing = (2 * boundary) / (nPoints - 1);
  const lowest = -boundary + spacing;
  const highest = boundary - spacing;
  const inside = Math.min(Math.max(x, lowest), highest);
  const span = Number.isNaN(x) ? 1 : Math.min(Math.max(Math.floor((inside + boundary) / spacing), 1), nPoints - 3);
  const window = bases[basis]((inside + boundary) / spacing - span);
  const at = (values: readonly number[]) => Array.from({ length: nPoints }, (_, i) => values[i - span + 1] ?? 0);
  // A product with 0, so that NaN stays.
  const isInside = x < lowest || x > highest ? 0 : 1;
  return { weights: at(window.values), slopes: at(window.slopes.map((slope) => (isInside * slope) / spacing)) };
}

const bases = {
  'catmull-rom': (u: number) => ({
    values: [
      -u + 2 * u ** 2 - u ** 3,
      2 - 5 * u ** 2 + 3 * u ** 3,
      u + 4 * u ** 2 - 3 * u ** 3,
      -(u ** 2) + u ** 3,
    ].map((value) => value / 2),
    slopes: [-1 + 4 * u - 3 * u ** 2, -10 * u + 9 * u ** 2, 1 + 8 * u - 9 * u ** 2, -2 * u + 3 * u ** 2].map(
      (slope) => slope / 2,
    ),
  }),
  'b-spline': (u: number) => ({
    values: [(1 - u) ** 3, 4 - 6 * u ** 2 + 3 * u ** 3, 1 + 3 * u + 3 * u ** 2 - 3 * u ** 3, u ** 3].map(
      (value) => value / 6,
    ),
    slopes: [-3 * (1 - u) ** 2, -12 * u + 9 * u ** 2, 3 + 6 * u - 9 * u ** 2, 3 * u ** 2].map((slope) => slope / 6),
  }),
} as const;
