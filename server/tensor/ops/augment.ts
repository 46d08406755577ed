// Augmentation of a batch of images: random crop after zero padding, and random horizontal flip.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype, expectRank } from './checkTensor.ts';
import { floatsOf, inputOf, makeFloats, type OpDefinition } from './cpuKernel.ts';
import { forEachBlock, scaleWord, type RandomKey } from './random.ts';

export interface CropAndFlipOptions {
  /** Zero padding in pixels on every side before the crop to the original size. */
  readonly pad: number;
  /** Whether half of the images are mirrored left to right. */
  readonly flip: boolean;
}

/**
 * Crops each image at random from its zero-padded self and mirrors half of them.
 * @param images `[B, H, W, C]` float32.
 * @param key block b of the draw belongs to image b: word 0 gives the row offset ⌊word·(2·pad + 1)/2³²⌋, word 1 the
 * column offset alike, and the highest bit of word 2 the flip.
 * @returns `[B, H, W, C]`. No gradient.
 * @throws TypeError if images are not float32; RangeError unless of rank 4.
 */
export function cropAndFlip(images: tf.Tensor4D, { pad, flip }: CropAndFlipOptions, key: RandomKey): tf.Tensor4D {
  expectDtype('cropAndFlip', 'images', images, 'float32');
  expectRank('cropAndFlip', 'images', images, 4);
  return tf.engine().runKernel('KafscopeCropAndFlip', { images }, { pad, flip, key } as unknown as tf.NamedAttrMap);
}

export const augmentOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeCropAndFlip',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { pad, flip, key } = attrs as unknown as CropAndFlipOptions & { key: RandomKey };
        const info = inputOf(inputs, 'images');
        const cropped = croppedAndFlipped(floatsOf(backend, info), info.shape, { pad, flip }, key);
        return makeFloats(backend, info.shape, cropped);
      },
    },
  ],
  gradients: [],
};

/** The pixels of `cropAndFlip`. */
export function croppedAndFlipped(
  images: Float32Array,
  shape: readonly number[],
  { pad, flip }: CropAndFlipOptions,
  key: RandomKey,
): Float32Array {
  const [nImages, height, width, nChannels] = shape as [number, number, number, number];
  const cropped = new Float32Array(images.length);
  const rowLength = width * nChannels;
  forEachBlock(nImages * 4, key, (words, start) => {
    const top = scaleWord(words[0]!, 2 * pad + 1) - pad;
    const left = scaleWord(words[1]!, 2 * pad + 1) - pad;
    const isFlipped = flip && words[2]! >>> 31 === 1;
    const image = (start / 4) * height * rowLength;
    for (let row = 0; row < height; row++) {
      const fromRow = row + top;
      if (fromRow < 0 || fromRow >= height) continue;
      for (let column = 0; column < width; column++) {
        const fromColumn = (isFlipped ? width - 1 - column : column) + left;
        if (fromColumn < 0 || fromColumn >= width) continue;
        const from = image + fromRow * rowLength + fromColumn * nChannels;
        const to = image + row * rowLength + column * nChannels;
        for (let c = 0; c < nChannels; c++) cropped[to + c] = images[from + c]!;
      }
    }
  });
  return cropped;
}
