// The activations, fixed and trained, against PyTorch: ops on every runtime, and the float64 references.
import type * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';

import { usualActivation, type FormulaActivation } from '../../server/formula/activationFunction.ts';
import type { ActivationName } from '../../server/formula/activations.ts';
import { freeKaf } from '../../server/tensor/ops/freeKaf.ts';
import { kWinners } from '../../server/tensor/ops/kWinners.ts';
import { maxout } from '../../server/tensor/ops/maxout.ts';
import { spline, type SplineBasis } from '../../server/tensor/ops/spline.ts';
import * as freeKafReference from '../../server/tensor/reference/freeKaf.ts';
import { keepWinners } from '../../server/tensor/reference/kWinners.ts';
import * as maxoutReference from '../../server/tensor/reference/maxout.ts';
import * as splineReference from '../../server/tensor/reference/spline.ts';
import { expectClose } from '../tensor/expectClose.ts';
import { applyFixed, applyTrained, exactActivation } from '../tensor/namedActivation.ts';
import { describeOnEveryRuntime, evaluateGradients } from '../tensor/ops/contract.ts';
import { exactInput, floatInput, readGolden, toFloat32, toFloat64, type GoldenTensor } from './readGolden.ts';

type Tensors<Names extends string> = Readonly<Record<Names, GoldenTensor>>;

const {
  fixed,
  channel,
  winners,
  maxout: maxouts,
} = readGolden<{
  fixed: readonly (Tensors<'x' | 'dy' | 'y' | 'dx'> & { type: ActivationName; alpha: number })[];
  channel: readonly (Tensors<'x' | 'coefficients' | 'dy' | 'y' | 'dx' | 'dcoefficients'> & {
    type: ActivationName;
  })[];
  winners: readonly (Tensors<'x' | 'dy' | 'y' | 'dx'> & { count: number })[];
  maxout: readonly (Tensors<'x' | 'dy' | 'y' | 'dx'> & { maps: number })[];
}>('activation');

const coefficientNames = ['alpha', 'dictionary', 'logGamma'] as const;
const { free } = readGolden<{
  free: readonly (Tensors<'x' | 'dy' | 'y' | 'dx' | (typeof coefficientNames)[number]> &
    Tensors<`d${(typeof coefficientNames)[number]}`> & { base: 'none' | 'swish'; size: number })[];
}>('kaf');

const { cases: splines } = readGolden<{
  cases: readonly (Tensors<'x' | 'points' | 'dy' | 'y' | 'dx' | 'dpoints'> & {
    basis: SplineBasis;
    boundary: number;
  })[];
}>('spline');

/** What the script calls alpha, by the plan's own name. */
const numberNames: Partial<Record<ActivationName, string>> = {
  elu: 'alpha',
  'leaky-relu': 'slope',
  softplus: 'a',
  'smooth-relu': 'beta',
};

function planOf(type: ActivationName, alpha: number): FormulaActivation {
  const name = numberNames[type];
  return { type, ...(name ? { [name]: alpha } : {}) } as FormulaActivation;
}

/** Of those with trained coefficients, how many they are; where they start does not count. */
function trainedPlan(type: ActivationName, length: number): FormulaActivation {
  return { ...usualActivation(type), hinges: length / 2, reach: 1, degree: length - 1 } as unknown as FormulaActivation;
}

