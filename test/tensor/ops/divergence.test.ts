import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

import { divergence, weightedSum } from '../../../server/tensor/ops/divergence.ts';
import { expectClose } from '../expectClose.ts';
import { describeOnEveryRuntime, evaluateGradients, input, scatter } from './contract.ts';

/** Σₖ pₖ·log(pₖ/qₖ) of softmaxes, in float64. */
function reference(z: Float64Array, zPrime: Float64Array, nClasses: number): Float64Array {
  const softmax = (logits: Float64Array) => {
    const largest = Math.max(...logits);
    const raised = logits.map((value) => Math.exp(value - largest));
    const sum = raised.reduce((total, value) => total + value, 0);
    return raised.map((value) => value / sum);
  };
  return Float64Array.from({ length: z.length / nClasses }, (_, row) => {
    const [p, q] = [z, zPrime].map((all) => softmax(all.subarray(row * nClasses, (row + 1) * nClasses)));
    return p!.reduce((sum, value, k) => sum + value * Math.log(value / q![k]!), 0);
  });
}

describeOnEveryRuntime('divergence', () => {
  it.each([
    [0, 3],
    [1, 1],
    [5, 4],
    [37, 10],
  ])('is KL of the softmaxes, with a gradient for each: %i samples, %i classes', (nSamples, nClasses) => {
    const [z, zPrime] = [scatter(nSamples * nClasses, 3, 1), scatter(nSamples * nClasses, 3, 2)];
    const dy = scatter(nSamples, 1, 3);
    const shape = [nSamples, nClasses];
    const { y, gradients } = evaluateGradients(
      (a: tf.Tensor2D, b: tf.Tensor2D) => divergence(a, b),
      [input(z, shape), input(zPrime, shape)],
      dy,
    );
    const [exact, exactPrime, weights] = [z, zPrime, dy].map((values) => Float64Array.from(values));
    const wanted = Float32Array.from(reference(exact!, exactPrime!, nClasses));
    expectClose(y, wanted, { absolute: 2e-6, relative: 2e-6 }, 'divergence');
    const [ofFirst, ofSecond] = gradients.map((gradient) => Float64Array.from(gradient));
    const tolerant = (found: Float64Array, f: (x: Float64Array) => Float64Array, x: Float64Array, name: string) => {
      const numeric = x.map((value, i) => {
        const at = (offset: number) => {
          const moved = Float64Array.from(x);
          moved[i] = value + offset;
          return f(moved).reduce((sum, one, row) => sum + weights![row]! * one, 0);
        };
        return (at(1e-5) - at(-1e-5)) / 2e-5;
      });
      expectClose(Float32Array.from(found), Float32Array.from(numeric), { absolute: 3e-6, relative: 3e-6 }, name);
    };
    tolerant(ofFirst!, (x) => reference(x, exactPrime!, nClasses), exact!, 'dz');
    tolerant(ofSecond!, (x) => reference(exact!, x, nClasses), exactPrime!, 'dz′');
  });

  it('is 0 of equal answers, however large, and names a wrong shape', () => {
    tf.tidy(() => {
      const z = tf.tensor2d([1e4, -1e4, 0, 3, 2, 1], [2, 3]);
      expect([...divergence(z, z).dataSync()]).toEqual([0, 0]);
      expect(() => divergence(z, tf.zeros<tf.Rank.R2>([2, 4]))).toThrow(
        new RangeError('divergence: expected zPrime of shape [2, 3], got [2, 4]'),
      );
    });
  });
});

describeOnEveryRuntime('weightedSum', () => {
  it('is a + factor·b, with its gradient', () => {
    const [a, b, dy] = [scatter(7, 1, 1), scatter(7, 1, 2), scatter(7, 1, 3)];
    const { y, gradients } = evaluateGradients(
      (left: tf.Tensor1D, right: tf.Tensor1D) => weightedSum(left, right, 6),
      [input(a, [7]), input(b, [7])],
      dy,
    );
    expectClose(
      y,
      a.map((value, i) => value + 6 * b[i]!),
      { absolute: 1e-6, relative: 1e-6 },
      'sum',
    );
    expectClose(gradients[0]!, dy, { absolute: 0, relative: 0 }, 'da');
    expectClose(
      gradients[1]!,
      dy.map((value) => 6 * value),
      { absolute: 1e-6, relative: 1e-6 },
      'db',
    );
  });
});
