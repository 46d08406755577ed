import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import { describeOnEveryBuild, expectLikeCpu, noise, sumTolerance } from './builds.ts';

/** M, K, N: empty, one, lanes and tiles ± 1, and more than a block of the transposed kernel deep. */
const sizes = [
  [0, 3, 2],
  [2, 0, 3],
  [2, 3, 0],
  [1, 1, 1],
  [5, 3, 7],
  [6, 4, 8],
  [7, 5, 9],
  [12, 8, 16],
  [13, 130, 17],
  [31, 257, 33],
] as const;

const transpositions = [
  { transposeA: false, transposeB: false },
  { transposeA: true, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: true },
];

describeOnEveryBuild('matrix product', () => {
  it.each(transpositions)(
    'agrees with the plain loop for any size: $transposeA, $transposeB',
    async ({ transposeA, transposeB }) => {
      for (const [m, k, n] of sizes) {
        await expectLikeCpu(() => {
          const a = noise(transposeA ? [k, m] : [m, k]);
          const b = noise(transposeB ? [n, k] : [k, n], { seed: 2 });
          return [tf.matMul(a, b, transposeA, transposeB)];
        }, sumTolerance(k));
      }
    },
  );

  it.each(transpositions)('adds a bias and rectifies: $transposeA, $transposeB', async ({ transposeA, transposeB }) => {
    await expectLikeCpu(() => {
      const a = noise(transposeA ? [9, 7] : [7, 9]);
      const b = noise(transposeB ? [5, 9] : [9, 5], { seed: 2 });
      const bias = noise([5], { seed: 3 });
      return (['linear', 'relu', 'elu'] as const).map((activation) =>
        tf.fused.matMul({ a, b, bias, transposeA, transposeB, activation }),
      );
    }, sumTolerance(9));
  });

  it('takes a bias for each row or for all, as tfjs does', async () => {
    await expectLikeCpu(() => {
      const a = noise([4, 3]);
      const b = noise([3, 5], { seed: 2 });
      return [[], [1], [4, 1], [4, 5]].map((shape) => tf.fused.matMul({ a, b, bias: noise(shape, { seed: 3 }) }));
    }, sumTolerance(3));
  });

  it('broadcasts batches', async () => {
    await expectLikeCpu(() => {
      const a = noise([3, 4, 5]);
      const b = noise([3, 5, 2], { seed: 2 });
      const one = noise([1, 5, 2], { seed: 3 });
      return [tf.matMul(a, b), tf.matMul(a, one), tf.matMul(noise([1, 4, 5]), b)];
    }, sumTolerance(5));
  });

  it('spreads a NaN over its row or column only, and keeps infinities', async () => {
    const spoil = (tensor: tf.Tensor, index: number, value: number) => {
      const values = tensor.dataSync<'float32'>().slice();
      values[index] = value;
      return tf.tensor(values, tensor.shape);
    };
    for (const value of [NaN, Infinity, -Infinity]) {
      for (const { transposeA, transposeB } of transpositions) {
        await expectLikeCpu(() => {
          const a = spoil(noise([7, 7]), 10, value);
          return [tf.matMul(a, noise(transposeB ? [9, 7] : [7, 9], { seed: 2 }), transposeA, transposeB)];
        }, sumTolerance(7));
      }
    }
  });

  it('multiplies integers as tfjs does', async () => {
    await expectLikeCpu(
      () => [tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32'), tf.tensor2d([5, 6, 7, 8], [2, 2], 'int32'))],
      sumTolerance(0),
    );
  });

  it('names shapes that do not fit', () => {
    expect(() => tf.matMul(noise([2, 3]), noise([4, 5]))).toThrow(/inner shapes \(3\) and \(4\)/);
  });
});