describe('the float64 references agree with PyTorch', () => {
  // What nine digits leave open; a difference of Φ or of logarithms loses some of the sixteen.
  const nineDigits = { absolute: 1e-12, relative: 5e-9 };

  it.each(fixed)('$type($alpha)', ({ type, alpha, ...one }) => {
    const [x, dy] = [exactInput(one.x), exactInput(one.dy)];
    const exact = exactActivation(planOf(type, alpha), { x, dy });
    expectClose(exact.y, toFloat64(one.y), nineDigits, 'y');
    expectClose(exact.dx, toFloat64(one.dx), nineDigits, 'dx');
  });

  it.each(channel)('$type, with the gradients of its coefficients', ({ type, ...one }) => {
    const [x, dy, coefficients] = [exactInput(one.x), exactInput(one.dy), exactInput(one.coefficients)];
    const exact = exactActivation(trainedPlan(type, coefficients.length / 3), { x, dy, coefficients, channels: 3 });
    expectClose(exact.y, toFloat64(one.y), nineDigits, 'y');
    expectClose(exact.dx, toFloat64(one.dx), nineDigits, 'dx');
    expectClose(exact.dcoefficients, toFloat64(one.dcoefficients), nineDigits, 'dcoefficients');
  });

  it.each(splines)('$basis spline of $points.shape on ±$boundary', ({ basis, boundary, ...one }) => {
    const [x, dy, points] = [exactInput(one.x), exactInput(one.dy), exactInput(one.points)];
    const options = { channels: 3, boundary, basis };
    const exact = splineReference.splineGradients(dy, x, points, options);
    expectClose(splineReference.spline(x, points, options), toFloat64(one.y), nineDigits, 'y');
    expectClose(exact.dx, toFloat64(one.dx), nineDigits, 'dx');
    expectClose(exact.dpoints, toFloat64(one.dpoints), nineDigits, 'dpoints');
  });

  it.each(maxouts)('maxout of $maps maps', ({ maps, ...one }) => {
    const [x, dy] = [exactInput(one.x), exactInput(one.dy)];
    const channels = one.y.shape[1]!;
    expectClose(maxoutReference.maxout(x, maps, channels), toFloat64(one.y), nineDigits, 'y');
    expectClose(maxoutReference.maxoutGradient(dy, x, maps, channels), toFloat64(one.dx), nineDigits, 'dx');
  });

  it.each(winners)('$count winners of $x.shape', (one) => {
    const [x, dy] = [exactInput(one.x), exactInput(one.dy)];
    const nSamples = one.x.shape[0]!;
    expectClose(
      keepWinners(x, x, { nSamples, count: one.count, nLanes: 1, ties: 'all' }),
      toFloat64(one.y),
      nineDigits,
      'y',
    );
    expectClose(
      keepWinners(dy, x, { nSamples, count: one.count, nLanes: 1, ties: 'all' }),
      toFloat64(one.dx),
      nineDigits,
      'dx',
    );
  });

  it.each(free)('KAF with dictionary and bandwidth of each channel, base $base, D $size', (one) => {
    const [x, dy] = [exactInput(one.x), exactInput(one.dy)];
    const [alpha, dictionary, logGamma] = [one.alpha, one.dictionary, one.logGamma].map(exactInput) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const coefficients = { alpha, dictionary, logGamma };
    const exact = freeKafReference.freeKafGradients(dy, x, coefficients, one.base);
    expectClose(freeKafReference.freeKaf(x, coefficients, one.base), toFloat64(one.y), nineDigits, 'y');
    expectClose(exact.dx, toFloat64(one.dx), nineDigits, 'dx');
    for (const name of coefficientNames) {
      expectClose(exact[`d${name}`], toFloat64(one[`d${name}`]), nineDigits, `d${name}`);
    }
  });
});

