// Where values are: shapes, orders, parts, joins, repetitions, and look-ups by index.
import * as tf from '@tensorflow/tfjs-core';
import type { Handle, Torch } from '../torch.ts';
import { anyNumbers, filled, floats, like, sharingKernel, torchKernel, type TorchKernel } from './torchKernel.ts';

interface One {
  readonly x: tf.TensorInfo;
}

type Numeric = 'float32' | 'int32' | 'bool';

export const placementKernels: readonly TorchKernel[] = [
  sharingKernel('Identity', ({ shape }) => shape),
  sharingKernel('Reshape', (x, { shape }) =>
    tf.util.inferFromImplicitShape(shape as number[], tf.util.sizeFromShape(x.shape)),
  ),
  sharingKernel('ExpandDims', ({ shape }, { dim }) => {
    const axis = dim as number;
    tf.util.assert(-(shape.length + 1) <= axis, () => `axis ${axis} is before the first of rank ${shape.length}`);
    return shape.toSpliced(axis < 0 ? axis + shape.length + 1 : axis, 0, 1);
  }),
  torchKernel<One, { perm: number[] }>('Transpose', anyNumbers, (torch, of, { x }, { perm }) =>
    like(x, torch.copy(torch.call('permute', of(x), perm))),
  ),
  torchKernel<readonly tf.TensorInfo[], { axis: number }>('Concat', anyNumbers, (torch, of, tensors, { axis }) => {
    const [along] = tf.util.parseAxisParam(axis, tensors[0]!.shape) as [number];
    // PyTorch takes what is empty for nothing, whatever its shape.
    const handle = torch.call('cat', tensors.map(of), along);
    return {
      ...like(tensors[0]!, handle),
      shape: tf.backend_util.computeOutShape(
        tensors.map(({ shape }) => shape),
        along,
      ),
    };
  }),
  torchKernel<readonly tf.TensorInfo[], { axis: number }>('Pack', ofOneType, (torch, of, tensors, { axis }) =>
    like(tensors[0]!, torch.call('stack', tensors.map(of), axis)),
  ),
  torchKernel<{ value: tf.TensorInfo }, { axis: number }>('Unpack', anyNumbers, (torch, of, { value }, { axis }) => {
    const [along] = tf.util.parseAxisParam(axis, value.shape) as [number];
    const shape = value.shape.toSpliced(along, 1);
    return Array.from({ length: value.shape[along]! }, (_, i) => ({
      ...like(value, partOf(torch, of(value), along, i, 1)),
      shape,
    }));
  }),
  torchKernel<One, { numOrSizeSplits: number | number[]; axis: number }>(
    'SplitV',
    anyNumbers,
    (torch, of, { x }, { numOrSizeSplits, axis }) => {
      const [along] = tf.util.parseAxisParam(axis, x.shape) as [number];
      const sizes = tf.backend_util.prepareSplitSize(x as tf.Tensor, numOrSizeSplits, along);
      let first = 0;
      return sizes.map((size) => {
        const part = partOf(torch, of(x), along, first, size);
        first += size;
        return like(x, part);
      });
    },
  ),
  torchKernel<One, { begin: number[]; size: number[] }>('Slice', anyNumbers, (torch, of, { x }, attributes) => {
    const parsed = tf.slice_util.parseSliceParams(x as tf.Tensor, attributes.begin, attributes.size);
    const [begin, size] = parsed as [number[], number[]];
    tf.slice_util.assertParamsValid(x as tf.Tensor, begin, size);
    const part = begin.reduce(
      (rest, first, axis) =>
        first === 0 && size[axis] === x.shape[axis]
          ? rest
          : torch.call('slice', rest, axis, first, first + size[axis]!, 1),
      of(x),
    );
    // A view would keep all of x.
    return like(x, torch.copy(part));
  }),
  torchKernel<One, { reps: number[] }>('Tile', filled(anyNumbers), (torch, of, { x }, { reps }) =>
    like(x, torch.call('repeat', of(x), reps)),
  ),
  torchKernel<One, { dims: number | number[] }>('Reverse', anyNumbers, (torch, of, { x }, { dims }) =>
    like(x, torch.call('flip', of(x), tf.util.parseAxisParam(dims, x.shape))),
  ),
  torchKernel<One, { paddings: [number, number][]; constantValue: number }>(
    'PadV2',
    anyNumbers,
    (torch, of, { x }, { paddings, constantValue }) => like(x, padded(torch, of(x), x, paddings, constantValue)),
  ),
  torchKernel<{ x: tf.TensorInfo; indices: tf.TensorInfo }, { axis: number; batchDims?: number }>(
    'GatherV2',
    ([x, indices], { batchDims }) =>
      filled(anyNumbers)([x!], {}) && (batchDims ?? 0) === 0 && indices!.dtype === 'int32',
    (torch, of, { x, indices }, { axis }) => {
      const [along] = tf.util.parseAxisParam(axis, x.shape) as [number];
      const flat = torch.view(of(indices), [tf.util.sizeFromShape(indices.shape)]);
      const handle = torch.call('indexSelect', of(x), along, flat);
      return { ...like(x, handle), shape: x.shape.toSpliced(along, 1, ...indices.shape) };
    },
  ),
  torchKernel<{ params: tf.TensorInfo; indices: tf.TensorInfo }>(
    'GatherNd',
    // Of single values of a vector: what compositions look up.
    (inputs) => filled(anyNumbers)(inputs, {}) && inputs[0]!.shape.length === 1 && inputs[1]!.dtype === 'int32',
    (torch, of, { params, indices }) => {
      const flat = torch.view(of(indices), [tf.util.sizeFromShape(indices.shape)]);
      return { ...like(params, torch.call('indexSelect', of(params), 0, flat)), shape: indices.shape.slice(0, -1) };
    },
  ),
  torchKernel<{ x: tf.TensorInfo; segmentIds: tf.TensorInfo }, { numSegments: number }>(
    'UnsortedSegmentSum',
    // Of single values: what compositions add up.
    (inputs) => filled((all) => all[0]!.dtype === 'float32')(inputs, {}) && inputs[0]!.shape.length === 1,
    (torch, of, { x, segmentIds }, { numSegments }) => {
      const places = torch.cast(of(segmentIds), 'int64');
      // A negative index is no segment's: a place of its own, behind the others.
      const isNone = torch.call('lt', places, torch.full([], 0, 'int64'));
      const kept = torch.call('where', isNone, torch.full([], numSegments, 'int64'), places);
      const sums = torch.call('scatterAdd', torch.full([numSegments + 1], 0), 0, kept, of(x));
      return floats(torch.call('slice', sums, 0, 0, numSegments, 1));
    },
  ),
  torchKernel<{ indices: tf.TensorInfo }, { depth: number; onValue: number; offValue: number; dtype: tf.DataType }>(
    'OneHot',
    (inputs, { dtype }) =>
      inputs[0]!.dtype === 'int32' && (dtype === 'float32' || dtype === 'int32' || dtype === 'bool'),
    (torch, of, { indices }, { depth, onValue, offValue, dtype }) => {
      const isOn = torch.call('eq', torch.view(of(indices), [...indices.shape, 1]), torch.range(depth));
      const chosen = torch.call('where', isOn, torch.constant(onValue), torch.constant(offValue));
      return { handle: torch.cast(chosen, dtype as Numeric), dtype: dtype as Numeric };
    },
  ),
];

/** PyTorch would join others, too. */
function ofOneType(inputs: readonly tf.TensorInfo[]): boolean {
  return anyNumbers(inputs, {}) && inputs.every(({ dtype }) => dtype === inputs[0]!.dtype);
}

/** Memory of its own. */
function partOf(torch: Torch, x: Handle, axis: number, first: number, size: number): Handle {
  return torch.copy(torch.call('slice', x, axis, first, first + size, 1));
}

/** `value` around x. */
export function padded(
  torch: Torch,
  x: Handle,
  info: tf.TensorInfo,
  paddings: readonly (readonly [number, number])[],
  value: number,
): Handle {
  const shape = info.shape.map((length, axis) => paddings[axis]![0] + length + paddings[axis]![1]);
  const made = torch.full(shape, value, info.dtype as Numeric);
  const inner = paddings.reduce(
    (rest, [before], axis) => torch.call('slice', rest, axis, before, before + info.shape[axis]!, 1),
    made,
  );
  torch.call('copyInto', inner, x, false);
  return made;
}
