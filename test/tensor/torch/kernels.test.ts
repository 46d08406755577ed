// Kernels on torch beside tfjs's own of the backend `cpu`, where PyTorch knows no such window: sides of unequal padding, and shapes that no
// layer of ours has.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectClose } from '../expectClose.ts';
import { scatter } from '../ops/contract.ts';
import { openContractRuntime } from '../ops/runtimes.ts';

beforeAll(() => openContractRuntime('torch'));

/** The results of the same computation on both. */
async function onBoth(compute: () => tf.Tensor[]): Promise<[torch: Float32Array[], cpu: Float32Array[]]> {
  const on = async (backend: string) => {
    await tf.setBackend(backend);
    return tf.tidy(() => compute().map((tensor) => tensor.dataSync<'float32'>().slice()));
  };
  const theirs = await on('cpu');
  return [await on('torch'), theirs];
}

async function expectAlike(compute: () => tf.Tensor[]): Promise<void> {
  const [ours, theirs] = await onBoth(compute);
  expect(ours).toHaveLength(theirs.length);
  ours.forEach((values, i) => {
    expectClose(values, theirs[i]!, { absolute: 1e-5, relative: 1e-5 }, `result ${String(i)}`);
  });
}

/** All below 0: what lies around an image is no winner. */
function negative(shape: [number, number, number, number]): tf.Tensor4D {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor4d(
    scatter(size, 1).map((value) => value - 2),
    shape,
  );
}

describe('windows on torch', () => {
  it.each([
    [5, 2, 2, 'same'],
    [6, 3, 2, 'same'],
    [4, 2, 1, 'same'],
    [7, 3, 3, 'valid'],
    [5, 3, 2, 1],
  ] as const)(
    'pool as tfjs does, the gradients, too: side %i, filter %i, stride %i, %s',
    async (side, filter, stride, pad) => {
      await expectAlike(() => {
        const x = negative([2, side, side, 3]);
        const y = tf.maxPool(x, filter, stride, pad);
        const dy = tf.tensor(scatter(y.size, 1, 1), y.shape);
        const attributes = { filterSize: filter, strides: stride, pad };
        const dx = tf.engine().runKernel<tf.Tensor>('MaxPoolGrad', { dy, input: x, output: y }, attributes);
        return [y, dx, tf.avgPool(x, filter, stride, pad)];
      });
    },
  );

  it.each([
    [[1, 6, 7, 2], [3, 2, 2, 4], 2, 'same', 1],
    [[2, 5, 5, 3], [2, 2, 3, 2], 1, 'same', 1],
    [[1, 9, 8, 2], [3, 3, 2, 3], 1, 'same', 2],
    [[1, 9, 9, 1], [4, 4, 1, 2], 3, 'valid', 1],
  ] as const)(
    'convolve as tfjs does, the gradients, too: %o by %o, stride %i, %s',
    async (shape, filter, stride, pad, dilation) => {
      await expectAlike(() => {
        const x = negative([...shape]);
        const kernel = tf.tensor4d(scatter(tf.util.sizeFromShape([...filter]), 1, 2), [...filter]);
        const attributes = { strides: stride, pad, dilations: dilation, dataFormat: 'NHWC' };
        const run = (name: string, inputs: tf.NamedTensorMap, more: object) =>
          tf.engine().runKernel<tf.Tensor>(name, inputs, { ...attributes, ...more });
        const y = run('Conv2D', { x, filter: kernel }, {});
        // tfjs's cpu backend has no gradients of dilated ones.
        if (dilation > 1) return [y];
        const dy = tf.tensor(scatter(y.size, 1, 1), y.shape);
        return [
          y,
          run('Conv2DBackpropInput', { dy, filter: kernel }, { inputShape: [...shape] }),
          run('Conv2DBackpropFilter', { x, dy }, { filterShape: [...filter] }),
        ];
      });
    },
  );
});
