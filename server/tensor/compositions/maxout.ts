// KafscopeMaxout and its gradient, block by block, so that NaN and equal values are treated as everywhere.
import * as tf from '@tensorflow/tfjs-core';
import { asRows, composedKernel, type ComposedKernel } from './composition.ts';
import { maxoutShape } from '../ops/maxout.ts';

interface Attributes {
  readonly maps: number;
}

export const maxoutKernels: readonly ComposedKernel[] = [
  composedKernel<{ x: tf.Tensor }, Attributes>('KafscopeMaxout', ({ x }, { maps }) => {
    const best = blocksOf(x, maps).reduce((kept, block) => tf.where(isTaken(block, kept), block, kept));
    return tf.reshape(best, maxoutShape(x.shape, maps));
  }),
  composedKernel<{ dy: tf.Tensor; x: tf.Tensor }, Attributes>('KafscopeMaxoutGrad', ({ dy, x }, { maps }) => {
    const [first, ...others] = blocksOf(x, maps) as [tf.Tensor, ...tf.Tensor[]];
    let best = first;
    let winner: tf.Tensor = tf.zerosLike(first);
    others.forEach((block, index) => {
      const taken = isTaken(block, best);
      best = tf.where(taken, block, best);
      winner = tf.where(taken, tf.fill(block.shape, index + 1), winner);
    });
    const upstream = tf.reshape(dy, first.shape);
    const none = tf.zerosLike(upstream);
    const parts = Array.from({ length: maps }, (_, map) => tf.where(tf.equal(winner, map), upstream, none));
    return tf.reshape(tf.concat(parts, 1), x.shape);
  }),
];

/** K tensors `[rows, C]`. */
function blocksOf(x: tf.Tensor, maps: number): tf.Tensor[] {
  return tf.split(asRows(x, x.shape.at(-1)!), maps, 1);
}

/** Where `block` is larger than `best`, or NaN where that is none. */
function isTaken(block: tf.Tensor, best: tf.Tensor): tf.Tensor {
  return tf.logicalAnd(tf.logicalNot(tf.lessEqual(block, best)), tf.equal(best, best));
}
