import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import { clipFactors, tensorNorms } from '../../../server/tensor/ops/norms.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, input, scatter, withoutTrace } from './contract.ts';

function readNorms(tensors: readonly tf.Tensor[]): { norms: Float32Array; nonFinite: Int32Array } {
  const { norms, nonFinite } = tensorNorms(tensors);
  return { norms: norms.dataSync<'float32'>().slice(), nonFinite: nonFinite.dataSync<'int32'>().slice() };
}

describeOnEveryRuntime('clipFactors', () => {
  const factorsOf = (norms: readonly number[], type: 'global' | 'layer', limit: number) =>
    withoutTrace([input(norms)], ([given]) =>
      clipFactors(given as tf.Tensor1D, type, limit)
        .dataSync<'float32'>()
        .slice(),
    );
  const nearly = { absolute: 0, relative: 1e-6 };

  it('holds each norm, or that of all, to the limit, and leaves shorter ones as they are', () => {
    expectClose(factorsOf([3, 4, 0.1], 'layer', 2), Float32Array.of(2 / 3, 0.5, 1), nearly);
    expectClose(factorsOf([3, 4], 'global', 2), Float32Array.of(0.4, 0.4), nearly);
    expect([...factorsOf([3, 4], 'global', 5)]).toEqual([1, 1]);
    expect([...factorsOf([], 'global', 5)]).toEqual([]);
  });

  it('of infinity is 0, of NaN 1', () => {
    expect([...factorsOf([Infinity, NaN, 1], 'layer', 2)]).toEqual([0, 1, 1]);
    expect([...factorsOf([NaN, 4], 'global', 2)]).toEqual([1, 1]);
  });

  it('names a wrong shape', () => {
    tf.tidy(() => {
      expect(() => clipFactors(tf.zeros([1, 1]) as unknown as tf.Tensor1D, 'layer', 1)).toThrow(
        new RangeError('clipFactors: expected norms of rank 1, got shape [1, 1]'),
      );
    });
  });
});

describeOnEveryRuntime('tensorNorms', () => {
  it('gives the norm of each tensor, in order, of any size', () => {
    const tensors = [0, 1, 3, 4, 5, 8, 4099, 70_001].map((n) => scatter(n, n + 1));
    const { norms, nonFinite } = withoutTrace(
      tensors.map((values) => input(values)),
      readNorms,
    );
    const expected = tensors.map((values) => Math.hypot(...values));
    // Up to 70,001 squares, which a runtime may sum in float32 by blocks.
    expectClose(norms, Float32Array.from(expected), { absolute: 0, relative: 1e-5 });
    expect([...nonFinite]).toEqual(tensors.map(() => 0));
  });

  it('gives nothing for no tensors', () => {
    const { norms, nonFinite } = withoutTrace([], readNorms);
    expect([norms.length, nonFinite.length]).toEqual([0, 0]);
  });

  it('counts NaN and infinities, and lets them show in the norm', () => {
    const { norms, nonFinite } = withoutTrace(
      [input([NaN, 1, Infinity, -Infinity, 2]), input([1, -Infinity]), input([3, 4])],
      readNorms,
    );
    expect([...norms]).toEqual([NaN, Infinity, 5]);
    expect([...nonFinite]).toEqual([3, 1, 0]);
  });

  it('reads any shape', () => {
    const { norms } = withoutTrace([input([2], []), input([1, 1, 1, 1], [2, 1, 2])], readNorms);
    expect([...norms]).toEqual([2, 2]);
  });

  it('names a wrong dtype', () => {
    tf.tidy(() => {
      expect(() => tensorNorms([tf.zeros([1]), tf.zeros([1], 'int32')])).toThrow(
        new TypeError('tensorNorms: expected tensors[1] of dtype float32, got int32'),
      );
    });
  });
});
