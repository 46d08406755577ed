// KafscopeUniform, KafscopeNormal, KafscopeDropout and KafscopeCropAndFlip: the numbers are drawn as on the runtime `cpu`, bit for bit, and
// handed to the backend. A library's own random ops draw others.
import * as tf from '@tensorflow/tfjs-core';
import { croppedAndFlipped, type CropAndFlipOptions } from '../ops/augment.ts';
import { dropoutMask } from '../ops/dropout.ts';
import { normalValues, uniformValues, type RandomKey } from '../ops/random.ts';
import { readFloats } from '../read.ts';
import { composedKernel, type ComposedKernel } from './composition.ts';

interface UniformAttributes {
  readonly shape: number[];
  readonly low: number;
  readonly high: number;
  readonly key: RandomKey;
}

interface NormalAttributes {
  readonly shape: number[];
  readonly mean: number;
  readonly std: number;
  readonly key: RandomKey;
}

export const randomKernels: readonly ComposedKernel[] = [
  composedKernel<object, UniformAttributes>('KafscopeUniform', (_inputs, { shape, low, high, key }) =>
    tf.tensor(uniformValues(tf.util.sizeFromShape(shape), low, high, key), shape),
  ),
  composedKernel<object, NormalAttributes>('KafscopeNormal', (_inputs, { shape, mean, std, key }) =>
    tf.tensor(normalValues(tf.util.sizeFromShape(shape), mean, std, key), shape),
  ),
  composedKernel<{ x: tf.Tensor }, { rate: number; key: RandomKey }>('KafscopeDropout', ({ x }, { rate, key }) => {
    const isKept = tf.tensor(dropoutMask(x.size, rate, key), x.shape, 'bool');
    return tf.where(isKept, tf.mul(x, 1 / (1 - rate)), tf.zerosLike(x));
  }),
  composedKernel<{ images: tf.Tensor4D }, CropAndFlipOptions & { key: RandomKey }>(
    'KafscopeCropAndFlip',
    ({ images }, { key, ...options }) =>
      tf.tensor(croppedAndFlipped(readFloats(images), images.shape, options, key), images.shape),
  ),
];
