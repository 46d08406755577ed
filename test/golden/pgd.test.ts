// Five PGD steps against a tiny network, step by step against PyTorch.
import * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';

import { inputGradient } from '../../server/attack/inputGradient.ts';
import { convolve, multiply } from '../../server/model/linear.ts';
import type { Network } from '../../server/model/network.ts';
import { flatten, maxPool } from '../../server/model/pooling.ts';
import { attackStepLinf } from '../../server/tensor/ops/attackStep.ts';
import { softmaxCrossEntropy } from '../../server/tensor/ops/crossEntropy.ts';
import { kaf } from '../../server/tensor/ops/kaf.ts';
import { expectClose } from '../tensor/expectClose.ts';
import { describeOnEveryRuntime, tensorOf, withoutTrace } from '../tensor/ops/contract.ts';
import { floatInput, readGolden, toFloat32, type GoldenTensor } from './readGolden.ts';

interface PgdCase extends Readonly<
  Record<'kernel' | 'bias' | 'alpha' | 'denseKernel' | 'denseBias' | 'clean' | 'labels', GoldenTensor>
> {
  readonly base: 'none' | 'swish';
  readonly boundary: number;
  readonly gamma: number;
  readonly epsilon: number;
  readonly stepSize: number;
  readonly smallestGradient: number;
  /** The start, and the images after each step. */
  readonly trajectory: readonly GoldenTensor[];
  /** Before each step. */
  readonly losses: readonly GoldenTensor[];
}

const { cases } = readGolden<{ cases: readonly PgdCase[] }>('pgd');

describeOnEveryRuntime('PGD agrees with PyTorch at every step', () => {
  it.each(cases)('base $base, smallest gradient $smallestGradient', (one) => {
    const { base, boundary, gamma, epsilon, stepSize } = one;
    const weights = [one.kernel, one.bias, one.alpha, one.denseKernel, one.denseBias].map(floatInput);
    withoutTrace([...weights, floatInput(one.clean)], (tensors) => {
      const [kernel, bias, alpha, denseKernel, denseBias, clean] = tensors as [
        tf.Tensor4D,
        tf.Tensor1D,
        tf.Tensor2D,
        tf.Tensor2D,
        tf.Tensor1D,
        tf.Tensor4D,
      ];
      const pool = maxPool({ size: 2, stride: 2, padding: 'valid' });
      const forward: Network['forward'] = (images, pass) => {
        const convolved = convolve(images as tf.Tensor4D, kernel, bias, {
          ...{ stride: 1, padding: 'same', differentiated: 'input' },
        });
        const hidden = kaf(convolved, alpha, { boundary, gamma, base, gradients: 'input' });
        return multiply(flatten(pool(hidden, pass), pass) as tf.Tensor2D, denseKernel, denseBias, 'input');
      };
      const network = { forward } as Network;
      const labels = tf.tensor1d([...one.labels.values], 'int32');
      let x = tensorOf<tf.Tensor4D>(floatInput(one.trajectory[0]!));
      one.losses.forEach((losses, step) => {
        const {
          gradient,
          logits,
          losses: found,
        } = inputGradient(network, x, (z) => softmaxCrossEntropy(z, labels), { mode: 'inference', key: null });
        const given = found.dataSync<'float32'>().slice();
        expectClose(given, toFloat32(losses), { absolute: 1e-5, relative: 1e-5 }, `losses before step ${String(step)}`);
        x = attackStepLinf(x, clean, gradient, { stepSize, epsilon });
        // A wrong sign anywhere would be off by 2·stepSize = 0.016.
        const next = toFloat32(one.trajectory[step + 1]!);
        expectClose(
          x.dataSync<'float32'>(),
          next,
          { absolute: 1e-6, relative: 0 },
          `images after step ${String(step)}`,
        );
        tf.dispose([logits, gradient, found]);
      });
    });
  });
});
