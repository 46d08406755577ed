import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { it } from 'vitest';

import type { Tolerance } from '../expectClose.ts';
import { describeOnEveryBuild, exactly, expectLikeCpu, noise, runKernel, sumTolerance } from './builds.ts';

interface Geometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly filter: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly pad: 'same' | 'valid' | number;
}

/** Forward with bias, and both gradients, against tfjs's loops. */
async function check(geometry: Geometry): Promise<void> {
  const { batch, height, width, inChannels, outChannels, filter, stride, pad } = geometry;
  const inputShape = [batch, height, width, inChannels] as const;
  const filterShape = [...filter, inChannels, outChannels] as const;
  const options = { strides: [...stride], pad, dataFormat: 'NHWC' };
  const nTaps = filter[0] * filter[1];
  await expectLikeCpu(() => {
    const x = noise(inputShape) as tf.Tensor4D;
    const kernel = noise(filterShape, { seed: 2 }) as tf.Tensor4D;
    const bias = noise([outChannels], { seed: 3 });
    const strides = [...stride] as [number, number];
    const y = tf.conv2d(x, kernel, strides, pad);
    const dy = noise(y.shape, { seed: 4 });
    return [
      y,
      tf.fused.conv2d({ x, filter: kernel, bias, strides, pad, activation: 'relu' }),
      ...runKernel(tf.Conv2DBackpropInput, { dy, filter: kernel }, { ...options, inputShape }),
      ...runKernel(tf.Conv2DBackpropFilter, { x, dy }, { ...options, filterShape }),
    ];
  }, [
    toleranceOf(nTaps * inChannels),
    toleranceOf(nTaps * inChannels),
    toleranceOf(nTaps * outChannels),
    toleranceOf(batch * height * width),
  ]);

  /** Winograd's largest error is 3e-5, with 5 taps 1e-4, of the RMS of n products of numbers in ±1, which is √n / 3. */
  function toleranceOf(n: number): Tolerance {
    const isWinograd = filter[0] === filter[1] && [3, 5].includes(filter[0]) && stride[0] === 1 && stride[1] === 1;
    if (!isWinograd) return sumTolerance(n);
    return { absolute: (filter[0] === 3 ? 1e-5 : 3.5e-5) * Math.sqrt(n), relative: 1e-5 };
  }
}

const plain = { batch: 2, filter: [3, 3], stride: [1, 1], pad: 'same' } as const;

describeOnEveryBuild('convolution', () => {
  it('agrees with the plain loop at the sizes of training, in small', async () => {
    await check({ ...plain, height: 8, width: 8, inChannels: 3, outChannels: 32 });
    await check({ ...plain, height: 8, width: 8, inChannels: 32, outChannels: 32 });
    await check({ ...plain, height: 4, width: 4, inChannels: 32, outChannels: 64 });
    // Panels beyond the first-level cache: summed by filter rows.
    await check({ ...plain, height: 3, width: 3, inChannels: 128, outChannels: 9 });
    await check({ ...plain, batch: 1, height: 5, width: 3, inChannels: 9, outChannels: 130, stride: [2, 1] });
  });

  it('agrees for odd sizes, strides, paddings and channels around the lanes', async () => {
    for (const [inChannels, outChannels] of [
      [1, 1],
      [3, 7],
      [4, 8],
      [5, 9],
      [8, 17],
    ] as const) {
      for (const filter of [
        [1, 1],
        [3, 3],
        [5, 5],
        [2, 3],
      ] as const) {
        for (const stride of [
          [1, 1],
          [2, 2],
          [1, 3],
        ] as const) {
          for (const pad of ['same', 'valid'] as const) {
            await check({ batch: 2, height: 7, width: 9, inChannels, outChannels, filter, stride, pad });
          }
        }
      }
    }
  });

  it('agrees for any geometry', async () => {
    const upTo = (most: number) => fc.integer({ min: 1, max: most });
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          batch: upTo(3),
          height: fc.integer({ min: 5, max: 13 }),
          width: fc.integer({ min: 5, max: 13 }),
          inChannels: upTo(10),
          outChannels: upTo(20),
          filter: fc.tuple(upTo(5), upTo(5)),
          stride: fc.tuple(upTo(3), upTo(3)),
          pad: fc.constantFrom('same', 'valid'),
        }),
        check,
      ),
      { numRuns: 40 },
    );
  });

  it('agrees with padding in pixels, also more than the filter reaches', async () => {
    for (const pad of [0, 1, 2, 4]) {
      await check({ ...plain, height: 6, width: 5, inChannels: 3, outChannels: 5, pad });
    }
  });

  it('gives nothing for no images and for no pixels', async () => {
    await check({ ...plain, batch: 0, height: 5, width: 5, inChannels: 3, outChannels: 4 });
    await check({ ...plain, height: 2, width: 2, inChannels: 3, outChannels: 4, pad: 'valid' });
  });

  it('spreads a NaN and an infinity just as far as the filter reaches', async () => {
    for (const value of [NaN, Infinity]) {
      await expectLikeCpu(() => {
        const values = noise([1, 6, 6, 2]).dataSync<'float32'>().slice();
        values[30] = value;
        const x = tf.tensor4d(values, [1, 6, 6, 2]);
        return [tf.conv2d(x, noise([3, 3, 2, 5], { seed: 2 }) as tf.Tensor4D, 1, 'same')];
      }, sumTolerance(18));
    }
  });

  it('leaves dilated convolutions and other activations to tfjs', async () => {
    await expectLikeCpu(() => {
      const x = noise([1, 7, 7, 2]) as tf.Tensor4D;
      const filter = noise([3, 3, 2, 4], { seed: 2 }) as tf.Tensor4D;
      return [
        tf.conv2d(x, filter, 1, 'same', 'NHWC', 2),
        tf.fused.conv2d({ x, filter, strides: 1, pad: 'same', activation: 'elu' }),
      ];
    }, sumTolerance(18));
  });

  it('reads a part of a larger dy, as tfjs does', async () => {
    await expectLikeCpu(() => {
      const options = { strides: 1, pad: 'same', dataFormat: 'NHWC' };
      const dy = noise([1, 6, 6, 4]);
      const filter = noise([3, 3, 2, 4], { seed: 2 });
      return runKernel(tf.Conv2DBackpropInput, { dy, filter }, { ...options, inputShape: [1, 4, 4, 2] });
    }, sumTolerance(36));
  });

  it('gives the same bits every time', async () => {
    const compute = () => {
      const x = noise([3, 9, 9, 5]) as tf.Tensor4D;
      const dy = noise([3, 9, 9, 7], { seed: 2 });
      return runKernel(
        tf.Conv2DBackpropFilter,
        { x, dy },
        { strides: 1, pad: 'same', dataFormat: 'NHWC', filterShape: [3, 3, 5, 7] },
      )[0]!;
    };
    await expectLikeCpu(() => [tf.sub(compute(), compute())], exactly);
  });
});
