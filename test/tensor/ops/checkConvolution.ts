// A convolution with its gradients, on the runtime that is open, against the float64 reference.
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

import * as convolution from '../../../server/tensor/reference/convolution.ts';
import { expectClose } from '../expectClose.ts';
import { evaluateGradients, float64, input, rounded, scatter } from './contract.ts';

export const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** float32 sums of n products of magnitude 1: their rounding errors add up like a walk, and at worst like n. */
export const tolerance = (n: number) => ({ absolute: 4e-7 * (4 + 2 * Math.sqrt(n)), relative: 1e-5 });

/**
 * A runtime may compute 3×3 and 5×5 convolutions at stride 1 by Winograd's F(4×4), whose largest errors are 3e-5 and 1e-4 of the
 * root mean square of n products of numbers of magnitude 1, √n / 3.
 */
function convolutionTolerance({ kernel, stride }: convolution.ConvolutionShape, n: number) {
  if (kernel[0] !== kernel[1] || (kernel[0] !== 3 && kernel[0] !== 5) || stride !== 1) return tolerance(n);
  return { absolute: (kernel[0] === 3 ? 1e-5 : 3.5e-5) * Math.sqrt(n), relative: 1e-5 };
}

export function checkConvolution(shape: convolution.ConvolutionShape): void {
  const yShape = convolution.outputShape(shape);
  const x = scatter(sizeOf(shape.x), 1);
  const kernel = scatter(sizeOf(shape.kernel), 1, 1);
  const bias = scatter(shape.kernel[3], 1, 2);
  const dy = scatter(sizeOf(yShape), 1, 3);
  const { stride, padding } = shape;
  const evaluation = evaluateGradients(
    (xs: tf.Tensor4D, kernels: tf.Tensor4D, biases: tf.Tensor1D) =>
      tf.fused.conv2d({ x: xs, filter: kernels, bias: biases, strides: stride, pad: padding }),
    [input(x, shape.x), input(kernel, shape.kernel), input(bias)],
    dy,
  );
  const exact = convolution.convolutionGradients(float64(dy), float64(x), float64(kernel), shape);
  const [height, width, nInputs, nOutputs] = shape.kernel;
  const y = convolution.convolution(float64(x), float64(kernel), float64(bias), shape);
  expect(evaluation.shape).toEqual(yShape);
  expectClose(evaluation.y, rounded(y), convolutionTolerance(shape, height * width * nInputs), 'y');
  expectClose(
    evaluation.gradients[0]!,
    rounded(exact.dx),
    convolutionTolerance(shape, height * width * nOutputs),
    'dx',
  );
  const nPixels = sizeOf(yShape.slice(0, 3));
  expectClose(evaluation.gradients[1]!, rounded(exact.dkernel), convolutionTolerance(shape, nPixels), 'dkernel');
  expectClose(evaluation.gradients[2]!, rounded(exact.dbias), tolerance(nPixels), 'dbias');
}
