// Ops on every runtime, and the float64 references, against PyTorch.
import * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';

import { batchNormTraining } from '../../server/tensor/ops/batchNorm.ts';
import { softmaxCrossEntropy } from '../../server/tensor/ops/crossEntropy.ts';
import { kaf } from '../../server/tensor/ops/kaf.ts';
import * as batchNormReference from '../../server/tensor/reference/batchNorm.ts';
import * as convolutionReference from '../../server/tensor/reference/convolution.ts';
import * as crossEntropyReference from '../../server/tensor/reference/crossEntropy.ts';
import * as kafReference from '../../server/tensor/reference/kaf.ts';
import { expectClose } from '../tensor/expectClose.ts';
import { describeOnEveryRuntime, evaluateGradients, integers } from '../tensor/ops/contract.ts';
import { exactInput, floatInput, readGolden, toFloat32, toFloat64, type GoldenTensor } from './readGolden.ts';

type Tensors<Names extends string> = Readonly<Record<Names, GoldenTensor>>;

const kafCases = readGolden<{
  cases: readonly (Tensors<'x' | 'alpha' | 'dy' | 'y' | 'dx' | 'dalpha' | 'ddictionary' | 'dgamma'> & {
    dictionary: number;
    boundary: number;
    gamma: number;
    base: 'none' | 'swish';
  })[];
}>('kaf').cases;
const convolutionCases = readGolden<{
  cases: readonly (Tensors<'x' | 'kernel' | 'bias' | 'dy' | 'y' | 'dx' | 'dkernel' | 'dbias'> & {
    stride: number;
    padding: 'same' | 'valid';
  })[];
}>('convolution').cases;
const batchNormCases = readGolden<{
  cases: readonly (Tensors<'x' | 'gamma' | 'beta' | 'dy' | 'y' | 'mean' | 'variance' | 'dx' | 'dgamma' | 'dbeta'> & {
    epsilon: number;
  })[];
}>('batchNorm').cases;
const crossEntropyCases = readGolden<{
  cases: readonly Tensors<'logits' | 'labels' | 'dy' | 'losses' | 'dlogits'>[];
}>('crossEntropy').cases;

describe('the float64 references agree with PyTorch', () => {
  // What nine digits leave open.
  const nineDigits = { absolute: 1e-12, relative: 5e-9 };

  it.each(kafCases)('KAF, base $base, D $dictionary, with all four gradients', (one) => {
    const options = {
      channels: 3,
      dictionary: kafReference.uniformDictionary(one.dictionary, one.boundary),
      // Not the file's, of which nine digits are too few.
      gamma: 1 / (6 * ((2 * one.boundary) / (one.dictionary - 1)) ** 2),
      base: one.base,
    };
    const [x, alpha, dy] = [exactInput(one.x), exactInput(one.alpha), exactInput(one.dy)];
    const { dx, dalpha, ddictionary, dgamma } = kafReference.kafGradients(dy, x, alpha, options);
    expectClose(kafReference.kaf(x, alpha, options), toFloat64(one.y), nineDigits, 'y');
    expectClose(dx, toFloat64(one.dx), nineDigits, 'dx');
    expectClose(dalpha, toFloat64(one.dalpha), nineDigits, 'dalpha');
    expectClose(ddictionary, toFloat64(one.ddictionary), nineDigits, 'ddictionary');
    expectClose(dgamma, toFloat64(one.dgamma), nineDigits, 'dgamma');
  });

  it.each(convolutionCases)('convolution $x.shape, $kernel.shape, stride $stride, $padding', (one) => {
    const shape = shapeOf(one);
    const [x, kernel, dy] = [exactInput(one.x), exactInput(one.kernel), exactInput(one.dy)];
    const exact = convolutionReference.convolutionGradients(dy, x, kernel, shape);
    const y = convolutionReference.convolution(x, kernel, exactInput(one.bias), shape);
    expectClose(y, toFloat64(one.y), nineDigits, 'y');
    expectClose(exact.dx, toFloat64(one.dx), nineDigits, 'dx');
    expectClose(exact.dkernel, toFloat64(one.dkernel), nineDigits, 'dkernel');
    expectClose(exact.dbias, toFloat64(one.dbias), nineDigits, 'dbias');
  });

  it.each(batchNormCases)('batch normalisation $x.shape', (one) => {
    const [x, gamma, dy] = [exactInput(one.x), exactInput(one.gamma), exactInput(one.dy)];
    const { y, mean, variance } = batchNormReference.batchNorm(x, gamma, exactInput(one.beta), one.epsilon);
    const { dx, dgamma, dbeta } = batchNormReference.batchNormGradients(dy, x, gamma, one.epsilon);
    expectClose(y, toFloat64(one.y), nineDigits, 'y');
    expectClose(mean, toFloat64(one.mean), nineDigits, 'mean');
    expectClose(variance, toFloat64(one.variance), nineDigits, 'variance');
    expectClose(dx, toFloat64(one.dx), nineDigits, 'dx');
    expectClose(dgamma, toFloat64(one.dgamma), nineDigits, 'dgamma');
    expectClose(dbeta, toFloat64(one.dbeta), nineDigits, 'dbeta');
  });

  it.each(crossEntropyCases)('cross-entropy $logits.shape', (one) => {
    const nClasses = one.logits.shape[1]!;
    const labels = Int32Array.from(one.labels.values);
    const [logits, dy] = [exactInput(one.logits), exactInput(one.dy)];
    expectClose(crossEntropyReference.crossEntropy(logits, labels, nClasses), toFloat64(one.losses), nineDigits);
    const dlogits = crossEntropyReference.crossEntropyGradient(dy, logits, labels, nClasses);
    expectClose(dlogits, toFloat64(one.dlogits), nineDigits);
  });
});

