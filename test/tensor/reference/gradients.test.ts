// The references' analytic gradients against central differences; their values are checked in test/golden.
import { describe, expect, it } from 'vitest';

import { activationFunction, type FormulaActivation } from '../../../server/formula/activationFunction.ts';
import { activations } from '../../../server/formula/activations.ts';
import { kafKernelNames } from '../../../server/formula/kafKernels.ts';
import * as batchNorms from '../../../server/tensor/reference/batchNorm.ts';
import * as convolutions from '../../../server/tensor/reference/convolution.ts';
import * as entropies from '../../../server/tensor/reference/crossEntropy.ts';
import * as denses from '../../../server/tensor/reference/dense.ts';
import * as freeKafs from '../../../server/tensor/reference/freeKaf.ts';
import * as kafs from '../../../server/tensor/reference/kaf.ts';
import * as kaf2ds from '../../../server/tensor/reference/kaf2d.ts';
import * as kernelKafs from '../../../server/tensor/reference/kernelKaf.ts';
import * as maxouts from '../../../server/tensor/reference/maxout.ts';
import * as pools from '../../../server/tensor/reference/maxPool.ts';
import * as splines from '../../../server/tensor/reference/spline.ts';
import { exactActivation } from '../namedActivation.ts';
import { scatter } from '../ops/contract.ts';
import { expectGradient } from './centralDifferences.ts';

const numbers = (n: number, scale: number, offset = 0) => Float64Array.from(scatter(n, scale, offset));

