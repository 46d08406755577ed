import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { groupNorm } from '../../../server/tensor/ops/groupNorm.ts';
import * as reference from '../../../server/tensor/reference/groupNorm.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, evaluateGradients, float64, input, rounded, scatter } from './contract.ts';

const epsilon = 1e-3;

interface Sizes {
  readonly nSamples: number;
  readonly nRows: number;
  readonly nChannels: number;
  readonly groups: number;
}

function check(sizes: Sizes, shift = 0): void {
  const { nSamples, nRows, nChannels, groups } = sizes;
  const shape = [nSamples, nRows, nChannels];
  const x = scatter(nSamples * nRows * nChannels, 2).map((value) => value + shift);
  const gamma = scatter(nChannels, 1, 1);
  const beta = scatter(nChannels, 1, 2);
  const dy = scatter(x.length, 1, 3);
  const { y, gradients } = evaluateGradients(
    (xs: tf.Tensor, g: tf.Tensor1D, b: tf.Tensor1D) => groupNorm(xs, g, b, { groups, epsilon }),
    [input(x, shape), input(gamma), input(beta)],
    dy,
  );
  const all = { ...sizes, epsilon };
  const exact = reference.groupNorm(float64(x), float64(gamma), float64(beta), all);
  const slopes = reference.groupNormGradients(float64(dy), float64(x), float64(gamma), all);
  const loss = 1 + Math.abs(shift);
  // A group of one value has variance 0, and 1/√ε = 32 magnifies; of a few values the variance may be small.
  const nInGroup = (nRows * nChannels) / groups;
  const steep = nInGroup < 8 ? 40 : 1;
  expectClose(y, rounded(exact), { absolute: 2e-6 * loss * steep, relative: 1e-5 }, 'y');
  expectClose(gradients[0]!, rounded(slopes.dx), { absolute: 4e-6 * loss * steep, relative: 2e-5 }, 'dx');
  const sums = { absolute: 2e-6 * loss * (4 + nSamples * nRows) * steep, relative: 1e-5 };
  expectClose(gradients[1]!, rounded(slopes.dgamma), sums, 'dgamma');
  expectClose(gradients[2]!, rounded(slopes.dbeta), sums, 'dbeta');
}

describeOnEveryRuntime('groupNorm', () => {
  it.each<[number, number, number, number]>([
    [0, 3, 4, 2],
    [1, 1, 4, 1],
    [3, 1, 6, 3],
    [2, 5, 3, 3],
    [5, 7, 12, 4],
    [2, 64, 16, 1],
    [3, 33, 32, 8],
    [2, 300, 10, 5],
  ])(
    'agrees with the reference in values and gradients: %i samples of %i rows, %i channels in %i groups',
    (nSamples, nRows, nChannels, groups) => {
      check({ nSamples, nRows, nChannels, groups });
    },
  );

  it('agrees where the mean is large against the deviation', () => {
    check({ nSamples: 3, nRows: 40, nChannels: 8, groups: 2 }, 50);
  });

  it('agrees for any shape', () => {
    const sizes = fc.record({
      ...{ nSamples: fc.integer({ min: 1, max: 5 }), nRows: fc.integer({ min: 1, max: 20 }) },
      ...{ width: fc.integer({ min: 1, max: 9 }), groups: fc.integer({ min: 1, max: 5 }) },
    });
    fc.assert(
      fc.property(sizes, ({ width, groups, ...rest }) => {
        check({ ...rest, groups, nChannels: width * groups });
      }),
      { numRuns: 20 },
    );
  });

  it('depends on nothing of other samples', () => {
    const x = scatter(4 * 6, 2);
    const [gamma, beta] = [input(scatter(6, 1, 1)), input(scatter(6, 1, 2))];
    const norm = (xs: tf.Tensor, g: tf.Tensor1D, b: tf.Tensor1D) => groupNorm(xs, g, b, { groups: 2, epsilon });
    const all = evaluateGradients(norm, [input(x, [4, 6]), gamma, beta], scatter(24, 1, 3)).y;
    const last = evaluateGradients(norm, [input(x.slice(18), [1, 6]), gamma, beta], scatter(6, 1, 3)).y;
    // TensorFlow multiplies lanes and tails by other instructions, which round otherwise.
    expectClose(all.slice(18), last, { absolute: 1e-6, relative: 1e-6 }, 'y');
  });

  it('makes the group of a NaN or an infinity NaN, and no other', () => {
    const x = scatter(16, 1);
    x[1] = NaN;
    x[14] = Infinity;
    const ones = input(Array<number>(4).fill(1));
    const zeros = input(Array<number>(4).fill(0));
    const norm = (xs: tf.Tensor, g: tf.Tensor1D, b: tf.Tensor1D) => groupNorm(xs, g, b, { groups: 2, epsilon });
    const { y } = evaluateGradients(norm, [input(x, [2, 2, 4]), ones, zeros], scatter(16, 1));
    const isNaN = Array.from(y, (value) => (Number.isNaN(value) ? 1 : 0));
    expect(isNaN).toEqual([1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1]);
  });

  it('names a wrong shape, dtype or number of groups', () => {
    tf.tidy(() => {
      const x = tf.zeros([2, 4]);
      const four = tf.zeros<tf.Rank.R1>([4]);
      const options = { groups: 2, epsilon };
      expect(() => groupNorm(x, tf.zeros<tf.Rank.R1>([3]), four, options)).toThrow(
        new RangeError('groupNorm: expected gamma of shape [4], got [3]'),
      );
      expect(() => groupNorm(tf.cast(x, 'int32'), four, four, options)).toThrow(
        new TypeError('groupNorm: expected x of dtype float32, got int32'),
      );
      expect(() => groupNorm(x, four, four, { groups: 3, epsilon })).toThrow(
        new RangeError('groupNorm: expected groups to divide 4 channels, got 3'),
      );
    });
  });
});
