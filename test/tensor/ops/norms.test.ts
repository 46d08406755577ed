import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import { tensorNorms } from '../../../server/tensor/ops/norms.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, input, scatter, withoutTrace } from './contract.ts';

describeOnEveryRuntime('tensorNorms', () => {
  it('gives the norm of each tensor, in order, of any size', () => {
    const tensors = [0, 1, 3, 4, 5, 8, 4099, 70_001].map((n) => scatter(n, n + 1));
    const { norms, nonFinite } = withoutTrace(
      tensors.map((values) => input(values)),
      tensorNorms,
    );
    const expected = tensors.map((values) => Math.hypot(...values));
    // Up to 70,001 squares, which a runtime may sum in float32 by blocks.
    expectClose(norms, Float32Array.from(expected), { absolute: 0, relative: 1e-5 });
    expect([...nonFinite]).toEqual(tensors.map(() => 0));
  });

  it('gives nothing for no tensors', () => {
    const { norms, nonFinite } = withoutTrace([], tensorNorms);
    expect([norms.length, nonFinite.length]).toEqual([0, 0]);
  });

  it('counts NaN and infinities, and lets them show in the norm', () => {
    const { norms, nonFinite } = withoutTrace(
      [input([NaN, 1, Infinity, -Infinity, 2]), input([1, -Infinity]), input([3, 4])],
      tensorNorms,
    );
    expect([...norms]).toEqual([NaN, Infinity, 5]);
    expect([...nonFinite]).toEqual([3, 1, 0]);
  });

  it('reads any shape', () => {
    const { norms } = withoutTrace([input([2], []), input([1, 1, 1, 1], [2, 1, 2])], tensorNorms);
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
