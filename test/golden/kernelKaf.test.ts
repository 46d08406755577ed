// KAFs of any kernels against PyTorch: the op on every runtime, and the float64 reference.
import type * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';

import type { KafKernelName } from '../../server/formula/kafKernels.ts';
import { kernelKaf, mixKernels } from '../../server/tensor/ops/kernelKaf.ts';
import * as reference from '../../server/tensor/reference/kernelKaf.ts';
import { expectClose } from '../tensor/expectClose.ts';
import { describeOnEveryRuntime, evaluateGradients } from '../tensor/ops/contract.ts';
import { exactInput, floatInput, readGolden, toFloat32, toFloat64, type GoldenTensor } from './readGolden.ts';

type Tensors<Names extends string> = Readonly<Record<Names, GoldenTensor>>;

const { cases } = readGolden<{
  cases: readonly (Tensors<'x' | 'alpha' | 'mixture' | 'dy' | 'y' | 'dx' | 'dalpha' | 'dmixture'> & {
    kernels: readonly KafKernelName[];
    size: number;
    boundary: number;
    gamma: number;
    base: 'none' | 'swish';
  })[];
}>('kernelKaf');

describe('the float64 reference agrees with PyTorch', () => {
  it.each(cases)('$kernels, base $base, D $size', ({ kernels, size: dictionary, boundary, gamma, base, ...one }) => {
    const options = { channels: 3, kernels, dictionary, boundary, gamma, base };
    const [x, dy, alpha, mixture] = [one.x, one.dy, one.alpha, one.mixture].map(exactInput) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const mixed = Float64Array.from({ length: 3 * kernels.length * dictionary }, (_, at) => {
      const [channel, m] = [
        Math.floor(at / (kernels.length * dictionary)),
        Math.floor(at / dictionary) % kernels.length,
      ];
      return alpha[channel * dictionary + (at % dictionary)]! * mixture[channel * kernels.length + m]!;
    });
    // What nine digits leave open, of sums of terms up to 43·0.3·20.
    const nineDigits = { absolute: 1e-9, relative: 5e-9 };
    expectClose(reference.kernelKaf(x, mixed, options), toFloat64(one.y), nineDigits, 'y');
    const { dx } = reference.kernelKafGradients(dy, x, mixed, options);
    expectClose(dx, toFloat64(one.dx), nineDigits, 'dx');
  });
});

describeOnEveryRuntime('KAFs of any kernels agree with PyTorch', () => {
  it.each(cases)('$kernels, base $base, D $size', ({ kernels, boundary, gamma, base, ...one }) => {
    const { y, gradients } = evaluateGradients(
      (x: tf.Tensor, alpha: tf.Tensor2D, mixture: tf.Tensor2D) =>
        kernelKaf(x, mixKernels(alpha, mixture), { kernels, boundary, gamma, base, gradients: 'all' }),
      [floatInput(one.x), floatInput(one.alpha), floatInput(one.mixture)],
      toFloat32(one.dy),
    );
    // float32 sums of up to 60 terms, which reach 43·0.3 where kernels rise.
    const tolerance = { absolute: 3e-5, relative: 3e-6 };
    expectClose(y, toFloat32(one.y), tolerance, 'y');
    expectClose(gradients[0]!, toFloat32(one.dx), tolerance, 'dx');
    expectClose(gradients[1]!, toFloat32(one.dalpha), { absolute: 1e-4, relative: 3e-6 }, 'dalpha');
    expectClose(gradients[2]!, toFloat32(one.dmixture), { absolute: 1e-3, relative: 3e-6 }, 'dmixture');
  });
});
