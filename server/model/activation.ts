// The activation layers of a plan.
import type * as tf from '@tensorflow/tfjs-core';
import type { ActivationPlan, KafPlan, SplinePlan, WinnersLowering } from '../protocol/plan.ts';
import type { ShapeInfo } from '../protocol/records.ts';
import {
  activationFunction,
  isFormulaActivation,
  type ActivationFunction,
  type FormulaActivation,
} from '../formula/activations.ts';
import { applyFormula } from '../tensor/ops/formula.ts';
import { freeKaf } from '../tensor/ops/freeKaf.ts';
import { kaf } from '../tensor/ops/kaf.ts';
import { kWinners } from '../tensor/ops/kWinners.ts';
import { maxout } from '../tensor/ops/maxout.ts';
import { spline } from '../tensor/ops/spline.ts';
import type { Layer } from './layer.ts';
import type { Bounds, Initializer, ParameterMaker } from './parameters.ts';
import { dictionaryElements, fitRidge, ridgeTargets } from './ridge.ts';

export interface ActivationLayer {
  readonly apply: Layer;
  /** Null where nothing of it is trained. */
  readonly info: ShapeInfo | null;
}

interface Place {
  /** Of the layer, for example `block2.kaf1`. */
  readonly name: string;
  /** The length of the last axis of what it makes. */
  readonly channels: number;
  readonly maker: ParameterMaker;
  readonly progress: Progress;
}

/** How far training has come, for layers that change by it; the network keeps it up to date. */
export interface Progress {
  /** Epochs done before the one at hand. */
  epoch: number;
}

/** An activation layer. */
export function makeActivation(plan: ActivationPlan, place: Place): ActivationLayer {
  if (isFormulaActivation(plan)) return makeFormula(plan, place);
  switch (plan.type) {
    case 'k-wta':
      return fixed((x) => kWinners(x, winnersRatio(plan.ratio, plan.lowering, place.progress.epoch)));
    case 'maxout':
      return fixed((x) => maxout(x, plan.maps));
    case 'spline':
      return makeSpline(plan, place);
    case 'kaf':
    case 'residual-kaf':
      return makeKaf(plan, place);
    case 'kaf-free':
      return makeFreeKaf(plan, place);
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

/** Every channel starts from the same coefficients. */
function makeFormula(plan: FormulaActivation, { name: layer, channels, maker }: Place): ActivationLayer {
  const { formula, parameters } = activationFunction(plan);
  if (parameters.length === 0) return fixed((x) => applyFormula(x, null, { formula, gradients: 'input' }));
  const coefficients: tf.Tensor2D = maker.make<tf.Rank.R2>(
    layer,
    'coefficients',
    [channels, parameters.length],
    { type: 'rows', row: Float64Array.from(parameters, ({ start }) => start) },
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
    row: knots.map(splineStarts[plan.start]),
    noise,
  });
  return {
    apply: (x, { gradients }) => spline(x, points, { boundary, basis, gradients }),
    info: { layer, channels, dictionary: [...knots], spline: basis },
  };
}

/** The functions whose values at the knots the control points may start from, in float64. */
const splineStarts = { ...ridgeTargets, tanh: Math.tanh, identity: (x: number) => x } as const;

function makeKaf(plan: KafPlan, { name: layer, channels, maker }: Place): ActivationLayer {
  const { dictionary, boundary, gamma } = plan;
  const base = plan.type === 'residual-kaf' ? 'swish' : 'none';
  const alpha: tf.Tensor2D = maker.make<tf.Rank.R2>(layer, 'alpha', [channels, dictionary], kafInitializer(plan));
  return {
    apply: (x, { gradients }) => kaf(x, alpha, { boundary, gamma, base, gradients }),
    info: { layer, channels, dictionary: [...startOf(plan)], gamma, base },
  };
}

function makeFreeKaf(plan: KafPlan, { name: layer, channels, maker }: Place): ActivationLayer {
  const { dictionary: size, gamma } = plan;
  const elements = startOf(plan);
  const alpha: tf.Tensor2D = maker.make<tf.Rank.R2>(layer, 'alpha', [channels, size], kafInitializer(plan));
  const dictionary: tf.Tensor2D = maker.make<tf.Rank.R2>(layer, 'dictionary', [channels, size], {
    type: 'rows',
    row: elements,
  });
  const logGamma: tf.Tensor1D = maker.make<tf.Rank.R1>(layer, 'logGamma', [channels], {
    type: 'constant',
    value: Math.log(gamma),
  });
  return {
    apply: (x, { gradients }) => freeKaf(x, alpha, dictionary, logGamma, { base: 'none', gradients }),
    info: { layer, channels, dictionary: [...elements], gamma, base: 'none' },
  };
}

function startOf({ dictionary, boundary, gamma }: KafPlan): Float64Array {
  return dictionaryElements({ size: dictionary, boundary, gamma });
}

/** A ridge fit aims at what the whole function should be: with a base, at the target minus the base. */
export function kafInitializer({ type, dictionary, boundary, gamma, init }: KafPlan): Initializer {
  if (init.type === 'normal') return { type: 'normal', std: init.std };
  const target = ridgeTargets[init.target];
  const base = type === 'residual-kaf' ? ridgeTargets.swish : () => 0;
  return {
    type: 'rows',
    row: fitRidge({ size: dictionary, boundary, gamma }, (x) => target(x) - base(x), init.epsilon),
  };
}
