import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { maxout } from '../../../server/tensor/ops/maxout.ts';
import * as reference from '../../../server/tensor/reference/maxout.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, evaluate, evaluateGradients, float64, input, rounded, scatter } from './contract.ts';

/** A maximum is exact. */
const exactly = { absolute: 0, relative: 0 };

function check(x: Float32Array, [nRows, nChannels]: readonly [number, number], maps: number): void {
  const dy = scatter(nRows * nChannels, 1, 2);
  const inputs = [input(x, [nRows, maps * nChannels])];
  const { y, shape, gradients } = evaluateGradients((xs: tf.Tensor) => maxout(xs, maps), inputs, dy);
  expect(shape).toEqual([nRows, nChannels]);
  expectClose(y, rounded(reference.maxout(float64(x), maps, nChannels)), exactly, 'y');
  const dx = reference.maxoutGradient(float64(dy), float64(x), maps, nChannels);
  expectClose(gradients[0]!, rounded(dx), exactly, 'dx');
}

describeOnEveryRuntime('maxout', () => {
  it('agrees with the reference in value and gradient, tails and several ranges included', () => {
    for (const [nRows, nChannels] of [
      [0, 3],
      [1, 1],
      [3, 3],
      [5, 4],
      [7, 5],
      [300, 7],
      [1030, 32],
      [2, 128],
    ] as const) {
      for (const maps of [1, 2, 5]) check(scatter(nRows * nChannels * maps, 3), [nRows, nChannels], maps);
    }
  });

  it('agrees for any shape and number of maps, and keeps the other axes', () => {
    const size = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), size, fc.integer({ min: 1, max: 16 }), (nRows, nChannels, maps) => {
        check(scatter(nRows * nChannels * maps, 3), [nRows, nChannels], maps);
      }),
      { numRuns: 20 },
    );
    expect(evaluate((x: tf.Tensor) => maxout(x, 3), [input(scatter(180, 1), [2, 3, 2, 15])]).shape).toEqual([
      2, 3, 2, 5,
    ]);
  });

  it('gives the gradient to the first of equal values', () => {
    const { y, gradients } = evaluateGradients(
      (x: tf.Tensor) => maxout(x, 3),
      [input([1, 2, 1, 2, 0, 2], [1, 6])],
      Float32Array.of(5, 7),
    );
    expect(y).toEqual(Float32Array.of(1, 2));
    expect(gradients[0]).toEqual(Float32Array.of(5, 7, 0, 0, 0, 0));
  });

  it('passes on NaN, wherever it stands among the maps, and infinities', () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      for (let place = 0; place < 3; place++) {
        const x = scatter(5 * 3 * 3, 1);
        x[9 + place * 3 + 1] = value;
        check(x, [5, 3], 3);
      }
    }
    check(Float32Array.of(1, NaN, NaN, -Infinity, -Infinity, -Infinity), [2, 1], 3);
  });

  it('names a wrong width, number or dtype', () => {
    tf.tidy(() => {
      const x = tf.zeros([2, 6]);
      expect(() => maxout(x, 4)).toThrow(new RangeError('maxout: expected x with a multiple of 4 channels, got 6'));
      for (const maps of [0, 1.5, NaN]) {
        expect(() => maxout(x, maps)).toThrow(
          new RangeError(`maxout: expected maps to be an integer of at least 1, got ${String(maps)}`),
        );
      }
      expect(() => maxout(tf.scalar(1), 1)).toThrow(
        new RangeError('maxout: expected x with at least one axis, got a scalar'),
      );
      expect(() => maxout(tf.cast(x, 'int32'), 2)).toThrow(
        new TypeError('maxout: expected x of dtype float32, got int32'),
      );
    });
  });
});
