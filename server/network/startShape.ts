// What an activation function of coefficients starts as: the functions that they weigh, and where they begin.
import { dictionaryElements, fitRidge } from '../formula/ridge.ts';
import { baseCurve, columnsOf, type Curve, type KafLayer, type SplineLayer } from '../formula/shape.ts';
import { startTargets } from '../formula/startTargets.ts';
import { kernelsOf, type KafInit, type KafPlan, type SplinePlan } from '../protocol/plan.ts';

export interface StartShape {
  readonly layer: KafLayer | SplineLayer;
  /** Of every channel, but for the noise: one a place. */
  readonly row: Float64Array;
  /** Standard deviation of normal noise on each coefficient, in each channel its own. */
  readonly noise: number;
}

/** @throws RangeError where a ridge fit has no solution */
export function startShape(plan: KafPlan | SplinePlan): StartShape {
  if (plan.type === 'spline') {
    const knots = dictionaryElements({ size: plan.points, boundary: plan.boundary, gamma: 1 });
    const layer: SplineLayer = { dictionary: [...knots], spline: plan.basis };
    return { layer, row: knots.map(startTargets[plan.start].at), noise: plan.noise };
  }
  const { dictionary: size, boundary, gamma, kernels, init } = plan;
  const elements = dictionaryElements({ size, boundary, gamma });
  const layer: KafLayer = {
    ...{ dictionary: [...elements], gamma, base: baseOf(plan) },
    ...(kernels ? { kernelNames: kernels } : {}),
  };
  return init.type === 'normal'
    ? { layer, row: new Float64Array(size), noise: init.std }
    : { layer, row: fitKaf(plan, init), noise: 0 };
}

/** f at some inputs without the noise, and what the noise of each coefficient weighs: of several kernels their mean, as a mixture begins. */
export function startCurves({ layer, row }: StartShape, x: Float64Array): { mean: Curve; columns: readonly Curve[] } {
  const all = columnsOf(layer, x);
  const nKernels = all.length / row.length;
  const meanOf = (place: number, key: keyof Curve) =>
    x.map((_, at) => {
      let sum = 0;
      for (let kernel = 0; kernel < nKernels; kernel++) sum += all[kernel * row.length + place]![key][at]!;
      return sum / nKernels;
    });
  const columns = Array.from(row, (_, place) => ({ values: meanOf(place, 'values'), slopes: meanOf(place, 'slopes') }));
  const base = baseCurve(layer, x);
  return { mean: plus(base, columns, row), columns };
}

/** A curve, and others by their weights. */
export function plus(base: Curve, columns: readonly Curve[], weights: ArrayLike<number>): Curve {
  const sum = (key: keyof Curve) =>
    base[key].map((start, at) => columns.reduce((f, one, i) => f + weights[i]! * one[key][at]!, start));
  return { values: sum('values'), slopes: sum('slopes') };
}

/** A ridge fit aims at what the whole function should be: with a base, at the target minus the base. */
export function fitKaf(plan: KafPlan, { target, epsilon }: Extract<KafInit, { type: 'ridge' }>): Float64Array {
  const { dictionary: size, boundary, gamma } = plan;
  const base = baseOf(plan) === 'swish' ? startTargets.swish.at : () => 0;
  const aim = (x: number) => startTargets[target].at(x) - base(x);
  return fitRidge({ size, boundary, gamma, kernels: kernelsOf(plan) }, aim, epsilon);
}

export function baseOf({ type }: Pick<KafPlan, 'type'>): 'none' | 'swish' {
  return type === 'residual-kaf' ? 'swish' : 'none';
}