describeOnEveryRuntime('the activations agree with PyTorch', () => {
  it.each(fixed)('$type($alpha)', ({ type, alpha, ...one }) => {
    const { y, gradients } = evaluateGradients(
      (x: tf.Tensor) => applyFixed(planOf(type, alpha), x),
      [floatInput(one.x)],
      toFloat32(one.dy),
    );
    // float32 with polynomials: a few units in the last place of values up to 1.
    expectClose(y, toFloat32(one.y), { absolute: 1e-6, relative: 2e-6 }, 'y');
    expectClose(gradients[0]!, toFloat32(one.dx), { absolute: 1e-6, relative: 2e-6 }, 'dx');
  });

  it.each(channel)('$type', ({ type, ...one }) => {
    const { y, gradients } = evaluateGradients(
      (x: tf.Tensor, coefficients: tf.Tensor2D) =>
        applyTrained(trainedPlan(type, one.coefficients.shape[1]!), x, coefficients),
      [floatInput(one.x), floatInput(one.coefficients)],
      toFloat32(one.dy),
    );
    // The polynomial's terms reach 6³.
    const tolerance = { absolute: 2e-5, relative: 2e-6 };
    expectClose(y, toFloat32(one.y), tolerance, 'y');
    expectClose(gradients[0]!, toFloat32(one.dx), tolerance, 'dx');
    expectClose(gradients[1]!, toFloat32(one.dcoefficients), tolerance, 'dcoefficients');
  });

  it.each(splines)('$basis spline of $points.shape on ±$boundary', ({ basis, boundary, ...one }) => {
    const { y, gradients } = evaluateGradients(
      (x: tf.Tensor, points: tf.Tensor2D) => spline(x, points, { boundary, basis, gradients: 'all' }),
      [floatInput(one.x), floatInput(one.points)],
      toFloat32(one.dy),
    );
    // u is good to 21·6e-8; values and slopes of control points up to 2 change by at most 10 and 70 times that.
    expectClose(y, toFloat32(one.y), { absolute: 1.5e-5, relative: 0 }, 'y');
    expectClose(gradients[0]!, toFloat32(one.dx), { absolute: 1e-4, relative: 0 }, 'dx');
    expectClose(gradients[1]!, toFloat32(one.dpoints), { absolute: 1e-5, relative: 0 }, 'dpoints');
  });

  it.each(maxouts)('maxout of $maps maps', ({ maps, ...one }) => {
    const { y, gradients } = evaluateGradients(
      (x: tf.Tensor) => maxout(x, maps),
      [floatInput(one.x)],
      toFloat32(one.dy),
    );
    expectClose(y, toFloat32(one.y), { absolute: 0, relative: 0 }, 'y');
    expectClose(gradients[0]!, toFloat32(one.dx), { absolute: 0, relative: 0 }, 'dx');
  });

  it.each(winners)('$count winners of $x.shape', (one) => {
    const size = one.x.values.length / one.x.shape[0]!;
    const { y, gradients } = evaluateGradients(
      (x: tf.Tensor) => kWinners(x, { ratio: one.count / size, rounding: 'ceiling', over: 'layer', ties: 'all' }),
      [floatInput(one.x)],
      toFloat32(one.dy),
    );
    expectClose(y, toFloat32(one.y), { absolute: 0, relative: 0 }, 'y');
    expectClose(gradients[0]!, toFloat32(one.dx), { absolute: 0, relative: 0 }, 'dx');
  });

  it.each(free)('KAF with dictionary and bandwidth of each channel, base $base, D $size', (one) => {
    const { y, gradients } = evaluateGradients(
      (x: tf.Tensor, alpha: tf.Tensor2D, dictionary: tf.Tensor2D, logGamma: tf.Tensor1D) =>
        freeKaf(x, alpha, dictionary, logGamma, { base: one.base, gradients: 'all' }),
      [one.x, one.alpha, one.dictionary, one.logGamma].map(floatInput),
      toFloat32(one.dy),
    );
    // float32 sums of up to 64 kernels; slopes and the dictionary's gradients are steeper by √(2γ), at most 20.
    const steepness = Math.max(1, Math.sqrt(2 * Math.exp(Math.max(...one.logGamma.values))));
    expectClose(y, toFloat32(one.y), { absolute: 5e-6, relative: 5e-6 }, 'y');
    expectClose(gradients[0]!, toFloat32(one.dx), { absolute: 1e-5 * steepness, relative: 5e-6 }, 'dx');
    coefficientNames.forEach((name, index) => {
      const absolute = (name === 'dictionary' ? steepness : 1) * 1e-5;
      expectClose(gradients[index + 1]!, toFloat32(one[`d${name}`]), { absolute, relative: 5e-6 }, `d${name}`);
    });
  });
});
