import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import * as denseReference from '../../../server/tensor/reference/dense.ts';
import * as pooling from '../../../server/tensor/reference/maxPool.ts';
import { expectClose } from '../expectClose.ts';
import { checkConvolution, sizeOf, tolerance } from './checkConvolution.ts';
import { describeOnEveryRuntime, evaluate, float64, input, rounded, scatter } from './contract.ts';

/** y = x·kernel + bias, and the two products of its gradients, dy·kernelᵀ and xᵀ·dy. */
function checkDense(nSamples: number, nInputs: number, nOutputs: number): void {
  const x = scatter(nSamples * nInputs, 1);
  const kernel = scatter(nInputs * nOutputs, 1, 1);
  const bias = scatter(nOutputs, 1, 2);
  const dy = scatter(nSamples * nOutputs, 1, 3);
  const inputs = {
    x: input(x, [nSamples, nInputs]),
    kernel: input(kernel, [nInputs, nOutputs]),
    dy: input(dy, [nSamples, nOutputs]),
  };
  const y = evaluate(
    (a: tf.Tensor2D, b: tf.Tensor2D, c: tf.Tensor1D) => tf.fused.matMul({ a, b, bias: c }),
    [inputs.x, inputs.kernel, input(bias)],
  );
  const dx = evaluate((a: tf.Tensor, b: tf.Tensor) => tf.matMul(a, b, false, true), [inputs.dy, inputs.kernel]);
  const dkernel = evaluate((a: tf.Tensor, b: tf.Tensor) => tf.matMul(a, b, true, false), [inputs.x, inputs.dy]);
  const dbias = evaluate((a: tf.Tensor) => tf.sum(a, 0), [inputs.dy]);
  const exact = denseReference.denseGradients(float64(dy), float64(x), float64(kernel), nInputs);
  const exactY = denseReference.dense(float64(x), float64(kernel), float64(bias), nInputs);
  expectClose(y.y, rounded(exactY), tolerance(nInputs), 'y');
  expectClose(dx.y, rounded(exact.dx), tolerance(nOutputs), 'dx');
  expectClose(dkernel.y, rounded(exact.dkernel), tolerance(nSamples), 'dkernel');
  expectClose(dbias.y, rounded(exact.dbias), tolerance(nSamples), 'dbias');
}

