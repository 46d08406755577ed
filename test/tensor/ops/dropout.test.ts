import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import { dropout } from '../../../server/tensor/ops/dropout.ts';
import { randomWords } from '../../../server/tensor/reference/philox.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, evaluate, evaluateGradients, input, scatter } from './contract.ts';

const key = { seed: 3, stream: 0x80000001, counter: 12 };
const op = (rate: number) => (x: tf.Tensor) => dropout(x, rate, key);

function masked(x: Float32Array, rate: number): Float32Array {
  const words = randomWords(x.length, key);
  return x.map((value, i) => (words[i]! >>> 8 >= Math.round(rate * 2 ** 24) ? value / (1 - rate) : 0));
}

describeOnEveryRuntime('dropout', () => {
  it.each([0, 1, 3, 4, 5, 8, 4099])('masks %i elements by the key’s words, forwards and backwards', (n) => {
    for (const rate of [0, 0.2, 0.25, 0.4, 0.9]) {
      const x = scatter(n, 3);
      const dy = scatter(n, 1, 2);
      const { y, gradients } = evaluateGradients(op(rate), [input(x)], dy);
      // The scale 1/(1 − rate) is rounded to float32 once.
      expectClose(y, masked(x, rate), { absolute: 0, relative: 2e-7 }, 'y');
      expectClose(gradients[0]!, masked(dy, rate), { absolute: 0, relative: 2e-7 }, 'dx');
    }
  });

  it('keeps NaN and infinities where it keeps, and drops them where it drops', () => {
    const x = Float32Array.from({ length: 64 }, (_, i) => [NaN, Infinity, -Infinity, 1][i % 4]!);
    const { y } = evaluate(op(0.5), [input(x)]);
    expectClose(y, masked(x, 0.5), { absolute: 0, relative: 0 });
    expect(y.filter((value) => value === 0).length).toBeGreaterThan(16);
  });

  it('drops about the share asked for', () => {
    const n = 40_000;
    const { y } = evaluate(op(0.3), [input(new Float32Array(n).fill(1))]);
    const share = y.filter((value) => value === 0).length / n;
    // Five standard errors of a binomial share.
    expect(Math.abs(share - 0.3)).toBeLessThan(5 * Math.sqrt((0.3 * 0.7) / n));
  });

  it('names a wrong rate or dtype', () => {
    tf.tidy(() => {
      for (const rate of [-0.1, 1, NaN]) {
        expect(() => dropout(tf.zeros([2]), rate, key)).toThrow(
          new RangeError(`dropout: expected a rate in [0, 1), got ${String(rate)}`),
        );
      }
      expect(() => dropout(tf.zeros([2], 'int32'), 0.5, key)).toThrow(
        new TypeError('dropout: expected x of dtype float32, got int32'),
      );
    });
  });
});
