import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import type { FormulaActivation } from '../../../server/formula/activationFunction.ts';
import { expectClose } from '../expectClose.ts';
import { applyFixed, exactActivation } from '../namedActivation.ts';
import { describeOnEveryRuntime, evaluate, evaluateGradients, float64, input, rounded, scatter } from './contract.ts';

const plans: readonly FormulaActivation[] = [
  { type: 'relu' },
  { type: 'elu', alpha: 1 },
  { type: 'elu', alpha: 1.7 },
  { type: 'selu' },
  { type: 'swish' },
  { type: 'mish' },
  { type: 'step', straightThrough: 0 },
  { type: 'step', straightThrough: 1 },
  { type: 'sigmoid' },
  { type: 'hard-sigmoid' },
  { type: 'hard-swish' },
  { type: 'tanh' },
  { type: 'hard-tanh' },
  { type: 'leaky-relu', slope: 0.01 },
  { type: 'gelu' },
  { type: 'softplus', a: 1 },
  { type: 'softplus', a: 10 },
  { type: 'smooth-relu', beta: 1 },
  { type: 'smooth-relu', beta: 400 },
];
const activations = plans.map((plan) => {
  return { name: Object.values(plan).join(' '), plan, op: (x: tf.Tensor) => applyFixed(plan, x) };
});

// float32 with an exponential that may be a polynomial: a few units in the last place of values up to 1.
const tolerance = { absolute: 1e-6, relative: 2e-6 };

function check({ plan, op }: (typeof activations)[number], x: Float32Array): void {
  const dy = scatter(x.length, 1, 2);
  const { y, gradients } = evaluateGradients(op, [input(x)], dy);
  const exact = exactActivation(plan, { x: float64(x), dy: float64(dy) });
  expectClose(y, rounded(exact.y), tolerance, 'y');
  expectClose(gradients[0]!, rounded(exact.dx), tolerance, 'dx');
}

describeOnEveryRuntime('activation', () => {
  it.each(activations)('$name agrees with the reference in values and gradient', (activation) => {
    for (const n of [0, 1, 3, 4, 5, 8, 4099]) check(activation, scatter(n, 6));
  });

  it.each(activations)('$name agrees where exponentials overflow or vanish', (activation) => {
    check(activation, Float32Array.of(0, -0, 1e-30, -1e-30, 30, -30, 80, -80, 90, -90, 1000, -1000, 3e38, -3e38));
  });

  it.each(activations)('$name gives NaN for NaN and its limits at ±Inf', (activation) => {
    const x = Float32Array.of(1, NaN, -1, Infinity, 0.5, -Infinity, -0.5);
    check(activation, x);
    expect(Number.isNaN(evaluate(activation.op, [input(x)]).y[1])).toBe(true);
  });

  it.each(activations)('$name agrees for any shape, and keeps it', (activation) => {
    const shapes = fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 0, maxLength: 4 });
    fc.assert(
      fc.property(shapes, (shape) => {
        const x = scatter(
          shape.reduce((a, b) => a * b, 1),
          6,
        );
        const { y, shape: given } = evaluate(activation.op, [input(x, shape)]);
        expect(given).toEqual(shape);
        const exact = exactActivation(activation.plan, { x: float64(x), dy: float64(x) });
        expectClose(y, rounded(exact.y), tolerance);
      }),
      { numRuns: 25 },
    );
  });

  it('names a wrong dtype', () => {
    tf.tidy(() => {
      expect(() => applyFixed({ type: 'relu' }, tf.zeros([2], 'int32'))).toThrow(
        new TypeError('formula: expected x of dtype float32, got int32'),
      );
    });
  });
});
