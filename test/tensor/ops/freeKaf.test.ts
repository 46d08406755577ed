import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { freeKaf } from '../../../server/tensor/ops/freeKaf.ts';
import { kaf } from '../../../server/tensor/ops/kaf.ts';
import { uniformDictionary } from '../../../server/tensor/reference/kaf.ts';
import * as reference from '../../../server/tensor/reference/freeKaf.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, evaluate, evaluateGradients, float64, input, rounded, scatter } from './contract.ts';

const bases = ['none', 'swish'] as const;

interface Case {
  readonly nRows: number;
  readonly nChannels: number;
  readonly size: number;
  readonly base: (typeof bases)[number];
  readonly scale?: number;
}

/** Dictionaries around the uniform one, bandwidths around the thesis's. */
function makeCase({ nRows, nChannels, size, base, scale = 4 }: Case) {
  const uniform = size > 1 ? uniformDictionary(size, 3) : Float64Array.of(0);
  const spacing = 6 / Math.max(1, size - 1);
  const gamma = 1 / (6 * spacing ** 2);
  return {
    base,
    nChannels,
    size,
    gamma,
    x: scatter(nRows * nChannels, scale),
    alpha: scatter(nChannels * size, 1, 1),
    dictionary: scatter(nChannels * size, 0.4 * spacing, 3).map((value, i) => value + uniform[i % size]!),
    logGamma: scatter(nChannels, 0.5, 4).map((value) => value + Math.log(gamma)),
    dy: scatter(nRows * nChannels, 1, 2),
  };
}

function run({ base, nChannels, size, x, alpha, dictionary, logGamma, dy }: ReturnType<typeof makeCase>) {
  return evaluateGradients(
    (xs: tf.Tensor, alphas: tf.Tensor2D, centres: tf.Tensor2D, rhos: tf.Tensor1D) =>
      freeKaf(xs, alphas, centres, rhos, { base, gradients: 'all' }),
    [
      input(x, [x.length / Math.max(1, nChannels), nChannels]),
      input(alpha, [nChannels, size]),
      input(dictionary, [nChannels, size]),
      input(logGamma),
    ],
    dy,
  );
}

function check(one: ReturnType<typeof makeCase>): void {
  const { y, gradients } = run(one);
  const coefficients = {
    alpha: float64(one.alpha),
    dictionary: float64(one.dictionary),
    logGamma: float64(one.logGamma),
  };
  const [x, dy] = [float64(one.x), float64(one.dy)];
  const exact = reference.freeKafGradients(dy, x, coefficients, one.base);
  // float32 sums of up to 64 terms of magnitude 1: a few 1e-6; slopes are larger by √(2γ).
  expectClose(y, rounded(reference.freeKaf(x, coefficients, one.base)), { absolute: 1e-5, relative: 1e-5 }, 'y');
  const steepness = Math.max(1, Math.sqrt(2 * one.gamma));
  expectClose(gradients[0]!, rounded(exact.dx), { absolute: 2e-5 * steepness, relative: 1e-5 }, 'dx');
  // Sums over rows: the error grows as their number, at worst.
  const rows = 1e-6 * (10 + one.x.length / Math.max(1, one.nChannels));
  expectClose(gradients[1]!, rounded(exact.dalpha), { absolute: rows, relative: 1e-5 }, 'dalpha');
  const relative = 1e-5;
  expectClose(gradients[2]!, rounded(exact.ddictionary), { absolute: rows * steepness, relative }, 'ddictionary');
  // A term of dlogGamma is Σ αᵢ·q·exp(−q) over the dictionary.
  expectClose(gradients[3]!, rounded(exact.dlogGamma), { absolute: rows * 4, relative }, 'dlogGamma');
}

