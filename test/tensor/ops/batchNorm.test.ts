import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { batchNormInference, batchNormTraining, scaleShift } from '../../../server/tensor/ops/batchNorm.ts';
import * as reference from '../../../server/tensor/reference/batchNorm.ts';
import { expectClose } from '../expectClose.ts';
import {
  describeOnEveryRuntime,
  evaluateGradients,
  float64,
  input,
  rounded,
  scatter,
  withoutTrace,
} from './contract.ts';

const epsilon = 1e-3;
const training = (x: tf.Tensor, gamma: tf.Tensor1D, beta: tf.Tensor1D) => batchNormTraining(x, gamma, beta, epsilon).y;

function checkTraining(nRows: number, nChannels: number, shift = 0): void {
  const x = scatter(nRows * nChannels, 2).map((value) => value + shift);
  const gamma = scatter(nChannels, 1, 1);
  const beta = scatter(nChannels, 1, 2);
  const dy = scatter(nRows * nChannels, 1, 3);
  const inputs = [input(x, [nRows, nChannels]), input(gamma), input(beta)];
  const exact = reference.batchNorm(float64(x), float64(gamma), float64(beta), epsilon);
  const exactGradients = reference.batchNormGradients(float64(dy), float64(x), float64(gamma), epsilon);
  const { y, gradients } = evaluateGradients(training, inputs, dy);
  // float32 sums of nRows terms; subtracting the mean loses what the shift's magnitude takes of the mantissa.
  const loss = 1 + Math.abs(shift);
  // One row has variance 0, and 1/√ε = 32 magnifies.
  const steep = nRows === 1 ? 40 : 1;
  expectClose(y, rounded(exact.y), { absolute: 2e-6 * loss * steep, relative: 1e-5 }, 'y');
  expectClose(gradients[0]!, rounded(exactGradients.dx), { absolute: 3e-6 * loss * steep, relative: 1e-5 }, 'dx');
  const sums = { absolute: 2e-6 * loss * (4 + nRows) * steep, relative: 1e-5 };
  expectClose(gradients[1]!, rounded(exactGradients.dgamma), sums, 'dgamma');
  expectClose(gradients[2]!, rounded(exactGradients.dbeta), sums, 'dbeta');
  const { mean, variance } = withoutTrace(inputs, (tensors) => {
    const result = batchNormTraining(tensors[0]!, tensors[1] as tf.Tensor1D, tensors[2] as tf.Tensor1D, epsilon);
    return {
      mean: result.mean.dataSync<'float32'>().slice(),
      variance: result.variance.dataSync<'float32'>().slice(),
    };
  });
  expectClose(mean, rounded(exact.mean), { absolute: 1e-6 * loss, relative: 1e-6 }, 'mean');
  expectClose(variance, rounded(exact.variance), { absolute: 2e-6 * loss, relative: 2e-6 }, 'variance');
}

