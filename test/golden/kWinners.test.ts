// Exactly k winners against PyTorch's stable sort, on every runtime.
import type * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';

import { kWinners } from '../../server/tensor/ops/kWinners.ts';
import { expectClose } from '../tensor/expectClose.ts';
import { describeOnEveryRuntime, evaluateGradients } from '../tensor/ops/contract.ts';
import { floatInput, readGolden, toFloat32, type GoldenTensor } from './readGolden.ts';

const { cases } = readGolden<{
  cases: readonly (Readonly<Record<'x' | 'dy' | 'y' | 'dx', GoldenTensor>> & {
    over: 'layer' | 'channel';
    count: number;
  })[];
}>('kWinners');

describeOnEveryRuntime('exactly k winners are those of PyTorch’s stable sort', () => {
  it.each(cases)('$count of $x.shape by $over', ({ over, count, ...one }) => {
    const { shape } = one.x;
    const size = one.x.values.length / shape[0]! / (over === 'channel' ? shape.at(-1)! : 1);
    const { y, gradients } = evaluateGradients(
      (x: tf.Tensor) => kWinners(x, { ratio: count / size, rounding: 'floor', over, ties: 'index' }),
      [floatInput(one.x)],
      toFloat32(one.dy),
    );
    // −0 · 0 is −0 in PyTorch, which equals 0.
    expectClose(y, toFloat32(one.y), { absolute: 0, relative: 0 }, 'y');
    expectClose(gradients[0]!, toFloat32(one.dx), { absolute: 0, relative: 0 }, 'dx');
  });
});
