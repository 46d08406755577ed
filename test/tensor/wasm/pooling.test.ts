import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import { describeOnEveryBuild, exactly, expectLikeCpu, noise, runKernel } from './builds.ts';

describeOnEveryBuild('max pooling', () => {
  const windows = [
    { filterSize: 2, strides: 2, pad: 'valid' },
    { filterSize: 2, strides: 2, pad: 'same' },
    { filterSize: 3, strides: 2, pad: 'same' },
    { filterSize: 3, strides: 1, pad: 'valid' },
    { filterSize: 2, strides: 3, pad: 'same' },
  ] as const;

  it.each(windows)('agrees with its gradient for $filterSize, $strides, $pad', async (window) => {
    for (const channels of [1, 3, 4, 9]) {
      for (const [height, width] of [
        [2, 2],
        [7, 9],
        [8, 8],
      ] as const) {
        await expectLikeCpu(
          () => {
            const x = noise([2, height, width, channels]) as tf.Tensor4D;
            const y = tf.maxPool(x, window.filterSize, window.strides, window.pad);
            const dy = noise(y.shape, { seed: 2 });
            return [y, ...runKernel(tf.MaxPoolGrad, { dy, input: x, output: y }, window)];
          },
          { absolute: 1e-6, relative: 1e-6 },
        );
      }
    }
  });

  it('gives the gradient to the first of equal values', async () => {
    await expectLikeCpu(() => {
      const x = tf.ones([1, 4, 4, 5]) as tf.Tensor4D;
      return runKernel(tf.MaxPoolGrad, { dy: noise([1, 2, 2, 5]), input: x, output: x }, windows[0]);
    }, exactly);
  });

  it('takes a NaN for the maximum, and gives it the gradient', () => {
    tf.tidy(() => {
      const x = tf.tensor4d([1, 2, NaN, 3], [1, 2, 2, 1]);
      const dy = tf.tensor4d([5], [1, 1, 1, 1]);
      expect(tf.maxPool(x, 2, 2, 'valid').dataSync()[0]).toBeNaN();
      const [dx] = runKernel(tf.MaxPoolGrad, { dy, input: x, output: dy }, windows[0]);
      expect([...dx!.dataSync()]).toEqual([0, 0, 5, 0]);
    });
  });
});

describeOnEveryBuild('average pooling', () => {
  const windows = [
    { filterSize: 2, strides: 2, pad: 'valid' },
    { filterSize: 2, strides: 2, pad: 'same' },
    { filterSize: 3, strides: 2, pad: 'same' },
    { filterSize: 3, strides: 1, pad: 'valid' },
    { filterSize: [2, 3], strides: [3, 1], pad: 'same' },
    { filterSize: 1, strides: 1, pad: 'valid' },
  ] as const;

  it.each(windows)('agrees with its gradient for $filterSize, $strides, $pad', async ({ filterSize, strides, pad }) => {
    for (const channels of [1, 3, 4, 9]) {
      for (const [height, width] of [
        [3, 3],
        [7, 9],
        [8, 8],
      ] as const) {
        await expectLikeCpu(
          () => {
            const x = noise([2, height, width, channels]) as tf.Tensor4D;
            const y = tf.avgPool(x, filterSize as [number, number], strides as [number, number], pad);
            const dy = noise(y.shape, { seed: 2 });
            return [y, ...runKernel(tf.AvgPoolGrad, { dy, input: x }, { filterSize, strides, pad })];
            // Sums of up to nine terms.
          },
          { absolute: 1e-6, relative: 1e-6 },
        );
      }
    }
  });

  it('passes a NaN and an infinity on to the windows that see them', async () => {
    await expectLikeCpu(() => {
      const x = tf.tensor4d([1, NaN, 2, 3, 4, 5, Infinity, 6], [1, 2, 4, 1]);
      return [tf.avgPool(x, 2, 2, 'valid')];
    }, exactly);
  });
});
