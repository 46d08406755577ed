// The shape of a kernel activation function, f(x) = base(x) + Σₘ Σᵢ αₘᵢ κₘ(x, dᵢ) (Scardapane et al. 2019, eq. 8), of a spline,
// f(x) = Σᵢ αᵢ w((x − dᵢ)/Δ), whose control points are the α, whose knots the d, and w its basis' bump, and of a formula. For drawing, so in
// float64 on a grid; training's kernels are elsewhere.
import { curveOf } from './evaluate.ts';
import { formulaOf, type FormulaText } from './formula.ts';
import { gaussianAlone, kafKernelFormula, type KafKernelName } from './kafKernels.ts';

export interface KafLayer {
  readonly dictionary: readonly number[];
  readonly gamma: number;
  readonly base: 'none' | 'swish';
  /** Absent for the Gaussian alone. */
  readonly kernelNames?: readonly KafKernelName[];
}

export interface SplineLayer {
  /** The knots, at least four, ascending and evenly spread. */
  readonly dictionary: readonly number[];
  readonly spline: 'catmull-rom' | 'b-spline';
}

export interface FormulaLayer {
  readonly formula: FormulaText;
}

export type ShapedLayer = KafLayer | SplineLayer | FormulaLayer;

/** Where curves are drawn, and all of them that does not depend on the coefficients. */
export interface ShapeGrid {
  /** Ascending inputs. */
  readonly x: Float64Array;
  /** f and f′ at them by one channel's row of coefficients. */
  values(row: Float32Array): Float64Array;
  slopes(row: Float32Array): Float64Array;
}

/** Formulas stand nowhere: they are drawn where what follows a batch normalisation lies. */
const formulaReach = 4;

/** `points` inputs, evenly over the dictionary and `margin` beyond each end. */
export function gridFor(layer: ShapedLayer, options: { points: number; margin: number }): ShapeGrid {
  const places = placesOf(layer);
  const low = Math.min(...places) - options.margin;
  const high = Math.max(...places) + options.margin;
  const x = Float64Array.from(
    { length: options.points },
    (_, index) => low + ((high - low) * index) / (options.points - 1),
  );
  return gridAt(layer, x);
}

function placesOf(layer: ShapedLayer): readonly number[] {
  return 'formula' in layer ? [-formulaReach, formulaReach] : layer.dictionary;
}

export function gridAt(layer: ShapedLayer, x: Float64Array): ShapeGrid {
  if (!('formula' in layer)) return sumGrid(layer, x);
  const formula = formulaOf(layer.formula);
  return {
    x,
    values: (row) => curveOf(formula, x, row).values,
    slopes: (row) => curveOf(formula, x, row).slopes,
  };
}

/** Of a sum of fixed functions: base(x) + Σᵢ αᵢ κᵢ(x). */
function sumGrid(layer: KafLayer | SplineLayer, x: Float64Array): ShapeGrid {
  const size = layer.dictionary.length * nKernelsOf(layer);
  const base = baseCurve(layer, x);
  // κₘ(x, dᵢ) or w((x − dᵢ)/Δ), and its derivative in x, `[x, kernels · dictionary]` row by row.
  const kernels = new Float64Array(x.length * size);
  const slopes = new Float64Array(x.length * size);
  columnsOf(layer, x).forEach((curve, column) => {
    for (let row = 0; row < x.length; row++) {
      kernels[row * size + column] = curve.values[row]!;
      slopes[row * size + column] = curve.slopes[row]!;
    }
  });
  return {
    x,
    values: (row) => combine(base.values, kernels, row),
    slopes: (row) => combine(base.slopes, slopes, row),
  };
}

/** f and f′ at some inputs. */
export interface Curve {
  readonly values: Float64Array;
  readonly slopes: Float64Array;
}

/** What no coefficient weighs. */
export function baseCurve(layer: KafLayer | SplineLayer, x: Float64Array): Curve {
  if (!('base' in layer) || layer.base === 'none') {
    return { values: new Float64Array(x.length), slopes: new Float64Array(x.length) };
  }
  const sigmoid = x.map((input) => 1 / (1 + Math.exp(-input)));
  return {
    values: x.map((input, row) => input * sigmoid[row]!),
    slopes: x.map((input, row) => sigmoid[row]! * (1 + input * (1 - sigmoid[row]!))),
  };
}

/** The function that each coefficient weighs. */
export function columnsOf(layer: KafLayer | SplineLayer, x: Float64Array): Curve[] {
  if ('spline' in layer) {
    return layer.dictionary.map((knot) => {
      const bumps = Array.from(x, (input) => bump(layer, input, knot));
      return {
        values: Float64Array.from(bumps, ({ value }) => value),
        slopes: Float64Array.from(bumps, ({ slope }) => slope),
      };
    });
  }
  return (layer.kernelNames ?? gaussianAlone).flatMap((name) => {
    // By hand, because free KAFs have one for each channel.
    if (name === 'gaussian') return layer.dictionary.map((centre) => gaussian(layer, x, centre));
    const formula = kafKernelFormula(name, layer.gamma);
    return layer.dictionary.map((centre) =>
      curveOf(
        formula,
        x.map((input) => input - centre),
        [],
      ),
    );
  });
}

function gaussian({ gamma }: KafLayer, x: Float64Array, centre: number): Curve {
  const values = x.map((input) => Math.exp(-gamma * (input - centre) * (input - centre)));
  return { values, slopes: values.map((value, row) => -2 * gamma * (x[row]! - centre) * value) };
}

/** How many functions stand at each place. */
export function nKernelsOf(layer: KafLayer | SplineLayer): number {
  return 'kernelNames' in layer ? layer.kernelNames.length : 1;
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

function combine(base: Float64Array, rows: Float64Array, row: Float32Array): Float64Array {
  const size = rows.length / base.length;
  return base.map((start, index) => {
    let sum = start;
    for (let column = 0; column < size; column++) sum += rows[index * size + column]! * row[column]!;
    return sum;
  });
}
