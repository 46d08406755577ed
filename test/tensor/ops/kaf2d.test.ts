import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import { kaf2d } from '../../../server/tensor/ops/kaf2d.ts';
import * as reference from '../../../server/tensor/reference/kaf2d.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, evaluate, evaluateGradients, float64, input, rounded, scatter } from './contract.ts';

function kaf2dCase(rows: number, channels: number, side: number, reach = 4) {
  const boundary = 3;
  const gamma = (side - 1) ** 2 / (4 * 36);
  return {
    x: scatter(rows * 2 * channels, reach),
    alpha: scatter(channels * side * side, 1, 1),
    dy: scatter(rows * channels, 1, 2),
    options: { boundary, gamma, gradients: 'all' as const },
    exact: { channels, side, boundary, gamma },
  };
}

function check({ x, alpha, dy, options, exact }: ReturnType<typeof kaf2dCase>): void {
  const { channels, side } = exact;
  const rows = dy.length / channels;
  const { y, gradients } = evaluateGradients(
    (xs: tf.Tensor, alphas: tf.Tensor2D) => kaf2d(xs, alphas, options),
    [input(x, [rows, 2 * channels]), input(alpha, [channels, side * side])],
    dy,
  );
  const wanted = reference.kaf2dGradients(float64(dy), float64(x), float64(alpha), exact);
  // Float32 sums of side² products of magnitude 1, most of them small; slopes are steeper by √(2γ).
  const steepness = Math.max(1, Math.sqrt(2 * exact.gamma));
  expectClose(y, rounded(reference.kaf2d(float64(x), float64(alpha), exact)), { absolute: 1e-5, relative: 1e-5 }, 'y');
  expectClose(gradients[0]!, rounded(wanted.dx), { absolute: 1e-5 * steepness, relative: 1e-5 }, 'dx');
  const absolute = 1e-6 * (10 + rows);
  expectClose(gradients[1]!, rounded(wanted.dalpha), { absolute, relative: 1e-5 }, 'dalpha');
}

describeOnEveryRuntime('two-dimensional KAF', () => {
  it.each([
    [0, 3, 4],
    [1, 1, 2],
    [1, 5, 10],
    [67, 4, 10],
    [131, 33, 3],
    [301, 3, 5],
  ])('agrees with the reference in values and gradients: %i rows, %i pairs, D %i', (rows, channels, side) => {
    check(kaf2dCase(rows, channels, side));
    check(kaf2dCase(rows, channels, side, 15));
  });

  it('gives NaN for NaN in one of a pair, and 0 at ±Inf, without touching the neighbours', () => {
    const one = kaf2dCase(5, 4, 4);
    // Pair 1 holds the NaN, pairs 2 and 3 the infinities, pair 0 none.
    one.x.set([NaN], 5);
    one.x.set([Infinity], 10);
    one.x.set([-Infinity], 23);
    const { y } = evaluate(
      (xs: tf.Tensor, alphas: tf.Tensor2D) => kaf2d(xs, alphas, one.options),
      [input(one.x, [5, 8]), input(one.alpha, [4, 16])],
    );
    expectClose(
      y,
      rounded(reference.kaf2d(float64(one.x), float64(one.alpha), one.exact)),
      { absolute: 1e-5, relative: 1e-5 },
      'y',
    );
    expect(Number.isNaN(y[1])).toBe(true);
    expect(Math.abs(y[6]!)).toBeLessThan(1e-30);
  });

  it('leaves out the gradient of alpha on request, and gives the same dx', () => {
    const { x, alpha, dy, options } = kaf2dCase(7, 3, 4);
    const inputs = [input(x, [7, 6]), input(alpha, [3, 16])];
    const onlyInput = { ...options, gradients: 'input' } as const;
    const all = evaluateGradients((xs: tf.Tensor, as: tf.Tensor2D) => kaf2d(xs, as, options), inputs, dy);
    const { gradients } = evaluateGradients(
      (xs: tf.Tensor) => kaf2d(xs, tf.tensor2d(alpha, [3, 16]), onlyInput),
      [inputs[0]!],
      dy,
    );
    expect(gradients[0]).toEqual(all.gradients[0]);
    expect(() => evaluateGradients((xs: tf.Tensor, as: tf.Tensor2D) => kaf2d(xs, as, onlyInput), inputs, dy)).toThrow(
      "kaf2d: no gradient with respect to alpha under gradients: 'input'",
    );
  });

  it('names a wrong shape or dtype, and keeps the leading axes', () => {
    const options = { boundary: 3, gamma: 1, gradients: 'all' } as const;
    tf.tidy(() => {
      expect(kaf2d(tf.zeros([2, 3, 4, 6]), tf.zeros([3, 4]), options).shape).toEqual([2, 3, 4, 3]);
      expect(() => kaf2d(tf.zeros([2, 5]), tf.zeros([3, 4]), options)).toThrow(
        new RangeError('kaf2d: expected x with pairs of channels, got 5 channels'),
      );
      expect(() => kaf2d(tf.zeros([2, 6]), tf.zeros([3, 5]), options)).toThrow(
        new RangeError('kaf2d: expected alpha of shape [3, 4], got [3, 5]'),
      );
      expect(() => kaf2d(tf.zeros([2, 6]), tf.zeros([3, 1]), options)).toThrow(
        new RangeError('kaf2d: expected at least 2 × 2 coefficients, got 1'),
      );
      expect(() => kaf2d(tf.zeros([2, 6], 'int32'), tf.zeros([3, 4]), options)).toThrow(
        new TypeError('kaf2d: expected x of dtype float32, got int32'),
      );
    });
  });
});
