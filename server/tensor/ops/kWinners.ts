// k-winners-take-all: of each sample, or of each of its channels, the largest values stay and the rest becomes 0. How k is chosen over
// training is the plan's.
import * as tf from '@tensorflow/tfjs-core';

import { expectDtype } from './checkTensor.ts';
import { floatsOf, inputOf, integersOf, makeFloats, makeIntegers, type OpDefinition } from './cpuKernel.ts';

export interface WinnersOptions {
  /** The share of winners, in (0, 1]. */
  readonly ratio: number;
  /** Of what is no whole number; there is always one winner. */
  readonly rounding: 'floor' | 'ceiling';
  /** Among which values: all of a sample, or those of each of its channels (the last axis). A vector has one layer only. */
  readonly over: 'layer' | 'channel';
  /** Of values that equal the k-th largest: `index` keeps the first until there are k, `all` keeps every one. */
  readonly ties: 'index' | 'all';
}

/** What the kernels take: `nLanes` is the number of channels where each has winners of its own, else 1. */
export interface WinnersAttributes {
  readonly count: number;
  readonly nLanes: number;
  readonly isExact: boolean;
}

/**
 * k-winners-take-all, x where it is among the k largest of its sample (or channel) and 0 elsewhere (Xiao, Zhong and Zheng, 2020, eq.
 * 2), k = ratio·size rounded and at least 1. Winners may be negative; 0 and −0 are equal.
 * @param x `[B, …]` float32 of rank 2 or more.
 * @returns like x. NaN counts as the largest and always stays NaN. The gradient passes where x stays.
 * @throws TypeError if x is not float32; RangeError on a rank below 2 or a ratio outside (0, 1].
 */
export function kWinners<T extends tf.Tensor>(x: T, { ratio, rounding, over, ties }: WinnersOptions): T {
  expectDtype('kWinners', 'x', x, 'float32');
  if (x.rank < 2) throw new RangeError(`kWinners: expected x of rank 2 or more, got shape [${x.shape.join(', ')}]`);
  if (!(ratio > 0 && ratio <= 1)) throw new RangeError(`kWinners: expected a ratio in (0, 1], got ${String(ratio)}`);
  const nLanes = over === 'channel' && x.rank > 2 ? x.shape.at(-1)! : 1;
  const size = tf.util.sizeFromShape(x.shape.slice(1)) / Math.max(1, nLanes);
  const attributes: WinnersAttributes = {
    count: winnerCount(size, ratio, rounding),
    nLanes,
    isExact: ties === 'index',
  };
  return tf.tidy(() => {
    const [y] = tf.engine().runKernel<tf.Tensor[]>('KafscopeKWinners', { x }, { ...attributes }) as [T];
    return y;
  });
}

/** ratio·size rounded, where the product's rounding error neither makes a winner nor takes one; at least 1. */
export function winnerCount(size: number, ratio: number, rounding: WinnersOptions['rounding']): number {
  const slack = 2 ** -50;
  const count = rounding === 'ceiling' ? Math.ceil(ratio * size * (1 - slack)) : Math.floor(ratio * size * (1 + slack));
  return Math.max(1, count);
}

export const kWinnersOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeKWinners',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { count, nLanes, isExact } = attrs as unknown as WinnersAttributes;
        const info = inputOf(inputs, 'x');
        const x = floatsOf(backend, info);
        const nGroups = info.shape[0]! * nLanes;
        const thresholds = new Float32Array(nGroups);
        const quotas = new Int32Array(nGroups);
        if (x.length > 0) {
          for (let group = 0; group < nGroups; group++) {
            const values = valuesOf(x, group, { nGroups, nLanes });
            // A typed array sorts NaN to its end.
            const threshold = Float32Array.from(values).sort()[values.length - count]!;
            thresholds[group] = threshold;
            const nAbove = values.filter((value) => value > threshold || Number.isNaN(value)).length;
            quotas[group] = isExact ? count - nAbove : everyTie;
          }
        }
        const y = keepWinners(x, x, thresholds, quotas, nLanes);
        const shape = [nGroups];
        return [
          makeFloats(backend, info.shape, y),
          makeFloats(backend, shape, thresholds),
          makeIntegers(backend, shape, quotas),
        ];
      },
    },
    {
      kernelName: 'KafscopeKWinnersGrad',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { nLanes } = attrs as unknown as WinnersAttributes;
        const info = inputOf(inputs, 'x');
        const [dy, x, thresholds] = [inputs['dy'], info, inputs['thresholds']].map((one) => floatsOf(backend, one));
        const quotas = integersOf(backend, inputs['quotas']);
        return makeFloats(backend, info.shape, keepWinners(dy!, x!, thresholds!, quotas, nLanes));
      },
    },
  ],
  gradients: [
    {
      kernelName: 'KafscopeKWinners',
      inputsToSave: ['x'],
      outputsToSave: [false, true, true],
      gradFunc: (dys, saved, attrs) => {
        const [dy] = dys as tf.Tensor[];
        const [x, thresholds, quotas] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
        const inputs = { dy: dy!, x, thresholds, quotas };
        return { x: () => tf.engine().runKernel('KafscopeKWinnersGrad', inputs, attrs) };
      },
    },
  ],
};

/** In the place of how many of those that equal the threshold stay. */
const everyTie = -1;

/** Of a group: a sample, or a channel of it. */
function valuesOf(
  x: Float32Array,
  group: number,
  { nGroups, nLanes }: { readonly nGroups: number; readonly nLanes: number },
): Float32Array {
  const size = x.length / nGroups;
  const start = Math.floor(group / nLanes) * size * nLanes + (group % nLanes);
  return Float32Array.from({ length: size }, (_, i) => x[start + i * nLanes]!);
}

function keepWinners(
  values: Float32Array,
  x: Float32Array,
  thresholds: Float32Array,
  quotas: Int32Array,
  nLanes: number,
): Float32Array {
  const sampleLength = (x.length / thresholds.length) * nLanes;
  const kept = new Int32Array(thresholds.length);
  return values.map((value, i) => {
    const group = Math.floor(i / sampleLength) * nLanes + (i % nLanes);
    if (x[i]! > thresholds[group]! || Number.isNaN(x[i]!)) return value;
    if (x[i] !== thresholds[group]) return 0;
    kept[group]!++;
    return quotas[group] === everyTie || kept[group]! <= quotas[group]! ? value : 0;
  });
}
