import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { kWinners, winnerCount } from '../../../server/tensor/ops/kWinners.ts';
import * as reference from '../../../server/tensor/reference/kWinners.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, evaluate, evaluateGradients, float64, input, rounded, scatter } from './contract.ts';

const exactly = { absolute: 0, relative: 0 };

function check(x: Float32Array, shape: readonly number[], ratio: number): void {
  const nSamples = shape[0]!;
  const dy = scatter(x.length, 1, 2);
  const { y, gradients } = evaluateGradients((xs: tf.Tensor) => kWinners(xs, ratio), [input(x, shape)], dy);
  const count = winnerCount(nSamples === 0 ? 0 : x.length / nSamples, ratio);
  const kept = (values: Float32Array) => rounded(reference.keepWinners(float64(values), float64(x), nSamples, count));
  // Nothing is computed, only chosen.
  expectClose(y, kept(x), exactly, 'y');
  expectClose(gradients[0]!, kept(dy), exactly, 'dx');
}

describe('the number of winners', () => {
  it('is the ratio of the size, rounded up, whatever rounding the product suffers', () => {
    // 0.07 · 100 is 7.000000000000001 in float64.
    expect([winnerCount(100, 0.07), winnerCount(10, 0.15), winnerCount(32_768, 0.3)]).toEqual([7, 2, 9831]);
    expect([winnerCount(3, 1e-9), winnerCount(5, 1)]).toEqual([1, 5]);
  });
});

describeOnEveryRuntime('kWinners', (runtime) => {
  it('keeps the largest of each sample, and their gradient', () => {
    for (const shape of [
      [0, 4],
      [3, 0],
      [1, 1],
      [2, 3],
      [3, 4],
      [2, 5],
      [3, 7, 5, 3],
      [2, 1031],
    ]) {
      for (const ratio of [1e-6, 0.15, 0.5, 1]) {
        check(
          scatter(
            shape.reduce((a, b) => a * b, 1),
            3,
          ),
          shape,
          ratio,
        );
      }
    }
  });

  it('agrees for any values, ties, zeros of both signs and infinities included', () => {
    const any = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(0, -0, 1, -1, Infinity, -Infinity, 1e-45, -1e-45),
    );
    // To TensorFlow numbers below 1.2e-38 are ties.
    const value = any.map((number) => (runtime === 'tensorflow' && Math.abs(number) < 1.2e-38 ? 0 : number));
    const shape = fc.record({ nSamples: fc.integer({ min: 1, max: 4 }), size: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(
        shape.chain(({ nSamples, size }) =>
          fc.record({
            shape: fc.constant([nSamples, size]),
            x: fc.array(value, { minLength: nSamples * size, maxLength: nSamples * size }),
            ratio: fc.double({ min: 0.01, max: 1, noNaN: true }),
          }),
        ),
        ({ shape: given, x, ratio }) => {
          check(Float32Array.from(x), given, ratio);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('keeps ties with the k-th largest', () => {
    const { y } = evaluate((xs: tf.Tensor) => kWinners(xs, 0.25), [input([2, 1, 2, -3], [1, 4])]);
    expect([...y]).toEqual([2, 0, 2, 0]);
  });

  it('takes NaN for the largest, and keeps it', () => {
    check(Float32Array.of(1, NaN, 3, 2, 5, 6, 7, 8), [2, 4], 0.5);
    check(Float32Array.of(1, NaN, NaN, 2), [1, 4], 0.5);
    check(Float32Array.of(1, NaN, NaN, 2), [1, 4], 0.25);
    // A NaN with its sign set is one as well.
    const x = new Float32Array(new Uint32Array([0xffc00000, 0x3f800000, 0x40000000]).buffer);
    check(x, [1, 3], 0.6);
  });

  it('names a wrong rank, ratio or dtype', () => {
    tf.tidy(() => {
      expect(() => kWinners(tf.zeros([4]), 0.5)).toThrow(
        new RangeError('kWinners: expected x of rank 2 or more, got shape [4]'),
      );
      expect(() => kWinners(tf.zeros([2, 2]), 0)).toThrow(
        new RangeError('kWinners: expected a ratio in (0, 1], got 0'),
      );
      expect(() => kWinners(tf.zeros([2, 2], 'int32'), 0.5)).toThrow(
        new TypeError('kWinners: expected x of dtype float32, got int32'),
      );
    });
  });
});
