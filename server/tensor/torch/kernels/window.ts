// What convolutions and poolings share: tfjs's tensors are [batch, height, width, channels] in that order of memory, which PyTorch calls
// [batch, channels, height, width] in the memory format channels-last. So a permuted view is all that either side needs.
import type * as tf from '@tensorflow/tfjs-core';
import type { Handle, Torch } from '../torch.ts';
import { padded } from './placement.ts';

export interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** On both sides of each axis. PyTorch knows no others: what more a side has, is in `extra`. */
  readonly padding: readonly [number, number];
  /** [top, bottom, left, right] to be laid around the image itself; null for none. */
  readonly extra: readonly [number, number, number, number] | null;
}

type Info = Pick<
  tf.backend_util.Conv2DInfo,
  'padInfo' | 'strideHeight' | 'strideWidth' | 'dilationHeight' | 'dilationWidth' | 'filterHeight' | 'filterWidth'
>;

export function windowOf(info: Info): Window {
  const { top, bottom, left, right } = info.padInfo;
  const isEven = top === bottom && left === right;
  return {
    kernel: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    padding: isEven ? [top, left] : [0, 0],
    extra: isEven ? null : [top, bottom, left, right],
  };
}

/** PyTorch counts windows that fit; tfjs may be asked to round their number otherwise. */
export function roundsDown({ dimRoundingMode }: tf.NamedAttrMap): boolean {
  return dimRoundingMode === undefined || dimRoundingMode === 'floor';
}

/** As PyTorch calls it, `value` laid around it where the window asks for that. */
export function imageOf(torch: Torch, x: Handle, info: tf.TensorInfo, { extra }: Window, value = 0): Handle {
  const laid = extra
    ? padded(
        torch,
        x,
        info,
        [
          [0, 0],
          [extra[0], extra[1]],
          [extra[2], extra[3]],
          [0, 0],
        ],
        value,
      )
    : x;
  return torch.call('permute', laid, [0, 3, 1, 2]);
}

/** [batch, height, width, channels] with what the window asks to be laid around it. */
export function laidShape(shape: readonly number[], { extra }: Window): [number, number, number, number] {
  const [batch, height, width, channels] = shape as [number, number, number, number];
  const [top, bottom, left, right] = extra ?? [0, 0, 0, 0];
  return [batch, height + top + bottom, width + left + right, channels];
}

/** Back to tfjs's order, without what was laid around. */
export function fromImage(torch: Torch, y: Handle, shape: readonly number[], { extra }: Window): Handle {
  const made = torch.call('permute', y, [0, 2, 3, 1]);
  if (!extra) return made;
  const rows = torch.call('slice', made, 1, extra[0], extra[0] + shape[1]!, 1);
  return torch.call('slice', rows, 2, extra[2], extra[2] + shape[2]!, 1);
}
