import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { kWinners, winnerCount } from '../../../server/tensor/ops/kWinners.ts';
import * as reference from '../../../server/tensor/reference/kWinners.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, evaluate, evaluateGradients, float64, input, rounded, scatter } from './contract.ts';

const exactly = { absolute: 0, relative: 0 };
const asInCode = { rounding: 'ceiling', over: 'layer', ties: 'all' } as const;

const ways = (['index', 'all'] as const).flatMap((ties) =>
  (['layer', 'channel'] as const).flatMap((over) =>
    (['floor', 'ceiling'] as const).map((rounding) => ({ ties, over, rounding })),
  ),
);

function check(x: Float32Array, shape: readonly number[], ratio: number): void {
  const nSamples = shape[0]!;
  const dy = scatter(x.length, 1, 2);
  for (const way of ways) {
    const { y, gradients } = evaluateGradients(
      (xs: tf.Tensor) => kWinners(xs, { ratio, ...way }),
      [input(x, shape)],
      dy,
    );
    const nLanes = way.over === 'channel' && shape.length > 2 ? shape.at(-1)! : 1;
    const size = nSamples === 0 ? 0 : x.length / nSamples / nLanes;
    const options = { nSamples, nLanes, count: winnerCount(size, ratio, way.rounding), ties: way.ties };
    const kept = (values: Float32Array) => rounded(reference.keepWinners(float64(values), float64(x), options));
    // Nothing is computed, only chosen.
    expectClose(y, kept(x), exactly, `y, ${Object.values(way).join()}`);
    expectClose(gradients[0]!, kept(dy), exactly, `dx, ${Object.values(way).join()}`);
  }
}

describe('the number of winners', () => {
  it('is the ratio of the size, rounded as asked, whatever rounding the product suffers', () => {
    // 0.07 · 100 is 7.000000000000001 in float64, and 0.29 · 100 is 28.999999999999996.
    const up = (size: number, ratio: number) => winnerCount(size, ratio, 'ceiling');
    expect([up(100, 0.07), up(10, 0.15), up(32_768, 0.3)]).toEqual([7, 2, 9831]);
    expect([up(3, 1e-9), up(5, 1)]).toEqual([1, 5]);
    const down = (size: number, ratio: number) => winnerCount(size, ratio, 'floor');
    expect([down(100, 0.29), down(10, 0.15), down(32_768, 0.3)]).toEqual([29, 1, 9830]);
    expect([down(3, 1e-9), down(5, 1), down(5, 0.1)]).toEqual([1, 5, 1]);
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
      [2, 6, 9],
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
      { numRuns: 60 },
    );
  });

  it('keeps of ties with the k-th largest the first ones or all', () => {
    const winners = (ties: 'index' | 'all', ratio: number) => {
      const op = (xs: tf.Tensor) => kWinners(xs, { ...asInCode, ties, ratio });
      return [...evaluate(op, [input([2, 1, 2, -3, 2, -0, 0], [1, 7])]).y];
    };
    expect(winners('all', 2 / 7)).toEqual([2, 0, 2, 0, 2, 0, 0]);
    expect(winners('index', 2 / 7)).toEqual([2, 0, 2, 0, 0, 0, 0]);
    // −0 and 0 are equal: the first stays, with its sign.
    expect(winners('index', 5 / 7)).toEqual([2, 1, 2, 0, 2, -0, 0]);
  });

  it('chooses among each channel’s own values', () => {
    const op = (xs: tf.Tensor) => kWinners(xs, { ratio: 1 / 3, rounding: 'floor', over: 'channel', ties: 'index' });
    const { y } = evaluate(op, [input([1, -5, 3, -4, 2, -4], [1, 3, 2])]);
    expect([...y]).toEqual([0, 0, 3, -4, 0, 0]);
  });

  it('agrees where most values are ties, by sample and by channel', () => {
    for (const shape of [
      [3, 40],
      [2, 3, 4, 5],
      [4, 9, 6],
    ]) {
      const x = scatter(
        shape.reduce((a, b) => a * b, 1),
        2,
      ).map(Math.round);
      for (const ratio of [0.1, 0.3, 0.7]) check(x, shape, ratio);
    }
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
      expect(() => kWinners(tf.zeros([4]), { ...asInCode, ratio: 0.5 })).toThrow(
        new RangeError('kWinners: expected x of rank 2 or more, got shape [4]'),
      );
      expect(() => kWinners(tf.zeros([2, 2]), { ...asInCode, ratio: 0 })).toThrow(
        new RangeError('kWinners: expected a ratio in (0, 1], got 0'),
      );
      expect(() => kWinners(tf.zeros([2, 2], 'int32'), { ...asInCode, ratio: 0.5 })).toThrow(
        new TypeError('kWinners: expected x of dtype float32, got int32'),
      );
    });
  });
});
