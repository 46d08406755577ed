// The activation layers of a plan.
import type * as tf from '@tensorflow/tfjs-core';
import type { ActivationPlan, SplinePlan, WinnersLowering } from '../protocol/plan.ts';
import {
  activationFunction,
  isFormulaActivation,
  type ActivationFunction,
  type FormulaActivation,
} from '../formula/activationFunction.ts';
import { applyFormula } from '../tensor/ops/formula.ts';
import { kWinners } from '../tensor/ops/kWinners.ts';
import { normalizeAndApply } from '../tensor/ops/normalizedFormula.ts';
import { maxout } from '../tensor/ops/maxout.ts';
import { spline } from '../tensor/ops/spline.ts';
import type { ActivationLayer, Place } from './activationLayer.ts';
import type { Bounds } from './parameters.ts';
import { makeKaf, makeKaf2d } from './kafActivation.ts';
import { dictionaryElements } from '../formula/ridge.ts';
import { startTargets } from '../formula/startTargets.ts';

export type { Progress } from './activationLayer.ts';

/** An activation layer. */
export function makeActivation(plan: ActivationPlan, place: Place): ActivationLayer {
  if (isFormulaActivation(plan)) return makeFormula(plan, place);
  switch (plan.type) {
    case 'k-wta':
      return fixed((x) =>
        kWinners(x, { ...plan, ratio: winnersRatio(plan.ratio, plan.lowering, place.progress.epoch) }),
      );
    case 'maxout':
      return fixed((x) => maxout(x, plan.maps));
    case 'spline':
      return makeSpline(plan, place);
    case 'kaf-2d':
      return makeKaf2d(plan, place);
    case 'kaf':
    case 'residual-kaf':
    case 'kaf-free':
    case 'multi-kaf':
      return makeKaf(plan, place);
    default:
      return plan satisfies never;
  }
}

/** The share of winners once `epoch` epochs are done. */
export function winnersRatio(ratio: number, lowering: WinnersLowering | undefined, epoch: number): number {
  if (!lowering || epoch < lowering.afterEpochs) return ratio;
  const times = 1 + Math.floor((epoch - lowering.afterEpochs) / lowering.everyEpochs);
  return Math.max(lowering.to, ratio - times * lowering.by);
}

function fixed(apply: (x: tf.Tensor) => tf.Tensor): ActivationLayer {
  return { apply, info: null };
}

/** Every channel starts from the same coefficients, but for noise. */
function makeFormula(plan: FormulaActivation, { name: layer, channels, maker }: Place): ActivationLayer {
  const { formula, parameters, noise } = activationFunction(plan);
  if (parameters.length === 0) {
    const attributes = { formula, gradients: 'input' } as const;
    return {
      ...fixed((x) => applyFormula(x, null, attributes)),
      applyNormalized: (x, { gamma, beta, epsilon }) => normalizeAndApply(x, gamma, beta, epsilon, attributes),
    };
  }
  const coefficients: tf.Tensor2D = maker.make<tf.Rank.R2>(
    layer,
    'coefficients',
    [channels, parameters.length],
    { type: 'rows', row: Float64Array.from(parameters, ({ start }) => start), noise },
    boundsOf(parameters),
  );
  return {
    apply: (x, { gradients }) => applyFormula(x, coefficients, { formula, gradients }),
    info: { layer, channels, formula: formula.text },
  };
}

function boundsOf(parameters: ActivationFunction['parameters']): Bounds | null {
  const [min, max] = [parameters.map((each) => each.min), parameters.map((each) => each.max)];
  return [...min, ...max].some(Number.isFinite) ? { min, max } : null;
}

function makeSpline(plan: SplinePlan, { name: layer, channels, maker }: Place): ActivationLayer {
  const { boundary, basis, noise } = plan;
  const knots = dictionaryElements({ size: plan.points, boundary, gamma: 1 });
  const points: tf.Tensor2D = maker.make<tf.Rank.R2>(layer, 'points', [channels, plan.points], {
    type: 'rows',
    row: knots.map(startTargets[plan.start].at),
    noise,
  });
  return {
    apply: (x, { gradients }) => spline(x, points, { boundary, basis, gradients }),
    info: { layer, channels, dictionary: [...knots], spline: basis },
  };
}
