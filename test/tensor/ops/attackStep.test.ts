import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import { attackStepLinf } from '../../../server/tensor/ops/attackStep.ts';
import * as reference from '../../../server/tensor/reference/attackStep.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, evaluate, float64, input, rounded, scatter } from './contract.ts';

const options = { stepSize: 2 / 255, epsilon: 8 / 255 };
const op = (x: tf.Tensor, clean: tf.Tensor, gradient: tf.Tensor) => attackStepLinf(x, clean, gradient, options);

describeOnEveryRuntime('attackStep', (runtime) => {
  it.each([0, 1, 3, 4, 5, 8, 4099])(
    'agrees with the reference on %i pixels, on the border of ball and box too',
    (n) => {
      const clean = scatter(n, 0.55).map((value) => Math.min(Math.max(value + 0.5, 0), 1));
      const x = scatter(n, 9 / 255, 1).map((value, i) => clean[i]! + value);
      const gradient = scatter(n, 1, 2).map((value, i) => (i % 7 === 3 ? 0 : value));
      const { y } = evaluate(op, [input(x), input(clean), input(gradient)]);
      const exact = reference.attackStep(float64(x), float64(clean), float64(gradient), options);
      // Four float32 roundings of numbers up to 1.
      expectClose(y, rounded(exact), { absolute: 2.4e-7, relative: 0 });
    },
  );

  it('stays in the ball and in the box to the last bit', () => {
    const n = 1000;
    const clean = scatter(n, 0.5).map((value) => value + 0.5);
    const { y } = evaluate(op, [input(scatter(n, 5)), input(clean), input(scatter(n, 1, 2))]);
    const radius = Math.fround(options.epsilon);
    y.forEach((value, i) => {
      expect(value).toBeGreaterThanOrEqual(Math.max(Math.fround(clean[i]! - radius), 0));
      expect(value).toBeLessThanOrEqual(Math.min(Math.fround(clean[i]! + radius), 1));
    });
  });

  it('does not move where the gradient is 0 or NaN, and moves by its sign where it is infinite', () => {
    const half = new Float32Array(6).fill(0.5);
    // TensorFlow takes numbers below the smallest normal one for 0.
    const smallest = runtime === 'tensorflow' ? 1.2e-38 : 1e-45;
    const gradient = Float32Array.of(0, -0, NaN, Infinity, -Infinity, smallest);
    const { y } = evaluate(op, [input(half), input(half), input(gradient)]);
    const step = 2 / 255;
    expectClose(y, Float32Array.of(0.5, 0.5, 0.5, 0.5 + step, 0.5 - step, 0.5 + step), { absolute: 1e-7, relative: 0 });
  });

  it('keeps a NaN image NaN, and clips an infinite one', () => {
    const x = Float32Array.of(NaN, 0.5, Infinity, -Infinity);
    const clean = Float32Array.of(0.5, NaN, 0.5, 0.5);
    const { y } = evaluate(op, [input(x), input(clean), input([1, 1, 1, 1])]);
    const epsilon = 8 / 255;
    expectClose(y, Float32Array.of(NaN, NaN, 0.5 + epsilon, 0.5 - epsilon), { absolute: 1e-7, relative: 0 });
  });

  it('names a wrong shape or dtype', () => {
    tf.tidy(() => {
      const x = tf.zeros([2, 3]);
      expect(() => attackStepLinf(x, tf.zeros([3, 2]), x, options)).toThrow(
        new RangeError('attackStepLinf: expected clean of shape [2, 3], got [3, 2]'),
      );
      expect(() => attackStepLinf(x, x, tf.zeros([2, 3], 'int32'), options)).toThrow(
        new TypeError('attackStepLinf: expected gradient of dtype float32, got int32'),
      );
    });
  });
});
