// The curves of activation layers of one value: formulas, KAFs of every kind, splines; a channel each.
import { activationFunction, isFormulaActivation } from '../formula/activationFunction.ts';
import { evaluateNodes } from '../formula/expression.ts';
import { formulaOf, type Formula } from '../formula/formula.ts';
import { kafKernelFormula, mixedCoefficients, type KafKernelName } from '../formula/kafKernels.ts';
import { kernelsOf, type ActivationPlan, type KafPlan } from '../protocol/plan.ts';
import { dictionaryElements } from '../formula/ridge.ts';
import type { Curve } from './curve.ts';
import { add, IntervalAlgebra, point, times, type Interval } from './interval.ts';
import { splineCurve } from './splineCurve.ts';

/** A tensor of the layer by what it is, for example `alpha`; null where it has none such. */
export type ValuesOf = (quantity: string) => Float32Array | null;

/** By channel; one where all are alike. Null for layers whose outputs look at several values. */
export function curvesOf(plan: ActivationPlan, channels: number, valuesOf: ValuesOf): Curve[] | null {
  if (isFormulaActivation(plan))
    return formulaCurves(activationFunction(plan).formula, channels, valuesOf('coefficients'));
  switch (plan.type) {
    case 'spline':
      return rowsOf(valuesOf('points')!, channels).map((points) => splineCurve(points, plan));
    case 'kaf':
    case 'residual-kaf':
    case 'kaf-free':
    case 'multi-kaf':
      return kafCurves(plan, channels, valuesOf);
    case 'k-wta':
    case 'maxout':
    case 'kaf-2d':
      return null;
    default:
      return plan satisfies never;
  }
}

function formulaCurves({ text }: Formula, channels: number, coefficients: Float32Array | null): Curve[] {
  // Its own derivative, not the one that a gradient passes through.
  const { formula, parameters, constants } = text;
  const made = formulaOf({ formula, parameters, ...(constants && { constants }) });
  if (!coefficients) return [formulaCurve(made, {})];
  return rowsOf(coefficients, channels).map((row) =>
    formulaCurve(made, Object.fromEntries(parameters.map((name, index) => [name, point(row[index]!)]))),
  );
}

function formulaCurve({ value, slope }: Formula, parameters: Readonly<Record<string, Interval>>): Curve {
  const evaluate = (node: Formula['value'], on: Interval) => {
    const algebra = new IntervalAlgebra();
    const [found] = evaluateNodes([node], { x: on, ...parameters }, algebra) as [Interval];
    return { found, isDecided: algebra.isDecided };
  };
  return {
    value: (on) => evaluate(value, on).found,
    slope: (on) => {
      // Also where only the function chooses: then it may jump where both its derivatives are 0.
      if (!evaluate(value, on).isDecided) return null;
      const { found, isDecided } = evaluate(slope, on);
      return isDecided ? found : null;
    },
  };
}

function kafCurves(plan: KafPlan, channels: number, valuesOf: ValuesOf): Curve[] {
  const { dictionary: size, boundary } = plan;
  const kernels = kernelsOf(plan);
  const alpha = valuesOf('alpha')!;
  const mixture = valuesOf('mixture');
  const coefficients = rowsOf(mixture ? mixedCoefficients(alpha, mixture, channels) : alpha, channels);
  const own = valuesOf('dictionary');
  const dictionaries = own ? rowsOf(own, channels) : null;
  const logGammas = valuesOf('logGamma');
  const elements = dictionaryElements({ size, boundary, gamma: plan.gamma });
  const base = plan.type === 'residual-kaf' ? formulaCurve(activationFunction({ type: 'swish' }).formula, {}) : null;
  return coefficients.map((row, channel) => {
    const gamma = logGammas ? Math.exp(logGammas[channel]!) : plan.gamma;
    const places: ArrayLike<number> = dictionaries ? dictionaries[channel]! : elements;
    const curves = kernels.map((kernel) => kernelCurve(kernel, gamma));
    const sum = (of: 'value' | 'slope', on: Interval): Interval | null => {
      let total: Interval | null = base ? base[of](on) : point(0);
      for (const [index, coefficient] of row.entries()) {
        const place = places[index % size]!;
        const term = curves[Math.floor(index / size)]![of]({ low: on.low - place, high: on.high - place });
        total = total && term && add(total, times(term, coefficient));
      }
      return total;
    };
    return { value: (on) => sum('value', on)!, slope: (on) => sum('slope', on) };
  });
}

/** κ of the distance t. Gaussian: e^(−γt²) has one hill, and its slope −2γt·e^(−γt²) its extremes at ∓1/√(2γ). */
function kernelCurve(kernel: KafKernelName, gamma: number): Curve {
  if (kernel !== 'gaussian') return formulaCurve(kafKernelFormula(kernel, gamma), {});
  const at = (t: number) => Math.exp(-gamma * t * t);
  const steepAt = (t: number) => (Math.abs(t) === Infinity ? 0 : -2 * gamma * t * at(t));
  const bend = 1 / Math.sqrt(2 * gamma);
  return {
    value: ({ low, high }) => ({
      low: Math.min(at(low), at(high)),
      high: low <= 0 && high >= 0 ? 1 : Math.max(at(low), at(high)),
    }),
    slope: ({ low, high }) => {
      const ends = [steepAt(low), steepAt(high)];
      return {
        low: low <= bend && high >= bend ? steepAt(bend) : Math.min(...ends),
        high: low <= -bend && high >= -bend ? steepAt(-bend) : Math.max(...ends),
      };
    },
  };
}

export function rowsOf(values: Float32Array, nRows: number): Float32Array[] {
  const size = values.length / nRows;
  return Array.from({ length: nRows }, (_, row) => values.subarray(row * size, (row + 1) * size));
}
