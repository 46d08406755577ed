// Boxes: for each value of a batch the least and the most that it may be; and what linear layers make of them.
import * as tf from '@tensorflow/tfjs-core';
import { convolve, multiply } from '../model/linear.ts';
import type { Padding } from '../protocol/plan.ts';

/** Both `[n, …]`. */
export interface Box {
  readonly low: tf.Tensor;
  readonly high: tf.Tensor;
}

export function middleOf({ low, high }: Box): tf.Tensor {
  return tf.mul(tf.add(low, high), 0.5);
}

export function radiusOf({ low, high }: Box): tf.Tensor {
  return tf.mul(tf.sub(high, low), 0.5);
}

export function around(middle: tf.Tensor, radius: tf.Tensor): Box {
  return { low: tf.sub(middle, radius), high: tf.add(middle, radius) };
}

/** μ′ = Wμ + b, r′ = |W|r (Gowal et al., 2018, eq. 6), W being the product with the kernel. */
export function convolveBox(
  box: Box,
  kernel: tf.Tensor4D,
  bias: tf.Tensor1D | null,
  geometry: { readonly stride: number; readonly padding: Padding },
): Box {
  const options = { ...geometry, differentiated: 'input' } as const;
  return around(
    convolve(middleOf(box) as tf.Tensor4D, kernel, bias, options),
    convolve(radiusOf(box) as tf.Tensor4D, tf.abs(kernel), null, options),
  );
}

export function multiplyBox(box: Box, kernel: tf.Tensor2D, bias: tf.Tensor1D | null): Box {
  return around(
    multiply(middleOf(box) as tf.Tensor2D, kernel, bias, 'input'),
    multiply(radiusOf(box) as tf.Tensor2D, tf.abs(kernel), null, 'input'),
  );
}

/** scale·x + shift, by channel. */
export function scaleBox(box: Box, scale: tf.Tensor, shift: tf.Tensor): Box {
  return around(tf.add(tf.mul(middleOf(box), scale), shift), tf.mul(radiusOf(box), tf.abs(scale)));
}

export function addBoxes(a: Box, b: Box): Box {
  return { low: tf.add(a.low, b.low), high: tf.add(a.high, b.high) };
}

/** Channels one after another. */
export function besideBoxes(boxes: readonly Box[]): Box {
  const axis = boxes[0]!.low.rank - 1;
  const beside = (tensors: readonly tf.Tensor[]) => tf.concat([...tensors], axis);
  return { low: beside(boxes.map(({ low }) => low)), high: beside(boxes.map(({ high }) => high)) };
}

/** Of a layer that rises with each of its inputs. */
export function risingBox({ low, high }: Box, apply: (x: tf.Tensor) => tf.Tensor): Box {
  return { low: apply(low), high: apply(high) };
}