describeOnEveryRuntime('the ops agree with PyTorch', () => {
  it.each(kafCases)('kaf, base $base, D $dictionary', (one) => {
    const { boundary, gamma, base } = one;
    const { y, gradients } = evaluateGradients(
      (x: tf.Tensor, alpha: tf.Tensor2D) => kaf(x, alpha, { boundary, gamma, base, gradients: 'all' }),
      [floatInput(one.x), floatInput(one.alpha)],
      toFloat32(one.dy),
    );
    // float32 with kernels by a recurrence; slopes are steeper by √(2γ).
    const steepness = Math.sqrt(2 * gamma);
    expectClose(y, toFloat32(one.y), { absolute: 5e-6, relative: 5e-6 }, 'y');
    expectClose(gradients[0]!, toFloat32(one.dx), { absolute: 1e-5 * steepness, relative: 5e-6 }, 'dx');
    expectClose(gradients[1]!, toFloat32(one.dalpha), { absolute: 1e-5, relative: 5e-6 }, 'dalpha');
  });

  it.each(convolutionCases)('conv2d $x.shape, $kernel.shape, stride $stride, $padding', (one) => {
    const { y, gradients } = evaluateGradients(
      (x: tf.Tensor4D, filter: tf.Tensor4D, bias: tf.Tensor1D) =>
        tf.fused.conv2d({ x, filter, bias, strides: one.stride, pad: one.padding }),
      [floatInput(one.x), floatInput(one.kernel), floatInput(one.bias)],
      toFloat32(one.dy),
    );
    // float32 sums of at most 75 products.
    const tolerance = { absolute: 1e-5, relative: 2e-6 };
    expectClose(y, toFloat32(one.y), tolerance, 'y');
    expectClose(gradients[0]!, toFloat32(one.dx), tolerance, 'dx');
    expectClose(gradients[1]!, toFloat32(one.dkernel), tolerance, 'dkernel');
    expectClose(gradients[2]!, toFloat32(one.dbias), tolerance, 'dbias');
  });

  it.each(batchNormCases)('batchNormTraining $x.shape', (one) => {
    const { y, gradients } = evaluateGradients(
      (x: tf.Tensor, gamma: tf.Tensor1D, beta: tf.Tensor1D) => batchNormTraining(x, gamma, beta, one.epsilon).y,
      [floatInput(one.x), floatInput(one.gamma), floatInput(one.beta)],
      toFloat32(one.dy),
    );
    // A mean of up to 20 against a deviation of 1.5 costs a digit.
    const tolerance = { absolute: 2e-5, relative: 2e-6 };
    expectClose(y, toFloat32(one.y), tolerance, 'y');
    expectClose(gradients[0]!, toFloat32(one.dx), tolerance, 'dx');
    expectClose(gradients[1]!, toFloat32(one.dgamma), tolerance, 'dgamma');
    expectClose(gradients[2]!, toFloat32(one.dbeta), tolerance, 'dbeta');
  });

  it.each(crossEntropyCases)('softmaxCrossEntropy $logits.shape', (one) => {
    const { y, gradients } = evaluateGradients(
      (logits: tf.Tensor2D, labels: tf.Tensor1D) => softmaxCrossEntropy(logits, labels),
      [floatInput(one.logits), integers(one.labels.values)],
      toFloat32(one.dy),
    );
    expectClose(y, toFloat32(one.losses), { absolute: 1e-6, relative: 2e-6 }, 'losses');
    expectClose(gradients[0]!, toFloat32(one.dlogits), { absolute: 1e-6, relative: 4e-6 }, 'dlogits');
  });
});

function shapeOf(one: (typeof convolutionCases)[number]): convolutionReference.ConvolutionShape {
  return {
    x: one.x.shape as unknown as readonly [number, number, number, number],
    kernel: one.kernel.shape as unknown as readonly [number, number, number, number],
    stride: one.stride,
    padding: one.padding,
  };
}
