import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import * as reference from '../../../server/tensor/reference/kaf.ts';
import { describeOnEveryBuild, noise, runKernel } from './builds.ts';

interface Case {
  readonly rows: number;
  readonly channels: number;
  readonly dictionary: number;
  readonly boundary: number;
  /** γΔ²: 1/6 is the thesis's. */
  readonly q: number;
  readonly base: 'none' | 'swish';
  /** x is spread over ±reach. */
  readonly reach: number;
}

/**
 * Largest errors against float64: of f relative to Σ|α| (plus |base|), of f′ relative to Σ|α|·sup|κ′|, of dalpha relative to
 * Σ|dy|·κ's bound 1.
 */
function errors(given: Case, extra: readonly number[] = []): { y: number; dx: number; dalpha: number } {
  const { rows, channels, dictionary, boundary, q, base, reach } = given;
  const step = (2 * boundary) / (dictionary - 1);
  const gamma = q / (step * step);
  return tf.tidy(() => {
    const values = noise([rows, channels], { scale: reach }).dataSync<'float32'>().slice();
    extra.forEach((value, index) => {
      values[index] = value;
    });
    const x = tf.tensor2d(values, [rows, channels]);
    const alpha = noise([channels, dictionary], { seed: 2 });
    const dy = noise([rows, channels], { seed: 3 });
    const attributes = { boundary, gamma, base };
    const [y] = runKernel('KafscopeKaf', { x, alpha }, { ...attributes, gradients: 'all' });
    const [dx, dalpha] = runKernel('KafscopeKafGrad', { dy, x, alpha }, { ...attributes, gradients: 'all' });
    const [dxAlone, nothing] = runKernel('KafscopeKafGrad', { dy, x, alpha }, { ...attributes, gradients: 'input' });
    expect(dxAlone!.dataSync()).toEqual(dx!.dataSync());
    expect(nothing!.shape).toEqual([0]);

    const float64 = (tensor: tf.Tensor) => Float64Array.from(tensor.dataSync());
    const options = { channels, dictionary: reference.uniformDictionary(dictionary, boundary), gamma, base };
    const exactY = reference.kaf(float64(x), float64(alpha), options);
    const exact = reference.kafGradients(float64(dy), float64(x), float64(alpha), options);
    const sums = Array.from({ length: channels }, (_, channel) =>
      Array.from({ length: dictionary }, (__, i) => Math.abs(alpha.dataSync()[channel * dictionary + i]!)).reduce(
        (a, b) => a + b,
      ),
    );
    const steepest = Math.sqrt((2 * gamma) / Math.E);
    const slopes = float64(dy);
    const totals = sums.map((_, channel) =>
      slopes.reduce((sum, slope, n) => sum + (n % channels === channel ? Math.abs(slope) : 0), 0),
    );
    return {
      y: largest(y!, exactY, (n) => sums[n % channels]! + (base === 'swish' ? Math.abs(values[n]!) : 0)),
      dx: largest(dx!, exact.dx, (n) => Math.abs(slopes[n]!) * (sums[n % channels]! * steepest + 1)),
      dalpha: largest(dalpha!, exact.dalpha, (n) => totals[Math.floor(n / dictionary)]!),
    };
  });
}

function largest(actual: tf.Tensor, expected: Float64Array, scaleOf: (index: number) => number): number {
  const values = actual.dataSync();
  expect(values.length).toBe(expected.length);
  return expected.reduce((worst, wanted, index) => {
    const error = Math.abs(values[index]! - wanted) / scaleOf(index);
    return error <= worst ? worst : error;
  }, 0);
}

const thesis = { rows: 500, channels: 7, dictionary: 20, boundary: 3, q: 1 / 6, base: 'none', reach: 12 } as const;

describeOnEveryBuild('KAF', () => {
  it.each([5, 20, 24, 64, 201])('stays within 1e-6 of float64 for D = %d and |x| up to 12', (dictionary) => {
    for (const reach of [1, 4, 12]) {
      for (const base of ['none', 'swish'] as const) {
        const { y, dx, dalpha } = errors({ ...thesis, dictionary, reach, base });
        expect(y).toBeLessThan(1e-6);
        expect(dx).toBeLessThan(1e-6);
        expect(dalpha).toBeLessThan(1e-6);
      }
    }
  });

  it('stays within 1e-5 for any dictionary, bandwidth, size and reach', () => {
    fc.assert(
      fc.property(
        fc.record({
          rows: fc.integer({ min: 1, max: 40 }),
          channels: fc.integer({ min: 1, max: 9 }),
          dictionary: fc.integer({ min: 2, max: 80 }),
          boundary: fc.double({ min: 0.5, max: 8, noNaN: true }),
          q: fc.oneof(fc.double({ min: 0.01, max: 30, noNaN: true }), fc.double({ min: 15, max: 1000, noNaN: true })),
          base: fc.constantFrom('none' as const, 'swish' as const),
          reach: fc.double({ min: 0.1, max: 20, noNaN: true }),
        }),
        (given) => {
          const { y, dx, dalpha } = errors(given);
          expect(Math.max(y, dx, dalpha)).toBeLessThan(1e-5);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is its base and flat far outside of the dictionary', () => {
    const { y, dx, dalpha } = errors(thesis, [1e3, -1e3, 1e30, -1e30, 3.4e38, 40, -40]);
    expect(Math.max(y, dx, dalpha)).toBeLessThan(1e-5);
  });

  it('gives 0 for an infinity, and NaN only in the element and the channel of a NaN', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([Infinity, 1, -Infinity, 1, 1, NaN], [2, 3]);
      const alpha = tf.ones([3, 20]);
      const dy = tf.ones([2, 3]);
      const attributes = { boundary: 3, gamma: 1.6, base: 'none', gradients: 'all' };
      const y = [...runKernel('KafscopeKaf', { x, alpha }, attributes)[0]!.dataSync()];
      const [dx, dalpha] = runKernel('KafscopeKafGrad', { dy, x, alpha }, attributes).map((tensor) => [
        ...tensor.dataSync(),
      ]);
      expect([y[0], y[2], y[5]]).toEqual([0, 0, NaN]);
      expect([Math.abs(dx![0]!), Math.abs(dx![2]!), dx![5]]).toEqual([0, 0, NaN]);
      for (const values of [y, dx!]) expect([values[1], values[3], values[4]].every(Number.isFinite)).toBe(true);
      expect(dalpha!.slice(0, 40).every(Number.isFinite)).toBe(true);
      expect(dalpha!.slice(40).every(Number.isNaN)).toBe(true);
    });
  });

  it('gives the same bits every time, and whatever rows follow', () => {
    tf.tidy(() => {
      const x = noise([301, 6], { scale: 4 });
      const alpha = noise([6, 20], { seed: 2 });
      const attributes = { boundary: 3, gamma: 1.6, base: 'swish', gradients: 'all' };
      const run = (rows: number) =>
        runKernel('KafscopeKaf', { x: tf.slice(x, [0, 0], [rows, 6]), alpha }, attributes)[0]!.dataSync();
      expect(run(301)).toEqual(run(301));
      expect(run(7)).toEqual(run(301).slice(0, 42));
    });
  });
});
