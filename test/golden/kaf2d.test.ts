// Two-dimensional KAFs against PyTorch: the op on every runtime, and the float64 reference.
import type * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';

import { kaf2d } from '../../server/tensor/ops/kaf2d.ts';
import * as reference from '../../server/tensor/reference/kaf2d.ts';
import { expectClose } from '../tensor/expectClose.ts';
import { describeOnEveryRuntime, evaluateGradients } from '../tensor/ops/contract.ts';
import { exactInput, floatInput, readGolden, toFloat32, toFloat64, type GoldenTensor } from './readGolden.ts';

const { cases } = readGolden<{
  cases: readonly (Readonly<Record<'x' | 'alpha' | 'dy' | 'y' | 'dx' | 'dalpha', GoldenTensor>> & {
    side: number;
    boundary: number;
    gamma: number;
  })[];
}>('kaf2d');

describe('the float64 reference agrees with PyTorch', () => {
  it.each(cases)('$side² elements', ({ side, boundary, gamma, ...one }) => {
    const [x, dy, alpha] = [exactInput(one.x), exactInput(one.dy), exactInput(one.alpha)];
    const options = { channels: one.alpha.shape[0]!, side, boundary, gamma };
    const nineDigits = { absolute: 1e-9, relative: 5e-9 };
    expectClose(reference.kaf2d(x, alpha, options), toFloat64(one.y), nineDigits, 'y');
    const { dx, dalpha } = reference.kaf2dGradients(dy, x, alpha, options);
    expectClose(dx, toFloat64(one.dx), nineDigits, 'dx');
    expectClose(dalpha, toFloat64(one.dalpha), nineDigits, 'dalpha');
  });
});

describeOnEveryRuntime('two-dimensional KAFs agree with PyTorch', () => {
  it.each(cases)('$side² elements', ({ boundary, gamma, ...one }) => {
    const { y, gradients } = evaluateGradients(
      (x: tf.Tensor, alpha: tf.Tensor2D) => kaf2d(x, alpha, { boundary, gamma, gradients: 'all' }),
      [floatInput(one.x), floatInput(one.alpha)],
      toFloat32(one.dy),
    );
    // float32 sums of up to 100 terms of 0.3 and their products with two kernels.
    const tolerance = { absolute: 5e-6, relative: 5e-6 };
    expectClose(y, toFloat32(one.y), tolerance, 'y');
    expectClose(gradients[0]!, toFloat32(one.dx), tolerance, 'dx');
    expectClose(gradients[1]!, toFloat32(one.dalpha), tolerance, 'dalpha');
  });
});