describeOnEveryRuntime('tfjs’s own kernels, which a runtime may replace:', () => {
  describe('conv2d', () => {
    it.each([
      // The networks' own shapes, smaller batches.
      { x: [1, 32, 32, 3], kernel: [3, 3, 3, 32], stride: 1, padding: 'same' },
      { x: [1, 8, 16, 32], kernel: [3, 3, 32, 64], stride: 1, padding: 'same' },
      { x: [2, 4, 4, 64], kernel: [3, 3, 64, 64], stride: 1, padding: 'same' },
      // Single elements, odd sizes, tiles with a tail.
      { x: [1, 1, 1, 1], kernel: [1, 1, 1, 1], stride: 1, padding: 'same' },
      { x: [1, 1, 1, 1], kernel: [3, 3, 1, 1], stride: 1, padding: 'same' },
      { x: [1, 5, 7, 3], kernel: [3, 3, 3, 5], stride: 1, padding: 'same' },
      { x: [2, 7, 5, 4], kernel: [5, 5, 4, 7], stride: 1, padding: 'same' },
      { x: [2, 9, 9, 5], kernel: [1, 1, 5, 17], stride: 1, padding: 'same' },
      { x: [2, 9, 8, 3], kernel: [3, 3, 3, 9], stride: 1, padding: 'valid' },
      { x: [2, 11, 13, 2], kernel: [5, 5, 2, 3], stride: 1, padding: 'valid' },
      { x: [1, 6, 6, 2], kernel: [2, 4, 2, 3], stride: 1, padding: 'same' },
      // Stride 2: where the padding is odd, its extra pixel comes last.
      { x: [2, 8, 8, 3], kernel: [3, 3, 3, 4], stride: 2, padding: 'same' },
      { x: [2, 7, 9, 3], kernel: [3, 3, 3, 4], stride: 2, padding: 'same' },
      { x: [2, 8, 7, 3], kernel: [5, 5, 3, 4], stride: 2, padding: 'same' },
      { x: [2, 8, 8, 4], kernel: [1, 1, 4, 6], stride: 2, padding: 'same' },
      { x: [2, 9, 10, 3], kernel: [3, 3, 3, 4], stride: 2, padding: 'valid' },
      { x: [1, 10, 10, 1], kernel: [3, 3, 1, 1], stride: 3, padding: 'same' },
    ] as const)('agrees with the reference in values and gradients: $x, $kernel, $stride, $padding', (shape) => {
      checkConvolution(shape);
    });

    it('agrees for any shape', () => {
      const length = fc.integer({ min: 1, max: 9 });
      const size = fc.integer({ min: 1, max: 5 });
      const padding = fc.constantFrom('same' as const, 'valid' as const);
      fc.assert(
        fc.property(length, length, length, size, size, length, fc.integer({ min: 1, max: 3 }), padding, (...one) => {
          const [height, width, nInputs, kernelHeight, kernelWidth, nOutputs, stride, pad] = one;
          fc.pre(pad === 'same' || (kernelHeight <= height && kernelWidth <= width));
          checkConvolution({
            x: [2, height, width, nInputs],
            kernel: [kernelHeight, kernelWidth, nInputs, nOutputs],
            stride,
            padding: pad,
          });
        }),
        { numRuns: 30 },
      );
    });

    it('spreads a NaN or an infinity to the outputs that see it, and no further', () => {
      for (const value of [NaN, Infinity]) {
        const x = new Float32Array(49).fill(1);
        x[24] = value;
        const { y } = evaluate(
          (xs: tf.Tensor4D) =>
            tf.fused.conv2d({ x: xs, filter: tf.ones([3, 3, 1, 1]), bias: tf.zeros([1]), strides: 1, pad: 'same' }),
          [input(x, [1, 7, 7, 1])],
        );
        const reached = [...y.keys()].filter((n) => !Number.isFinite(y[n]!));
        expect(reached).toEqual([16, 17, 18, 23, 24, 25, 30, 31, 32]);
        expect(Object.is(y[24], value)).toBe(true);
      }
    });
  });

  describe('dense', () => {
    it.each([
      [1, 1, 1],
      [3, 3, 3],
      [4, 4, 4],
      [5, 5, 5],
      [6, 17, 8],
      [13, 20, 17],
      [128, 64, 128],
      [25, 300, 10],
    ])('agrees with the reference in values and gradients: %i samples, %i inputs, %i outputs', (...shape) => {
      checkDense(...shape);
    });

    it('agrees for any shape', () => {
      const length = fc.integer({ min: 1, max: 40 });
      fc.assert(
        fc.property(length, length, length, (...shape) => {
          checkDense(...shape);
        }),
        { numRuns: 30 },
      );
    });

    it('spreads a NaN or an infinity along its row alone', () => {
      const x = Float32Array.of(1, 1, NaN, 1, 1, Infinity, 1, 1);
      const { y } = evaluate(
        (xs: tf.Tensor2D) => tf.fused.matMul({ a: xs, b: tf.ones([2, 3]), bias: tf.zeros([3]) }),
        [input(x, [4, 2])],
      );
      expect([...y]).toEqual([2, 2, 2, NaN, NaN, NaN, Infinity, Infinity, Infinity, 2, 2, 2]);
    });
  });

  describe('maxPool', () => {
    it.each([
      { x: [1, 2, 2, 1], size: 2, stride: 2 },
      { x: [2, 32, 32, 8], size: 2, stride: 2 },
      { x: [3, 6, 10, 5], size: 2, stride: 2 },
      { x: [2, 7, 5, 3], size: 2, stride: 2 },
      { x: [2, 9, 9, 4], size: 3, stride: 2 },
    ] as const)('agrees with the reference in values and gradient: $x, $size, $stride', (shape) => {
      const x = scatter(sizeOf(shape.x), 1);
      const exact = pooling.maxPool(float64(x), shape);
      const dy = scatter(exact.y.length, 1, 3);
      const pool = (xs: tf.Tensor4D) => tf.maxPool(xs, shape.size, shape.stride, 'valid');
      const { y, shape: yShape } = evaluate(pool, [input(x, shape.x)]);
      const gradient = evaluate(
        (xs: tf.Tensor4D, upstream: tf.Tensor4D) =>
          tf
            .engine()
            .runKernel<tf.Tensor>(
              'MaxPoolGrad',
              { dy: upstream, input: xs, output: pool(xs) },
              { filterSize: shape.size, strides: shape.stride, pad: 'valid' },
            ),
        [input(x, shape.x), input(dy, yShape)],
      );
      expectClose(y, rounded(exact.y), { absolute: 0, relative: 0 }, 'y');
      const dx = pooling.maxPoolGradient(float64(dy), float64(x), shape);
      // Overlapping windows add up to four gradients.
      expectClose(gradient.y, rounded(dx), { absolute: 3e-7, relative: 0 }, 'dx');
    });
  });
});
