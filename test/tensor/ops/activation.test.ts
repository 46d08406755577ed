import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import {
  elu,
  gelu,
  leakyRelu,
  relu,
  sigmoid,
  smoothRelu,
  softplus,
  step,
  swish,
  tanh,
} from '../../../server/tensor/ops/activation.ts';
import * as reference from '../../../server/tensor/reference/activation.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, evaluate, evaluateGradients, float64, input, rounded, scatter } from './contract.ts';

const activations = [
  { type: 'relu', alpha: 0, op: (x: tf.Tensor) => relu(x) },
  { type: 'elu', alpha: 1, op: (x: tf.Tensor) => elu(x, 1) },
  { type: 'elu', alpha: 1.7, op: (x: tf.Tensor) => elu(x, 1.7) },
  { type: 'swish', alpha: 0, op: (x: tf.Tensor) => swish(x) },
  { type: 'step', alpha: 0, op: (x: tf.Tensor) => step(x) },
  { type: 'step', alpha: 1, op: (x: tf.Tensor) => step(x, 1) },
  { type: 'sigmoid', alpha: 0, op: (x: tf.Tensor) => sigmoid(x) },
  { type: 'tanh', alpha: 0, op: (x: tf.Tensor) => tanh(x) },
  { type: 'leaky-relu', alpha: 0.01, op: (x: tf.Tensor) => leakyRelu(x, 0.01) },
  { type: 'gelu', alpha: 0, op: (x: tf.Tensor) => gelu(x) },
  { type: 'softplus', alpha: 1, op: (x: tf.Tensor) => softplus(x, 1) },
  { type: 'softplus', alpha: 10, op: (x: tf.Tensor) => softplus(x, 10) },
  { type: 'smooth-relu', alpha: 1, op: (x: tf.Tensor) => smoothRelu(x, 1) },
  { type: 'smooth-relu', alpha: 400, op: (x: tf.Tensor) => smoothRelu(x, 400) },
] as const;

// float32 with an exponential that may be a polynomial: a few units in the last place of values up to 1.
const tolerance = { absolute: 1e-6, relative: 2e-6 };

function check({ type, alpha, op }: (typeof activations)[number], x: Float32Array): void {
  const dy = scatter(x.length, 1, 2);
  const { y, gradients } = evaluateGradients(op, [input(x)], dy);
  expectClose(y, rounded(reference.activation(float64(x), type, alpha)), tolerance, 'y');
  const dx = reference.activationGradient(float64(dy), float64(x), type, alpha);
  expectClose(gradients[0]!, rounded(dx), tolerance, 'dx');
}

describeOnEveryRuntime('activation', () => {
  it.each(activations)('$type($alpha) agrees with the reference in values and gradient', (activation) => {
    for (const n of [0, 1, 3, 4, 5, 8, 4099]) check(activation, scatter(n, 6));
  });

  it.each(activations)('$type($alpha) agrees where exponentials overflow or vanish', (activation) => {
    check(activation, Float32Array.of(0, -0, 1e-30, -1e-30, 30, -30, 80, -80, 90, -90, 1000, -1000, 3e38, -3e38));
  });

  it.each(activations)('$type($alpha) gives NaN for NaN and its limits at ±Inf', (activation) => {
    const x = Float32Array.of(1, NaN, -1, Infinity, 0.5, -Infinity, -0.5);
    check(activation, x);
    expect(Number.isNaN(evaluate(activation.op, [input(x)]).y[1])).toBe(true);
  });

  it.each(activations)('$type($alpha) agrees for any shape, and keeps it', (activation) => {
    const shapes = fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 0, maxLength: 4 });
    fc.assert(
      fc.property(shapes, (shape) => {
        const x = scatter(
          shape.reduce((a, b) => a * b, 1),
          6,
        );
        const { y, shape: given } = evaluate(activation.op, [input(x, shape)]);
        expect(given).toEqual(shape);
        expectClose(y, rounded(reference.activation(float64(x), activation.type, activation.alpha)), tolerance);
      }),
      { numRuns: 25 },
    );
  });

  it('names a wrong dtype or coefficient', () => {
    tf.tidy(() => {
      expect(() => relu(tf.zeros([2], 'int32'))).toThrow(new TypeError('relu: expected x of dtype float32, got int32'));
      expect(() => softplus(tf.zeros([2]), 0)).toThrow(new RangeError('softplus: expected a above 0, got 0'));
      expect(() => smoothRelu(tf.zeros([2]), NaN)).toThrow(
        new RangeError('smooth-relu: expected beta above 0, got NaN'),
      );
    });
  });
});
