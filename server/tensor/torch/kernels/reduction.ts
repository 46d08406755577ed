// Along axes: sums, means, extremes and their places, running sums, order.
import * as tf from '@tensorflow/tfjs-core';
import type { OperatorName } from '../operators.ts';
import type { Handle, Torch } from '../torch.ts';
import {
  booleans,
  filled,
  floats,
  floatsOrIntegers,
  like,
  onlyFloats,
  torchKernel,
  type TorchKernel,
} from './torchKernel.ts';

interface One {
  readonly x: tf.TensorInfo;
}

interface AlongAxes {
  readonly axis?: number | number[];
  readonly keepDims?: boolean;
}

const extremes = { Max: 'amax', Min: 'amin' } satisfies Record<string, OperatorName>;
const questions = { Any: 'amax', All: 'amin' } satisfies Record<string, OperatorName>;
const places = { ArgMax: 'argmax', ArgMin: 'argmin' } satisfies Record<string, OperatorName>;

const numbers: TorchKernel['takes'] = (inputs) =>
  inputs.every(({ dtype }) => dtype === 'float32' || dtype === 'int32' || dtype === 'bool');

export const reductionKernels: readonly TorchKernel[] = [
  torchKernel<One, AlongAxes>('Sum', numbers, (torch, of, { x }, { axis, keepDims = false }) => {
    const axes = axesOf(x, axis);
    const isFloat = x.dtype === 'float32';
    // Without axes PyTorch would reduce them all.
    if (axes.length === 0) return sumOfNothing(torch, of(x), isFloat);
    const handle = torch.call('sum', of(x), axes, keepDims, isFloat ? null : torch.codes.int32);
    return { handle, dtype: isFloat ? 'float32' : 'int32' };
  }),
  torchKernel<One, AlongAxes>('Mean', filled(onlyFloats), (torch, of, { x }, { axis, keepDims = false }) => {
    const axes = axesOf(x, axis);
    return floats(axes.length === 0 ? torch.copy(of(x)) : torch.call('mean', of(x), axes, keepDims));
  }),
  torchKernel<One, AlongAxes>('Prod', filled(onlyFloats), (torch, of, { x }, { axis, keepDims = false }) => {
    const axes = axesOf(x, axis);
    const product = axes.reduce((y, one) => torch.call('prod', y, one, true, null), of(x));
    return floats(product, reducedShape(x.shape, axes, keepDims));
  }),
  ...Object.entries(extremes).map(([name, operator]) =>
    torchKernel<{ x: tf.TensorInfo }, { reductionIndices?: number | number[] } & AlongAxes>(
      name,
      filled(floatsOrIntegers),
      (torch, of, { x }, { axis, reductionIndices, keepDims = false }) => {
        const axes = axesOf(x, reductionIndices ?? axis);
        return like(x, axes.length === 0 ? torch.copy(of(x)) : torch.call(operator, of(x), axes, keepDims));
      },
    ),
  ),
  ...Object.entries(questions).map(([name, operator]) =>
    torchKernel<One, AlongAxes>(
      name,
      filled((inputs) => inputs.every(({ dtype }) => dtype === 'bool')),
      (torch, of, { x }, { axis, keepDims = false }) => {
        const axes = axesOf(x, axis);
        return booleans(axes.length === 0 ? torch.copy(of(x)) : torch.call(operator, of(x), axes, keepDims));
      },
    ),
  ),
  ...Object.entries(places).map(([name, operator]) =>
    torchKernel<One, { axis: number | number[] }>(name, filled(onlyFloats), (torch, of, { x }, { axis }) => {
      const [only] = axesOf(x, axis);
      // For PyTorch NaN is the largest and the smallest; for tfjs it is neither.
      const least = torch.constant(name === 'ArgMax' ? -Infinity : Infinity);
      const compared = torch.call('where', torch.call('isnan', of(x)), least, of(x));
      return { handle: torch.cast(torch.call(operator, compared, only ?? 0, false), 'int32'), dtype: 'int32' };
    }),
  ),
  torchKernel<One, { axis: number; exclusive?: boolean; reverse?: boolean }>(
    'Cumsum',
    filled(floatsOrIntegers),
    (torch, of, { x }, { axis, exclusive = false, reverse = false }) => {
      const [only] = axesOf(x, axis) as [number];
      const forwards = reverse ? torch.call('flip', of(x), [only]) : of(x);
      const isFloat = x.dtype === 'float32';
      let sums = torch.call('cumsum', forwards, only, isFloat ? null : torch.codes.int32);
      if (exclusive) sums = shifted(torch, sums, x, only);
      return like(x, reverse ? torch.call('flip', sums, [only]) : sums);
    },
  ),
  torchKernel<One, { k: number; sorted: boolean }>('TopK', filled(onlyFloats), (torch, of, { x }, { k }) => {
    const last = x.shape.length - 1;
    // Stable, so that of equal values the first comes first.
    const [values, indices] = torch.callAll('sort', of(x), true, last, true) as [Handle, Handle];
    const first = (all: Handle) => torch.call('slice', all, last, 0, k, 1);
    return [floats(first(values)), { handle: torch.cast(first(indices), 'int32'), dtype: 'int32' }];
  }),
  torchKernel<{ logits: tf.TensorInfo }, { dim: number }>(
    'Softmax',
    filled(onlyFloats),
    (torch, of, { logits }, { dim }) => floats(torch.call('softmax', of(logits), dim, false)),
  ),
  torchKernel<{ logits: tf.TensorInfo }, { axis: number }>(
    'LogSoftmax',
    filled(onlyFloats),
    (torch, of, { logits }, { axis }) => floats(torch.call('logSoftmax', of(logits), axis, false)),
  ),
];

/** All of them where none is named. */
function axesOf(x: tf.TensorInfo, axis: number | number[] | undefined): number[] {
  return tf.util.parseAxisParam(axis ?? x.shape.map((_, i) => i), x.shape);
}

function reducedShape(shape: readonly number[], axes: readonly number[], keepDims: boolean): number[] {
  return shape.flatMap((length, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [length]));
}

function sumOfNothing(torch: Torch, x: Handle, isFloat: boolean) {
  return isFloat
    ? ({ handle: torch.copy(x), dtype: 'float32' } as const)
    : ({ handle: torch.cast(x, 'int32'), dtype: 'int32' } as const);
}

/** Running sums moved on by one, 0 first. */
function shifted(torch: Torch, sums: Handle, x: tf.TensorInfo, axis: number): Handle {
  const first = x.shape.map((length, i) => (i === axis ? 1 : length));
  const zeros = torch.full(first, 0, x.dtype === 'float32' ? 'float32' : 'int32');
  const rest = torch.call('slice', sums, axis, 0, x.shape[axis]! - 1, 1);
  return torch.call('cat', [zeros, rest], axis);
}
