import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import { cropAndFlip } from '../../../server/tensor/ops/augment.ts';
import { dropout } from '../../../server/tensor/ops/dropout.ts';
import { normal, permutation, philox, uniform, type RandomKey } from '../../../server/tensor/ops/random.ts';
import * as reference from '../../../server/tensor/reference/philox.ts';
import { describeOnEveryRuntime, scatter, withoutTrace } from './contract.ts';

const key = { seed: 0xdeadbeef, stream: 7, counter: 0xfffffffe } as const satisfies RandomKey;

describeOnEveryRuntime('random', () => {
  it('gives Philox’s words, as the big-integer reference has them', () => {
    const words = new Uint32Array(4);
    for (let trial = 0; trial < 50; trial++) {
      const given = reference.philox([trial, 1, 2, 3], [4, 5]);
      const [a, b, c, d] = given as [number, number, number, number];
      philox(words, a, b, c, d, d ^ 0x5555, a >>> 3);
      expect([...words]).toEqual(reference.philox([a, b, c, d], [(d ^ 0x5555) >>> 0, a >>> 3]));
    }
  });

  it.each([0, 1, 3, 4, 5, 8, 4099])('draws %i uniform numbers that are the words’ upper 24 bits, bit for bit', (n) => {
    const values = withoutTrace([], () => uniform([n], -0.25, 0.5, key).dataSync<'float32'>().slice());
    const expected = reference
      .randomWords(n, key)
      .map((word) => Math.fround(-0.25) + Math.fround(Math.fround(0.75) * ((word >>> 8) / 2 ** 24)));
    expect(values).toEqual(Float32Array.from(expected));
  });

  it('rounds to the same bits where low and high are no binary fractions', () => {
    const values = withoutTrace([], () =>
      uniform([1003], -8 / 255, 8 / 255, key)
        .dataSync<'float32'>()
        .slice(),
    );
    const [low, width] = [Math.fround(-8 / 255), Math.fround(16 / 255)];
    const expected = reference
      .randomWords(1003, key)
      .map((word) => low + Math.fround(width * ((word >>> 8) / 2 ** 24)));
    expect(values).toEqual(Float32Array.from(expected));
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(Math.fround(8 / 255));
  });

  it('draws other numbers for another seed, stream or counter', () => {
    const draw = (other: RandomKey) => withoutTrace([], () => [...uniform([8], 0, 1, other).dataSync()]);
    const draws = [key, { ...key, seed: 1 }, { ...key, stream: 1 }, { ...key, counter: 1 }].map(draw);
    expect(new Set(draws.flat()).size).toBe(32);
  });

  it('draws, crops and drops by a counter that goes with the step', () => {
    const at = { step: 0 };
    const draws: Readonly<Record<string, (of: RandomKey) => tf.Tensor>> = {
      uniform: (of) => uniform([9], 0, 1, of),
      normal: (of) => normal([9], 0, 1, of),
      dropout: (of) => dropout(tf.ones([40]), 0.5, of),
      crops: (of) => cropAndFlip(tf.tensor4d(scatter(8 * 25, 1), [8, 5, 5, 1]), { pad: 2, flip: true }, of),
    };
    for (const [name, draw] of Object.entries(draws)) {
      const drawn = (counter: RandomKey['counter']) =>
        withoutTrace([], () => [...tf.tidy(() => draw({ ...key, counter })).dataSync()]);
      for (const [step, every, counter] of [
        [1, 1, 0],
        [8, 1, 7],
        [8, 3, 2],
        [10, 3, 3],
      ] as const) {
        at.step = step;
        expect(drawn({ at, every }), `${name} of step ${step}`).toEqual(drawn(counter));
      }
    }
  });

  it('draws normal numbers by Box and Muller', () => {
    const values = withoutTrace([], () => normal([7], 10, 2, key).dataSync<'float32'>().slice());
    const words = reference.randomWords(8, key);
    const expected = Array.from({ length: 7 }, (_, i) => {
      const radius = Math.sqrt(-2 * Math.log((words[i - (i % 2)]! + 1) / 2 ** 32));
      const angle = (2 * Math.PI * words[i - (i % 2) + 1]!) / 2 ** 32;
      return 10 + 2 * radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
    });
    expect(values).toEqual(Float32Array.from(expected));
  });

  it('draws normal numbers with the moments asked for', () => {
    const n = 20_000;
    const values = withoutTrace([], () => [...normal([n], 0, 1, key).dataSync()]);
    const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / n;
    // Five standard errors: 1/√n, √(2/n), √(15/n), √(96/n).
    expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
  });

  it.each([0, 1, 2, 5, 1000])('orders 0 … %i − 1, each once, by the words', (n) => {
    const order = permutation(n, key);
    expect([...order].sort((a, b) => a - b)).toEqual([...Array(n).keys()]);
    const expected = [...Array(n).keys()];
    const words = reference.randomWords(Math.max(n - 1, 0), key);
    words.forEach((word, i) => {
      const last = n - 1 - i;
      const chosen = Number((BigInt(word) * BigInt(last + 1)) >> 32n);
      [expected[last], expected[chosen]] = [expected[chosen]!, expected[last]!];
    });
    expect([...order]).toEqual(expected);
  });
});
