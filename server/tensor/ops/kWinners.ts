// k-winners-take-all: of each sample the largest values stay and the rest becomes 0. How k is chosen over training is the
// plan's.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype } from './checkTensor.ts';
import { floatsOf, inputOf, makeFloats, type OpDefinition } from './cpuKernel.ts';

/**
 * k-winners-take-all over all of a sample's values, x where x ≥ its k-th largest and 0 elsewhere (Xiao, Zhong and Zheng, 2020,
 * eq. 2), k = ⌈ratio·size⌉ and at least 1. Ties stay, so there may be more than k; winners may be negative.
 * @param x `[B, …]` float32 of rank 2 or more. @param ratio the share of winners, in (0, 1].
 * @returns like x. NaN counts as the largest and stays NaN. The gradient passes where x stays.
 * @throws TypeError if x is not float32; RangeError on a rank below 2 or a ratio outside (0, 1].
 */
export function kWinners<T extends tf.Tensor>(x: T, ratio: number): T {
  expectDtype('kWinners', 'x', x, 'float32');
  if (x.rank < 2) throw new RangeError(`kWinners: expected x of rank 2 or more, got shape [${x.shape.join(', ')}]`);
  if (!(ratio > 0 && ratio <= 1)) throw new RangeError(`kWinners: expected a ratio in (0, 1], got ${String(ratio)}`);
  const count = winnerCount(tf.util.sizeFromShape(x.shape.slice(1)), ratio);
  return tf.tidy(() => {
    const [y] = tf.engine().runKernel<tf.Tensor[]>('KafscopeKWinners', { x }, { count }) as [T];
    return y;
  });
}

/** ⌈ratio·size⌉, where the product's rounding error makes no winner; at least 1. */
export function winnerCount(size: number, ratio: number): number {
  return Math.max(1, Math.ceil(ratio * size * (1 - 2 ** -50)));
}

export const kWinnersOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeKWinners',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { count } = attrs as unknown as { count: number };
        const info = inputOf(inputs, 'x');
        const nSamples = info.shape[0]!;
        const x = floatsOf(backend, info);
        const size = x.length / nSamples;
        const thresholds = Float32Array.from({ length: nSamples }, (_, sample) =>
          // A typed array sorts NaN to its end.
          size > 0 ? x.slice(sample * size, (sample + 1) * size).sort()[size - count]! : 0,
        );
        return [
          makeFloats(backend, info.shape, keepWinners(x, x, thresholds)),
          makeFloats(backend, [nSamples], thresholds),
        ];
      },
    },
    {
      kernelName: 'KafscopeKWinnersGrad',
      kernelFunc: ({ inputs, backend }) => {
        const info = inputOf(inputs, 'x');
        const dy = floatsOf(backend, inputs['dy']);
        const dx = keepWinners(dy, floatsOf(backend, info), floatsOf(backend, inputs['thresholds']));
        return makeFloats(backend, info.shape, dx);
      },
    },
  ],
  gradients: [
    {
      kernelName: 'KafscopeKWinners',
      inputsToSave: ['x'],
      outputsToSave: [false, true],
      gradFunc: (dys, saved) => {
        const [dy] = dys as [tf.Tensor, tf.Tensor];
        const [x, thresholds] = saved as [tf.Tensor, tf.Tensor];
        return { x: () => tf.engine().runKernel('KafscopeKWinnersGrad', { dy, x, thresholds }) };
      },
    },
  ],
};

function keepWinners(values: Float32Array, x: Float32Array, thresholds: Float32Array): Float32Array {
  const size = x.length / thresholds.length;
  return values.map((value, i) => {
    const threshold = thresholds[Math.floor(i / size)]!;
    return x[i]! >= threshold || Number.isNaN(x[i]!) ? value : 0;
  });
}
