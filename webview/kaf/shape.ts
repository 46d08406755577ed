// The shape of a kernel activation function, f(x) = base(x) + Σᵢ αᵢ exp(−γ(x−dᵢ)²) (Scardapane et al. 2019, eq. 8), and of a
// spline, f(x) = Σᵢ αᵢ w((x − dᵢ)/Δ): its control points are the α, its knots the d, w is its basis' bump. For drawing, so in float64 on a grid; training's kernels are elsewhere.
import type { KafKernels } from '../../server/protocol/records.ts';

export interface KafLayer {
  readonly dictionary: readonly number[];
  readonly gamma: number;
  readonly base: 'none' | 'swish';
}

export interface SplineLayer {
  /** The knots, at least four, ascending and evenly spread. */
  readonly dictionary: readonly number[];
  readonly spline: 'catmull-rom' | 'b-spline';
}

export type ShapedLayer = KafLayer | SplineLayer;

export interface KafGrid {
  /** Ascending inputs. */
  readonly x: Float64Array;
  /** base(x) and base′(x). */
  readonly base: Float64Array;
  readonly baseSlope: Float64Array;
  /** exp(−γ(x−dᵢ)²) or w((x − dᵢ)/Δ), and its derivative in x, `[x, dictionary]` row by row. */
  readonly kernels: Float64Array;
  readonly slopes: Float64Array;
  readonly dictionarySize: number;
}

/** Everything of a layer that does not depend on α, on `points` inputs evenly over the dictionary and `margin` beyond each end. */
export function gridFor(layer: ShapedLayer, options: { points: number; margin: number }): KafGrid {
  const low = Math.min(...layer.dictionary) - options.margin;
  const high = Math.max(...layer.dictionary) + options.margin;
  const x = Float64Array.from(
    { length: options.points },
    (_, index) => low + ((high - low) * index) / (options.points - 1),
  );
  return gridAt(layer, x);
}

export function gridAt(layer: ShapedLayer, x: Float64Array): KafGrid {
  const size = layer.dictionary.length;
  const base = new Float64Array(x.length);
  const baseSlope = new Float64Array(x.length);
  const kernels = new Float64Array(x.length * size);
  const slopes = new Float64Array(x.length * size);
  x.forEach((input, row) => {
    if ('base' in layer && layer.base === 'swish') {
      const sigmoid = 1 / (1 + Math.exp(-input));
      base[row] = input * sigmoid;
      baseSlope[row] = sigmoid * (1 + input * (1 - sigmoid));
    }
    layer.dictionary.forEach((centre, column) => {
      const { value, slope } = 'spline' in layer ? bump(layer, input, centre) : gaussian(layer, input - centre);
      kernels[row * size + column] = value;
      slopes[row * size + column] = slope;
    });
  });
  return { x, base, baseSlope, kernels, slopes, dictionarySize: size };
}

function gaussian({ gamma }: KafLayer, distance: number): { value: number; slope: number } {
  const value = Math.exp(-gamma * distance * distance);
  return { value, slope: -2 * gamma * distance * value };
}

/** What a control point weighs at x. Within a knot of the ends and beyond, the curve keeps its value. */
function bump({ dictionary, spline }: SplineLayer, x: number, knot: number): { value: number; slope: number } {
  const [low, high] = [dictionary[1]!, dictionary.at(-2)!];
  const spacing = (high - low) / (dictionary.length - 3);
  const offset = (Math.min(Math.max(x, low), high) - knot) / spacing;
  const distance = Math.abs(offset);
  const isFlat = x < low || x > high || distance >= 2;
  const [near, far] = bumps[spline];
  const [cubic, square, linear, constant] = distance < 1 ? near : far;
  const slope = (Math.sign(offset) * ((3 * cubic * distance + 2 * square) * distance + linear)) / spacing;
  return {
    value: distance >= 2 ? 0 : ((cubic * distance + square) * distance + linear) * distance + constant,
    slope: isFlat ? 0 : slope,
  };
}

type Cubic = readonly [number, number, number, number];

/** w(t) for |t| < 1 and 1 ≤ |t| < 2, from the highest power of |t|. */
const bumps: Readonly<Record<SplineLayer['spline'], readonly [near: Cubic, far: Cubic]>> = {
  'catmull-rom': [
    [3 / 2, -5 / 2, 0, 1],
    [-1 / 2, 5 / 2, -4, 2],
  ],
  'b-spline': [
    [1 / 2, -1, 0, 2 / 3],
    [-1 / 6, 1, -2, 4 / 3],
  ],
};

/** What training has made of a layer. */
export interface KafCoefficients {
  /** `[channels, dictionary]`, row by row. */
  readonly alpha: Float32Array;
  /** Absent where dictionary and bandwidth are the layer's. */
  readonly kernels?: KafKernels | undefined;
}

/** The layer as one channel has it. */
export function layerOfChannel(layer: ShapedLayer, { kernels }: KafCoefficients, channel: number): ShapedLayer {
  if (!kernels || 'spline' in layer) return layer;
  const size = layer.dictionary.length;
  return {
    dictionary: [...kernels.dictionaries.subarray(channel * size, (channel + 1) * size)],
    gamma: kernels.gammas[channel] ?? Number.NaN,
    base: layer.base,
  };
}

/** The grid's inputs with a channel's own dictionary and bandwidth, where it has them. */
export function gridOfChannel(
  grid: KafGrid,
  layer: ShapedLayer,
  coefficients: KafCoefficients,
  channel: number,
): KafGrid {
  return coefficients.kernels ? gridAt(layerOfChannel(layer, coefficients, channel), grid.x) : grid;
}

/** f on the grid for one channel; `alpha` is `[channels, dictionary]` row by row. */
export function evaluateShape(grid: KafGrid, alpha: Float32Array, channel: number): Float64Array {
  return combine(grid.base, grid.kernels, grid.dictionarySize, alpha, channel);
}

/** f′ on the grid. */
export function evaluateSlope(grid: KafGrid, alpha: Float32Array, channel: number): Float64Array {
  return combine(grid.baseSlope, grid.slopes, grid.dictionarySize, alpha, channel);
}

/** max |f′| on the grid: an estimate from below of the Lipschitz constant that gets tight as the grid gets fine. */
export function lipschitzEstimate(slope: ArrayLike<number>): number {
  let largest = 0;
  for (let index = 0; index < slope.length; index++) {
    const size = Math.abs(slope[index]!);
    if (!(size <= largest)) largest = size; // so that NaN is kept
    if (Number.isNaN(largest)) return largest;
  }
  return largest;
}

/** ‖f − g‖₂ over the grid's interval, by the trapezoidal rule. */
export function shapeDistance(x: ArrayLike<number>, f: ArrayLike<number>, g: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 1; index < x.length; index++) {
    const left = f[index - 1]! - g[index - 1]!;
    const right = f[index]! - g[index]!;
    sum += ((x[index]! - x[index - 1]!) * (left * left + right * right)) / 2;
  }
  return Math.sqrt(sum);
}

function combine(
  base: Float64Array,
  rows: Float64Array,
  size: number,
  alpha: Float32Array,
  channel: number,
): Float64Array {
  const result = new Float64Array(base.length);
  for (let row = 0; row < base.length; row++) {
    let sum = base[row]!;
    for (let column = 0; column < size; column++) sum += rows[row * size + column]! * alpha[channel * size + column]!;
    result[row] = sum;
  }
  return result;
}