describeOnEveryRuntime('batchNorm', () => {
  it.each([
    [0, 3],
    [1, 4],
    [2, 1],
    [5, 3],
    [7, 5],
    [67, 8],
    [131, 32],
    [300, 10],
    [1027, 4],
    [33, 128],
  ])('agrees with the reference in values, statistics and gradients: %i rows, %i channels', (nRows, nChannels) => {
    checkTraining(nRows, nChannels);
  });

  it('agrees where the mean is large against the deviation', () => {
    checkTraining(129, 8, 50);
  });

  it('agrees for any shape', () => {
    const shape = fc.record({ nRows: fc.integer({ min: 2, max: 90 }), nChannels: fc.integer({ min: 1, max: 40 }) });
    fc.assert(
      fc.property(shape, ({ nRows, nChannels }) => {
        checkTraining(nRows, nChannels);
      }),
      { numRuns: 25 },
    );
  });

  it('makes a channel with a NaN or an infinity NaN, and no other', () => {
    const x = scatter(20, 1);
    x[4] = NaN;
    x[10] = Infinity;
    const { y } = evaluateGradients(
      training,
      [input(x, [5, 4]), input([1, 1, 1, 1]), input([0, 0, 0, 0])],
      scatter(20, 1),
    );
    const nonFinite = [0, 1, 2, 3].map((c) => y.filter((value, n) => n % 4 === c && Number.isNaN(value)).length);
    expect(nonFinite).toEqual([5, 0, 5, 0]);
  });

  it('infers by given statistics, with the gradient with respect to x', () => {
    const [nRows, nChannels] = [37, 6];
    const x = scatter(nRows * nChannels, 2);
    const [gamma, beta, mean] = [scatter(nChannels, 1, 1), scatter(nChannels, 1, 2), scatter(nChannels, 1, 3)];
    const variance = scatter(nChannels, 1, 4).map((value) => value + 1.5);
    const dy = scatter(nRows * nChannels, 1, 5);
    const { y, gradients } = evaluateGradients(
      (xs: tf.Tensor) =>
        batchNormInference(
          xs,
          tf.tensor1d(gamma),
          tf.tensor1d(beta),
          tf.tensor1d(mean),
          tf.tensor1d(variance),
          epsilon,
        ),
      [input(x, [nRows, nChannels])],
      dy,
    );
    const inverse = (c: number) => 1 / Math.sqrt(variance[c]! + epsilon);
    const exact = x.map((value, n) => gamma[n % 6]! * (value - mean[n % 6]!) * inverse(n % 6) + beta[n % 6]!);
    // A few float32 roundings of numbers up to 4.
    expectClose(y, exact, { absolute: 2e-6, relative: 2e-6 }, 'y');
    const dx = dy.map((value, n) => value * gamma[n % 6]! * inverse(n % 6));
    expectClose(gradients[0]!, dx, { absolute: 1e-6, relative: 2e-6 }, 'dx');
  });

  it('scales and shifts each channel', () => {
    for (const [nRows, nChannels] of [
      [0, 3],
      [1, 1],
      [3, 5],
      [517, 8],
      [9, 33],
    ] as const) {
      const x = scatter(nRows * nChannels, 2);
      const [scale, shift] = [scatter(nChannels, 1, 1), scatter(nChannels, 1, 2)];
      const dy = scatter(x.length, 1, 3);
      const { y, gradients } = evaluateGradients(
        (xs: tf.Tensor, a: tf.Tensor1D, b: tf.Tensor1D) => scaleShift(xs, a, b),
        [input(x, [nRows, nChannels]), input(scale), input(shift)],
        dy,
      );
      const expected = x.map((value, n) => value * scale[n % nChannels]! + shift[n % nChannels]!);
      // A fused multiply-add rounds once less.
      expectClose(y, expected, { absolute: 3e-7, relative: 0 }, 'y');
      const sums = [new Float64Array(nChannels), new Float64Array(nChannels)] as const;
      dy.forEach((value, n) => {
        sums[0][n % nChannels] = sums[0][n % nChannels]! + value * x[n]!;
        sums[1][n % nChannels] = sums[1][n % nChannels]! + value;
      });
      const dx = dy.map((value, n) => value * scale[n % nChannels]!);
      expectClose(gradients[0]!, dx, { absolute: 3e-7, relative: 0 }, 'dx');
      // Sums of up to 517 products in float32.
      expectClose(gradients[1]!, Float32Array.from(sums[0]), { absolute: 2e-5, relative: 1e-6 }, 'dscale');
      expectClose(gradients[2]!, Float32Array.from(sums[1]), { absolute: 2e-5, relative: 1e-6 }, 'dshift');
    }
  });

  it('names a wrong shape or dtype', () => {
    tf.tidy(() => {
      const x = tf.zeros([2, 3]);
      const three = tf.zeros<tf.Rank.R1>([3]);
      const two = tf.zeros<tf.Rank.R1>([2]);
      expect(() => batchNormTraining(x, two, three, 0)).toThrow(
        new RangeError('batchNormTraining: expected gamma of shape [3], got [2]'),
      );
      expect(() => batchNormInference(x, three, three, three, two, 0)).toThrow(
        new RangeError('batchNormInference: expected variance of shape [3], got [2]'),
      );
      expect(() => scaleShift(x, three, tf.cast(three, 'int32'))).toThrow(
        new TypeError('scaleShift: expected shift of dtype float32, got int32'),
      );
    });
  });
});
