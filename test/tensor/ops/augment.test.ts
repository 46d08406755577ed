import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { cropAndFlip } from '../../../server/tensor/ops/augment.ts';
import { randomWords } from '../../../server/tensor/reference/philox.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, evaluate, input, scatter } from './contract.ts';

type Shape = readonly [number, number, number, number];
const key = { seed: 11, stream: 2, counter: 5 };

/** Pads, crops and mirrors each image by its own four words, pixel by pixel. */
function expected(images: Float32Array, [nImages, height, width, nChannels]: Shape, pad: number, flip: boolean) {
  const words = randomWords(4 * nImages, key);
  const offset = (word: number) => Number((BigInt(word) * BigInt(2 * pad + 1)) >> 32n) - pad;
  return images.map((_, n) => {
    const c = n % nChannels;
    const column = Math.floor(n / nChannels) % width;
    const row = Math.floor(n / nChannels / width) % height;
    const b = Math.floor(n / nChannels / width / height);
    const isFlipped = flip && words[4 * b + 2]! >= 2 ** 31;
    const fromRow = row + offset(words[4 * b]!);
    const fromColumn = (isFlipped ? width - 1 - column : column) + offset(words[4 * b + 1]!);
    const isInside = fromRow >= 0 && fromRow < height && fromColumn >= 0 && fromColumn < width;
    return isInside ? images[((b * height + fromRow) * width + fromColumn) * nChannels + c]! : 0;
  });
}

function check(shape: Shape, pad: number, flip: boolean): void {
  const images = scatter(
    shape.reduce((a, b) => a * b, 1),
    1,
  );
  const { y } = evaluate((x: tf.Tensor4D) => cropAndFlip(x, { pad, flip }, key), [input(images, shape)]);
  expectClose(y, expected(images, shape, pad, flip), { absolute: 0, relative: 0 });
}

describeOnEveryRuntime('cropAndFlip', () => {
  it('moves every pixel as the key says, and pads with 0', () => {
    for (const flip of [false, true]) {
      for (const pad of [0, 1, 4]) {
        for (const shape of [
          [0, 8, 8, 3],
          [1, 1, 1, 1],
          [5, 3, 4, 5],
          [33, 8, 8, 3],
        ] as const) {
          check(shape, pad, flip);
        }
      }
    }
  });

  it('moves every pixel as the key says for any shape', () => {
    const length = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(
        length,
        length,
        length,
        length,
        fc.integer({ min: 0, max: 5 }),
        fc.boolean(),
        (b, h, w, c, pad, flip) => {
          check([b, h, w, c], pad, flip);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('takes every offset and both orientations', () => {
    // One lit pixel in the middle of 64 images, padding 1: it lands on each of the 9 places.
    const images = Float32Array.from({ length: 64 * 9 }, (_, n) => (n % 9 === 4 ? 1 : 0));
    const op = (x: tf.Tensor4D) => cropAndFlip(x, { pad: 1, flip: true }, key);
    const { y } = evaluate(op, [input(images, [64, 3, 3, 1])]);
    const places = new Set([...y.keys()].filter((n) => y[n] === 1).map((n) => n % 9));
    expect(places.size).toBe(9);
  });

  it('moves NaN and infinities like other pixels', () => {
    const shape = [2, 2, 2, 1] as const;
    const images = Float32Array.of(NaN, 1, Infinity, -Infinity, NaN, 2, 3, Infinity);
    const { y } = evaluate((x: tf.Tensor4D) => cropAndFlip(x, { pad: 1, flip: true }, key), [input(images, shape)]);
    expectClose(y, expected(images, shape, 1, true), { absolute: 0, relative: 0 });
  });

  it('names a wrong shape or dtype', () => {
    tf.tidy(() => {
      expect(() => cropAndFlip(tf.zeros([2, 3]) as never, { pad: 0, flip: true }, key)).toThrow(
        new RangeError('cropAndFlip: expected images of rank 4, got shape [2, 3]'),
      );
      expect(() => cropAndFlip(tf.zeros([1, 2, 2, 1], 'int32'), { pad: 0, flip: true }, key)).toThrow(
        new TypeError('cropAndFlip: expected images of dtype float32, got int32'),
      );
    });
  });
});
