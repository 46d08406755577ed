import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { kaf } from '../../../server/tensor/ops/kaf.ts';
import * as reference from '../../../server/tensor/reference/kaf.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, evaluate, evaluateGradients, float64, input, rounded, scatter } from './contract.ts';

const base = ['none', 'swish'] as const;

function kafCase(nRows: number, nChannels: number, dictionary: number, baseType: 'none' | 'swish', scale = 4) {
  const boundary = 3;
  const gamma = 1 / (6 * ((2 * boundary) / (dictionary - 1)) ** 2);
  const x = scatter(nRows * nChannels, scale);
  const alpha = scatter(nChannels * dictionary, 1, 1);
  const dy = scatter(nRows * nChannels, 1, 2);
  const options = { boundary, gamma, base: baseType, gradients: 'all' } as const;
  return {
    inputs: [input(x, [nRows, nChannels]), input(alpha, [nChannels, dictionary])],
    x: float64(x),
    alpha: float64(alpha),
    dy,
    op: (xs: tf.Tensor, alphas: tf.Tensor2D) => kaf(xs, alphas, options),
    exact: {
      channels: nChannels,
      dictionary: reference.uniformDictionary(dictionary, boundary),
      gamma,
      base: baseType,
    },
  };
}

function checkCase(one: ReturnType<typeof kafCase>): void {
  const { y, gradients } = evaluateGradients(one.op, one.inputs, one.dy);
  const dy = float64(one.dy);
  const exact = reference.kafGradients(dy, one.x, one.alpha, one.exact);
  // float32 sums of up to 64 terms of magnitude 1: a few 1e-6; slopes are larger by 2γΔ.
  expectClose(y, rounded(reference.kaf(one.x, one.alpha, one.exact)), { absolute: 1e-5, relative: 1e-5 }, 'y');
  const steepness = Math.sqrt(2 * one.exact.gamma);
  expectClose(gradients[0]!, rounded(exact.dx), { absolute: 2e-5 * steepness, relative: 1e-5 }, 'dx');
  // Sums over rows: the error grows as their number, at worst.
  const nRows = one.x.length / Math.max(one.exact.channels, 1);
  expectClose(gradients[1]!, rounded(exact.dalpha), { absolute: 1e-6 * (10 + nRows), relative: 1e-5 }, 'dalpha');
}

describeOnEveryRuntime('kaf', () => {
  it.each([
    [0, 3, 20],
    [1, 1, 20],
    [1, 3, 20],
    [1, 4, 20],
    [1, 5, 20],
    [3, 4, 2],
    [5, 8, 5],
    [67, 16, 20],
    [131, 32, 20],
    [257, 3, 64],
    [9, 128, 20],
    [4, 2, 3],
  ])(
    'agrees with the reference in values and gradients: %i rows, %i channels, D %i',
    (nRows, nChannels, dictionary) => {
      for (const type of base) checkCase(kafCase(nRows, nChannels, dictionary, type));
    },
  );

  it('agrees far outside the dictionary', () => {
    for (const dictionary of [5, 20, 64]) checkCase(kafCase(33, 4, dictionary, 'swish', 12));
  });

  it('agrees at every dictionary element and between two', () => {
    const one = kafCase(39, 1, 20, 'none');
    const x = Float32Array.from({ length: 39 }, (_, i) => -3 + (i * 3) / 19);
    checkCase({ ...one, inputs: [input(x, [39, 1]), one.inputs[1]!], x: float64(x) });
  });

  it('agrees for any shape', () => {
    const shape = fc.record({
      nRows: fc.integer({ min: 0, max: 40 }),
      nChannels: fc.integer({ min: 1, max: 40 }),
      dictionary: fc.integer({ min: 2, max: 40 }),
      type: fc.constantFrom(...base),
    });
    fc.assert(
      fc.property(shape, ({ nRows, nChannels, dictionary, type }) => {
        checkCase(kafCase(nRows, nChannels, dictionary, type));
      }),
      { numRuns: 25 },
    );
  });

  it('gives NaN for NaN, and base’s limit at ±Inf, without touching the neighbours', () => {
    for (const type of base) {
      const one = kafCase(5, 4, 20, type);
      const x = Float32Array.from(one.x);
      x[1] = NaN;
      x[6] = Infinity;
      x[11] = -Infinity;
      // Channel 1 holds the NaN, channels 2 and 3 the infinities, channel 0 none.
      checkCase({ ...one, inputs: [input(x, [5, 4]), one.inputs[1]!], x: float64(x) });
    }
  });

  it('leaves out the gradient of alpha on request, and gives the same dx', () => {
    const one = kafCase(7, 3, 20, 'swish');
    const [x, alpha] = one.inputs as [ReturnType<typeof input>, ReturnType<typeof input>];
    const options = { boundary: 3, gamma: one.exact.gamma, base: 'swish', gradients: 'input' } as const;
    const { gradients } = evaluateGradients(
      (xs: tf.Tensor) => kaf(xs, tf.tensor2d(alpha.values, [3, 20]), options),
      [x],
      one.dy,
    );
    expect(gradients[0]).toEqual(evaluateGradients(one.op, one.inputs, one.dy).gradients[0]);
    expect(() =>
      evaluateGradients((xs: tf.Tensor, alphas: tf.Tensor2D) => kaf(xs, alphas, options), one.inputs, one.dy),
    ).toThrow("kaf: no gradient with respect to alpha under gradients: 'input'");
  });

  it('keeps the leading axes', () => {
    const one = kafCase(24, 2, 20, 'none');
    const { shape } = evaluate(one.op, [{ ...one.inputs[0]!, shape: [2, 3, 4, 2] }, one.inputs[1]!]);
    expect(shape).toEqual([2, 3, 4, 2]);
  });

  it('names a wrong shape or dtype', () => {
    const options = { boundary: 3, gamma: 1, base: 'none', gradients: 'all' } as const;
    tf.tidy(() => {
      const x = tf.zeros([2, 3]);
      expect(() => kaf(x, tf.zeros([4, 20]), options)).toThrow(
        new RangeError('kaf: expected alpha of shape [3, 20], got [4, 20]'),
      );
      expect(() => kaf(x, tf.zeros([20]) as never, options)).toThrow(
        new RangeError('kaf: expected alpha of rank 2, got shape [20]'),
      );
      expect(() => kaf(x, tf.zeros([3, 1]), options)).toThrow(
        new RangeError('kaf: expected a dictionary of at least 2 elements, got 1'),
      );
      expect(() => kaf(tf.cast(x, 'int32'), tf.zeros([3, 20]), options)).toThrow(
        new TypeError('kaf: expected x of dtype float32, got int32'),
      );
      expect(() => kaf(tf.scalar(1), tf.zeros([3, 20]), options)).toThrow(
        new RangeError('kaf: expected x with at least one axis, got a scalar'),
      );
    });
  });
});