describeOnEveryRuntime('freeKaf', () => {
  it.each([
    [0, 3, 20],
    [1, 1, 20],
    [1, 3, 1],
    [1, 4, 20],
    [1, 5, 20],
    [3, 4, 2],
    [5, 8, 5],
    [67, 16, 20],
    [1031, 3, 20],
    [257, 3, 64],
    [9, 128, 20],
  ])('agrees with the reference in values and gradients: %i rows, %i channels, D %i', (nRows, nChannels, size) => {
    for (const base of bases) check(makeCase({ nRows, nChannels, size, base }));
  });

  it('agrees far outside the dictionary', () => {
    for (const size of [5, 20, 64]) check(makeCase({ nRows: 33, nChannels: 4, size, base: 'swish', scale: 12 }));
    const one = makeCase({ nRows: 7, nChannels: 1, size: 20, base: 'swish' });
    one.x.set([1e3, -1e3, 1e18, -1e30, 3.4e38, 40, -40]);
    check(one);
  });

  it('agrees for any shape', () => {
    const shape = fc.record({
      nRows: fc.integer({ min: 0, max: 40 }),
      nChannels: fc.integer({ min: 1, max: 40 }),
      size: fc.integer({ min: 1, max: 40 }),
      base: fc.constantFrom(...bases),
    });
    fc.assert(
      fc.property(shape, (given) => {
        check(makeCase(given));
      }),
      { numRuns: 25 },
    );
  });

  it('gives NaN for NaN, and base’s limit at ±Inf, without touching the neighbours', () => {
    for (const base of bases) {
      const one = makeCase({ nRows: 5, nChannels: 4, size: 20, base });
      // Channel 1 holds the NaN, channels 2 and 3 the infinities, channel 0 none.
      one.x[1] = NaN;
      one.x[6] = Infinity;
      one.x[11] = -Infinity;
      check(one);
    }
  });

  it('is kaf where every channel has the uniform dictionary and the same bandwidth', () => {
    const one = makeCase({ nRows: 67, nChannels: 5, size: 20, base: 'swish' });
    const uniform = Float32Array.from(uniformDictionary(20, 3));
    one.dictionary.forEach((_, i) => (one.dictionary[i] = uniform[i % 20]!));
    one.logGamma.fill(Math.log(one.gamma));
    const free = run(one);
    const fixed = evaluateGradients(
      (x: tf.Tensor, alpha: tf.Tensor2D) =>
        kaf(x, alpha, { boundary: 3, gamma: one.gamma, base: 'swish', gradients: 'all' }),
      [input(one.x, [67, 5]), input(one.alpha, [5, 20])],
      one.dy,
    );
    expectClose(free.y, fixed.y, { absolute: 1e-5, relative: 1e-5 }, 'y');
    expectClose(free.gradients[0]!, fixed.gradients[0]!, { absolute: 5e-5, relative: 1e-5 }, 'dx');
    expectClose(free.gradients[1]!, fixed.gradients[1]!, { absolute: 1e-4, relative: 1e-5 }, 'dalpha');
  });

  it('leaves out all gradients but x’s on request, and gives the same dx', () => {
    const one = makeCase({ nRows: 7, nChannels: 3, size: 20, base: 'swish' });
    const coefficients = [input(one.alpha, [3, 20]), input(one.dictionary, [3, 20]), input(one.logGamma)];
    const op = (x: tf.Tensor, alpha: tf.Tensor2D, dictionary: tf.Tensor2D, logGamma: tf.Tensor1D) =>
      freeKaf(x, alpha, dictionary, logGamma, { base: 'swish', gradients: 'input' });
    const { gradients } = evaluateGradients(
      (x: tf.Tensor) =>
        op(x, tf.tensor2d(one.alpha, [3, 20]), tf.tensor2d(one.dictionary, [3, 20]), tf.tensor1d(one.logGamma)),
      [input(one.x, [7, 3])],
      one.dy,
    );
    expect(gradients[0]).toEqual(run(one).gradients[0]);
    expect(() => evaluateGradients(op, [input(one.x, [7, 3]), ...coefficients], one.dy)).toThrow(
      "freeKaf: no gradient with respect to alpha under gradients: 'input'",
    );
  });

  it('keeps the leading axes', () => {
    const one = makeCase({ nRows: 24, nChannels: 2, size: 20, base: 'none' });
    const { shape } = evaluate(
      (x: tf.Tensor, alpha: tf.Tensor2D, dictionary: tf.Tensor2D, logGamma: tf.Tensor1D) =>
        freeKaf(x, alpha, dictionary, logGamma, { base: 'none', gradients: 'all' }),
      [input(one.x, [2, 3, 4, 2]), input(one.alpha, [2, 20]), input(one.dictionary, [2, 20]), input(one.logGamma)],
    );
    expect(shape).toEqual([2, 3, 4, 2]);
  });

  it('names a wrong shape or dtype', () => {
    const options = { base: 'none', gradients: 'all' } as const;
    tf.tidy(() => {
      const x = tf.zeros([2, 3]);
      const [row, rhos] = [tf.zeros<tf.Rank.R2>([3, 20]), tf.zeros<tf.Rank.R1>([3])];
      expect(() => freeKaf(x, tf.zeros([4, 20]), row, rhos, options)).toThrow(
        new RangeError('freeKaf: expected alpha of shape [3, 20], got [4, 20]'),
      );
      expect(() => freeKaf(x, tf.zeros([20]) as never, row, rhos, options)).toThrow(
        new RangeError('freeKaf: expected alpha of rank 2, got shape [20]'),
      );
      expect(() => freeKaf(x, row, tf.zeros([3, 19]), rhos, options)).toThrow(
        new RangeError('freeKaf: expected dictionary of shape [3, 20], got [3, 19]'),
      );
      expect(() => freeKaf(x, row, row, tf.zeros([4]), options)).toThrow(
        new RangeError('freeKaf: expected logGamma of shape [3], got [4]'),
      );
      expect(() => freeKaf(tf.cast(x, 'int32'), row, row, rhos, options)).toThrow(
        new TypeError('freeKaf: expected x of dtype float32, got int32'),
      );
      expect(() => freeKaf(tf.scalar(1), row, row, rhos, options)).toThrow(
        new RangeError('freeKaf: expected x with at least one axis, got a scalar'),
      );
    });
  });
});