describe('gradients of the references agree with central differences:', () => {
  it('a wrong gradient is told from a right one', () => {
    const x = numbers(3, 1);
    const square = (at: Float64Array) => at.map((value) => value * value);
    const dy = numbers(3, 1, 1);
    const right = x.map((value, i) => 2 * value * dy[i]!);
    expectGradient(right, square, x, dy, 'square');
    right[1] = right[1]! + 1e-5;
    expect(() => {
      expectGradient(right, square, x, dy, 'square');
    }).toThrow('square: 1 of 3 elements are off; the worst is [1]');
  });

  /** Each with a name, at its usual numbers; and with others where they bend it. */
  const plans: readonly FormulaActivation[] = [
    ...Object.entries(activations).map(
      ([type, { keys }]) =>
        ({
          type,
          ...Object.fromEntries(Object.entries(keys).map(([key, { byDefault }]) => [key, byDefault])),
        }) as never,
    ),
    { type: 'elu', alpha: 1.7 },
    { type: 'softplus', a: 10 },
    { type: 'smooth-relu', beta: 400 },
    { type: 'step', straightThrough: 0 },
    { type: 'pssilu', alpha: 1.3, beta: 0.2 },
    { type: 'polynomial', degree: 5 },
  ];

  it.each(plans.filter((plan) => plan.type !== 'step' || plan.straightThrough === 0))('$type', (plan) => {
    const { parameters } = activationFunction(plan);
    const channels = 3;
    const [x, dy] = [numbers(42, 5), numbers(42, 1, 1)];
    const coefficients = numbers(channels * parameters.length, 0.1, 2).map(
      (noise, i) => noise + parameters[i % parameters.length]!.start,
    );
    const f = (at: Float64Array, cs: Float64Array) =>
      exactActivation(plan, { x: at, dy, coefficients: cs, channels }).y;
    const exact = exactActivation(plan, { x, dy, coefficients, channels });
    expectGradient(exact.dx, (at) => f(at, coefficients), x, dy, 'dx');
    expectGradient(exact.dcoefficients, (at) => f(x, at), coefficients, dy, 'dcoefficients');
  });

  it.each([
    [2, 'none'],
    [20, 'none'],
    [20, 'swish'],
    [64, 'swish'],
  ] as const)('KAF of D %i, base %s, with respect to x, alpha, dictionary and gamma', (length, base) => {
    const channels = 3;
    const dictionary = kafs.uniformDictionary(length, 3);
    const gamma = 1 / (6 * (6 / (length - 1)) ** 2);
    const options = { channels, dictionary, gamma, base };
    const [x, alpha, dy] = [numbers(24, 5), numbers(channels * length, 1, 1), numbers(24, 1, 2)];
    const exact = kafs.kafGradients(dy, x, alpha, options);
    expectGradient(exact.dx, (at) => kafs.kaf(at, alpha, options), x, dy, 'dx');
    expectGradient(exact.dalpha, (at) => kafs.kaf(x, at, options), alpha, dy, 'dalpha');
    // Dictionary and gamma are shared here, so their gradients are the sums over the channels.
    const sumOver = (values: Float64Array, n: number) =>
      new Float64Array(n).map((_, i) => values.filter((__, k) => k % n === i).reduce((a, b) => a + b, 0));
    expectGradient(
      sumOver(exact.ddictionary, length),
      (at) => kafs.kaf(x, alpha, { ...options, dictionary: at }),
      dictionary,
      dy,
      'ddictionary',
    );
    expectGradient(
      sumOver(exact.dgamma, 1),
      (at) => kafs.kaf(x, alpha, { ...options, gamma: at[0]! }),
      Float64Array.of(gamma),
      dy,
      'dgamma',
    );
  });

  it('two-dimensional KAF', () => {
    const options = { channels: 3, side: 4, boundary: 2, gamma: 0.7 };
    const [x, alpha, dy] = [numbers(24, 4), numbers(3 * 16, 1, 1), numbers(12, 1, 2)];
    const exact = kaf2ds.kaf2dGradients(dy, x, alpha, options);
    expectGradient(exact.dx, (at) => kaf2ds.kaf2d(at, alpha, options), x, dy, 'dx');
    expectGradient(exact.dalpha, (at) => kaf2ds.kaf2d(x, at, options), alpha, dy, 'dalpha');
  });

  it.each(kafKernelNames.map((name) => [name]))('KAF of kernel %s beside Gaussians', (name) => {
    const kernels = [name, 'gaussian'] as const;
    const options = { channels: 3, kernels, dictionary: 6, boundary: 2, gamma: 0.7, base: 'swish' } as const;
    const [x, alpha, dy] = [numbers(24, 5), numbers(3 * 12, 1, 1), numbers(24, 1, 2)];
    const exact = kernelKafs.kernelKafGradients(dy, x, alpha, options);
    expectGradient(exact.dx, (at) => kernelKafs.kernelKaf(at, alpha, options), x, dy, 'dx');
    expectGradient(exact.dalpha, (at) => kernelKafs.kernelKaf(x, at, options), alpha, dy, 'dalpha');
  });

  it.each(['none', 'swish'] as const)('KAF of dictionary and bandwidth of its own, base %s', (base) => {
    const [channels, size] = [3, 7];
    const [x, dy] = [numbers(24, 5), numbers(24, 1, 1)];
    const given = {
      alpha: numbers(channels * size, 1, 2),
      dictionary: numbers(channels * size, 3, 3),
      logGamma: numbers(channels, 0.7, 4),
    };
    const exact = freeKafs.freeKafGradients(dy, x, given, base);
    expectGradient(exact.dx, (at) => freeKafs.freeKaf(at, given, base), x, dy, 'dx');
    for (const name of ['alpha', 'dictionary', 'logGamma'] as const) {
      const f = (at: Float64Array) => freeKafs.freeKaf(x, { ...given, [name]: at }, base);
      expectGradient(exact[`d${name}`], f, given[name], dy, `d${name}`);
    }
  });

  it.each([
    ['catmull-rom', 4],
    ['catmull-rom', 21],
    ['b-spline', 4],
    ['b-spline', 21],
  ] as const)('%s spline of %i points, within and beyond its ends', (basis, nPoints) => {
    const options = { channels: 3, boundary: 3, basis };
    const [x, points, dy] = [numbers(30, 4), numbers(3 * nPoints, 1, 1), numbers(30, 1, 2)];
    const exact = splines.splineGradients(dy, x, points, options);
    expectGradient(exact.dx, (at) => splines.spline(at, points, options), x, dy, 'dx');
    expectGradient(exact.dpoints, (at) => splines.spline(x, at, options), points, dy, 'dpoints');
  });

  it('maxout', () => {
    const [x, dy] = [numbers(5 * 4 * 3, 2), numbers(5 * 3, 1, 1)];
    expectGradient(maxouts.maxoutGradient(dy, x, 4, 3), (at) => maxouts.maxout(at, 4, 3), x, dy, 'maxout');
  });

  it('batch normalisation in training', () => {
    const [x, gamma, beta, dy] = [numbers(35, 2), numbers(5, 1, 1), numbers(5, 1, 2), numbers(35, 1, 3)];
    const exact = batchNorms.batchNormGradients(dy, x, gamma, 1e-3);
    expectGradient(exact.dx, (at) => batchNorms.batchNorm(at, gamma, beta, 1e-3).y, x, dy, 'dx');
    expectGradient(exact.dgamma, (at) => batchNorms.batchNorm(x, at, beta, 1e-3).y, gamma, dy, 'dgamma');
    expectGradient(exact.dbeta, (at) => batchNorms.batchNorm(x, gamma, at, 1e-3).y, beta, dy, 'dbeta');
  });

  it.each([
    { x: [2, 5, 4, 2], kernel: [3, 3, 2, 3], stride: 1, padding: 'same' },
    { x: [1, 6, 5, 2], kernel: [3, 2, 2, 2], stride: 2, padding: 'same' },
    { x: [1, 7, 6, 1], kernel: [3, 3, 1, 2], stride: 3, padding: 'valid' },
  ] as const)('convolution $x, $kernel, stride $stride, $padding', (shape) => {
    const sizeOf = (lengths: readonly number[]) => lengths.reduce((a, b) => a * b, 1);
    const x = numbers(sizeOf(shape.x), 1);
    const kernel = numbers(sizeOf(shape.kernel), 1, 1);
    const bias = numbers(shape.kernel[3], 1, 2);
    const dy = numbers(sizeOf(convolutions.outputShape(shape)), 1, 3);
    const exact = convolutions.convolutionGradients(dy, x, kernel, shape);
    expectGradient(exact.dx, (at) => convolutions.convolution(at, kernel, bias, shape), x, dy, 'dx');
    expectGradient(exact.dkernel, (at) => convolutions.convolution(x, at, bias, shape), kernel, dy, 'dkernel');
    expectGradient(exact.dbias, (at) => convolutions.convolution(x, kernel, at, shape), bias, dy, 'dbias');
  });

  it('dense layer', () => {
    const [x, kernel, bias, dy] = [numbers(12, 1), numbers(20, 1, 1), numbers(5, 1, 2), numbers(15, 1, 3)];
    const exact = denses.denseGradients(dy, x, kernel, 4);
    expectGradient(exact.dx, (at) => denses.dense(at, kernel, bias, 4), x, dy, 'dx');
    expectGradient(exact.dkernel, (at) => denses.dense(x, at, bias, 4), kernel, dy, 'dkernel');
    expectGradient(exact.dbias, (at) => denses.dense(x, kernel, at, 4), bias, dy, 'dbias');
  });

  it.each([
    { x: [2, 4, 6, 2], size: 2, stride: 2 },
    { x: [1, 7, 7, 2], size: 3, stride: 2 },
  ] as const)('max pooling $x, $size, $stride', (shape) => {
    const [b, height, width, c] = shape.x;
    const x = numbers(b * height * width * c, 1);
    const dy = numbers(pools.maxPool(x, shape).y.length, 1, 1);
    expectGradient(pools.maxPoolGradient(dy, x, shape), (at) => pools.maxPool(at, shape).y, x, dy, 'dx');
  });

  it('softmax cross-entropy', () => {
    const [logits, dy] = [numbers(20, 4), numbers(4, 1, 1)];
    const labels = Int32Array.of(0, 4, 2, 1);
    const gradient = entropies.crossEntropyGradient(dy, logits, labels, 5);
    expectGradient(gradient, (at) => entropies.crossEntropy(at, labels, 5), logits, dy, 'dlogits');
  });
});
