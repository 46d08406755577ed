import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import type { FormulaActivation } from '../../../server/formula/activationFunction.ts';
import { expectClose } from '../expectClose.ts';
import { applyTrained, exactActivation } from '../namedActivation.ts';
import { describeOnEveryRuntime, evaluate, evaluateGradients, float64, input, rounded, scatter } from './contract.ts';

/** Coefficients of a channel around which the test's are scattered, so that every branch is met. */
const centres = {
  prelu: [0.25],
  'swish-beta': [1.3],
  pssilu: [1.3, 0.2],
  'param-softplus': [3],
  snake: [1.3],
  'generalized-tanh': [1.7, 1.3],
  srelu: [-1, 0.2, 1, 0.5],
  apl: [0.2, -0.3, 0, 1],
  polynomial: [0.1, 1, -0.2, 0.05],
} as const;

type Trained = keyof typeof centres;

/** What the numbers of a plan are where only the coefficients' own count. */
const plans: Readonly<Record<Trained, FormulaActivation>> = {
  prelu: { type: 'prelu', slope: 0 },
  'swish-beta': { type: 'swish-beta', beta: 1 },
  pssilu: { type: 'pssilu', alpha: 1, beta: 0 },
  'param-softplus': { type: 'param-softplus', a: 1 },
  snake: { type: 'snake', a: 1 },
  'generalized-tanh': { type: 'generalized-tanh', scale: 1, rate: 1 },
  srelu: { type: 'srelu', left: 0, leftSlope: 0, right: 0, rightSlope: 0 },
  apl: { type: 'apl', hinges: 2, reach: 1 },
  polynomial: { type: 'polynomial', degree: 3 },
};
const types = Object.keys(centres) as Trained[];

function makeCase(type: Trained, nRows: number, nChannels: number) {
  const length = centres[type].length;
  const noise = scatter(nChannels * length, 0.1, 1);
  const coefficients = noise.map((value, i) => value + centres[type][i % length]!);
  return {
    type,
    nChannels,
    x: scatter(nRows * nChannels, 6),
    coefficients,
    dy: scatter(nRows * nChannels, 1, 2),
  };
}

function check({ type, nChannels, x, coefficients, dy }: ReturnType<typeof makeCase>): void {
  const nRows = nChannels === 0 ? 0 : x.length / nChannels;
  const length = centres[type].length;
  const { y, gradients } = evaluateGradients(
    (xs: tf.Tensor, cs: tf.Tensor2D) => applyTrained(plans[type], xs, cs),
    [input(x, [nRows, nChannels]), input(coefficients, [nChannels, length])],
    dy,
  );
  const [xs, cs, dys] = [float64(x), float64(coefficients), float64(dy)];
  const exact = exactActivation(plans[type], { x: xs, dy: dys, coefficients: cs, channels: nChannels });
  // float32 with terms up to 6³·0.05 and 6²·0.2 (the polynomial's), which may cancel.
  const tolerance = { absolute: 4e-6, relative: 2e-6 };
  expectClose(y, rounded(exact.y), tolerance, 'y');
  expectClose(gradients[0]!, rounded(exact.dx), tolerance, 'dx');
  // Sums over rows of terms up to 6³ (the polynomial's highest power); errors add up like a walk.
  const largest = type === 'polynomial' ? 216 : 6;
  const sums = { absolute: 2e-7 * largest * (2 + Math.sqrt(nRows)), relative: 2e-6 };
  expectClose(gradients[1]!, rounded(exact.dcoefficients), sums, 'dcoefficients');
}

/** Of the others a value at ∞ is what their formula gives. */
function hasLimits(type: Trained): boolean {
  return !['polynomial', 'snake', 'swish-beta', 'pssilu'].includes(type);
}

describeOnEveryRuntime('channel activation', () => {
  it.each(types)('%s agrees with the reference in values and gradients, tails and blocks included', (type) => {
    for (const [nRows, nChannels] of [
      [0, 3],
      [1, 1],
      [3, 3],
      [5, 4],
      [7, 5],
      [300, 7],
      [1030, 32],
      [2, 128],
    ] as const) {
      check(makeCase(type, nRows, nChannels));
    }
  });

  it.each(types)('%s agrees for any shape, and keeps it', (type) => {
    const size = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), size, (nRows, nChannels) => {
        check(makeCase(type, nRows, nChannels));
      }),
      { numRuns: 20 },
    );
    const { x, coefficients } = makeCase(type, 12, 5);
    const { shape } = evaluate(
      (xs: tf.Tensor, cs: tf.Tensor2D) => applyTrained(plans[type], xs, cs),
      [input(x, [2, 3, 2, 5]), input(coefficients, [5, centres[type].length])],
    );
    expect(shape).toEqual([2, 3, 2, 5]);
  });

  it.each(types)('%s gives NaN for NaN, and leaves the other channels alone', (type) => {
    const one = makeCase(type, 5, 3);
    one.x[4] = NaN;
    check(one);
  });

  it.each(types.filter(hasLimits))('%s has its limits at ±Inf', (type) => {
    for (const value of [Infinity, -Infinity]) {
      const one = makeCase(type, 3, 6);
      one.x[7] = value;
      check(one);
    }
  });

  it('leaves out the gradient of the coefficients on request, and gives the same dx', () => {
    const { x, coefficients, dy } = makeCase('prelu', 7, 3);
    const gradientsOf = (gradients: 'all' | 'input') =>
      evaluateGradients(
        (xs: tf.Tensor) => applyTrained(plans.prelu, xs, tf.tensor2d(coefficients, [3, 1]), gradients),
        [input(x, [7, 3])],
        dy,
      ).gradients[0];
    expect(gradientsOf('input')).toEqual(gradientsOf('all'));
    const inputs = [input(x, [7, 3]), input(coefficients, [3, 1])];
    const op = (xs: tf.Tensor, cs: tf.Tensor2D) => applyTrained(plans.prelu, xs, cs, 'input');
    expect(() => evaluateGradients(op, inputs, dy)).toThrow(
      "formula: no gradient with respect to coefficients under gradients: 'input'",
    );
  });

  it('names a wrong shape, number or dtype', () => {
    tf.tidy(() => {
      const x = tf.zeros([2, 3]);
      const call = (type: Trained, shape: [number, number]) => () => applyTrained(plans[type], x, tf.zeros(shape));
      expect(call('prelu', [4, 1])).toThrow(
        new RangeError('formula: expected coefficients of shape [3, 1], got [4, 1]'),
      );
      expect(call('srelu', [3, 3])).toThrow(
        new RangeError('formula: expected coefficients of shape [3, 4], got [3, 3]'),
      );
      expect(() => applyTrained(plans.prelu, tf.cast(x, 'int32'), tf.zeros([3, 1]))).toThrow(
        new TypeError('formula: expected x of dtype float32, got int32'),
      );
    });
  });
});
