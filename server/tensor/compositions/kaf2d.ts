// KafscopeKaf2d and its gradient: loops over the grid of the dictionary whose tensors all have the shape of y.
import * as tf from '@tensorflow/tfjs-core';
import type { Kaf2dOptions } from '../ops/kaf2d.ts';
import { composedKernel, type ComposedKernel } from './composition.ts';

interface Inputs {
  readonly x: tf.Tensor;
  readonly alpha: tf.Tensor2D;
}

export const kaf2dKernels: readonly ComposedKernel[] = [
  composedKernel<Inputs, Kaf2dOptions>('KafscopeKaf2d', ({ x, alpha }, options) => {
    const nChannels = alpha.shape[0];
    const [u, v] = axesOf(x, alpha, options);
    const columns = tf.unstack(alpha, 1);
    const sum = u.kernels.reduce<tf.Tensor>(
      (before, kernel, i) => tf.add(before, tf.mul(kernel, combined(columns, i, v.kernels))),
      tf.zerosLike(u.kernels[0]!),
    );
    return tf.reshape(sum, [...x.shape.slice(0, -1), nChannels]);
  }),
  composedKernel<Inputs & { readonly dy: tf.Tensor }, Kaf2dOptions>(
    'KafscopeKaf2dGrad',
    ({ dy, x, alpha }, options) => {
      const wantsAlpha = options.gradients === 'all';
      const [u, v] = axesOf(x, alpha, options);
      const columns = tf.unstack(alpha, 1);
      const upstream = tf.reshape(dy, u.kernels[0]!.shape);
      const zero: tf.Tensor = tf.zerosLike(upstream);
      const dcolumns: tf.Tensor[] = [];
      let [ofFirst, ofSecond] = [zero, zero];
      u.kernels.forEach((kernel, i) => {
        ofFirst = tf.add(ofFirst, tf.mul(u.slopes[i]!, combined(columns, i, v.kernels)));
        ofSecond = tf.add(ofSecond, tf.mul(kernel, combined(columns, i, v.slopes)));
        if (!wantsAlpha) return;
        const weight = tf.mul(upstream, kernel);
        for (const other of v.kernels) dcolumns.push(tf.tidy(() => tf.sum(tf.mul(weight, other), 0)));
      });
      const pairs = tf.concat([tf.mul(upstream, ofFirst), tf.mul(upstream, ofSecond)], 1);
      return [tf.reshape(pairs, x.shape), wantsAlpha ? tf.stack(dcolumns, 1) : tf.zeros([0])];
    },
  ),
];

/** Σⱼ αᵢⱼ·functionⱼ. */
function combined(columns: readonly tf.Tensor[], i: number, functions: readonly tf.Tensor[]): tf.Tensor {
  return tf.tidy(() =>
    functions.reduce<tf.Tensor>(
      (sum, each, j) => tf.add(sum, tf.mul(each, columns[i * functions.length + j]!)),
      tf.zerosLike(functions[0]!),
    ),
  );
}

interface Axis {
  readonly kernels: readonly tf.Tensor[];
  readonly slopes: readonly tf.Tensor[];
}

/** Of the first and of the second of each pair, `[rows, C]`. */
function axesOf(x: tf.Tensor, alpha: tf.Tensor2D, { boundary, gamma }: Kaf2dOptions): [Axis, Axis] {
  const [nChannels, length] = alpha.shape;
  const side = Math.round(Math.sqrt(length));
  const nRows = nChannels === 0 ? 0 : x.size / nChannels / 2;
  const rows: tf.Tensor = tf.reshape(x, [nRows, 2 * nChannels]);
  // Outside by more than 11/√γ every kernel is 0 in float32; an infinite distance would make its slope NaN.
  const furthest = boundary + 11 / Math.sqrt(gamma);
  const inside = tf.minimum(tf.maximum(rows, -furthest), furthest);
  const axis = (from: number): Axis => {
    const values = tf.slice(inside, [0, from], [nRows, nChannels]);
    const offsets = Array.from({ length: side }, (_, i) => tf.sub(values, (2 * boundary * i) / (side - 1) - boundary));
    const kernels = offsets.map((offset) => tf.exp(tf.mul(tf.square(offset), -gamma)));
    return { kernels, slopes: kernels.map((kernel, i) => tf.mul(tf.mul(offsets[i]!, -2 * gamma), kernel)) };
  };
  return [axis(0), axis(nChannels)];
}
