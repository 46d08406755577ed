// KafscopeKaf and its gradients: a loop over the dictionary whose tensors all have the shape of x, so that memory does not grow
// with the dictionary; nothing is kept for the way back. Each kernel is an exponential of its own: the other runtimes look
// up what belongs to each element, which whole tensors can't do.
import * as tf from '@tensorflow/tfjs-core';
import type { KafOptions } from '../ops/kaf.ts';
import { swish, swishSlope } from './swish.ts';
import { asRows, composedKernel, type ComposedKernel } from './composition.ts';

export const kafKernels: readonly ComposedKernel[] = [
  composedKernel<{ x: tf.Tensor; alpha: tf.Tensor2D }, KafOptions>('KafscopeKaf', ({ x, alpha }, options) => {
    const scaled = tf.mul(x, Math.sqrt(options.gamma));
    const columns = tf.unstack(alpha, 1);
    const start = options.base === 'swish' ? swish(x) : tf.zerosLike(x);
    return scaledDictionary(alpha, options).reduce<tf.Tensor>((sum, element, i) => {
      const next = tf.tidy(() => {
        const kernel = tf.exp(tf.neg(tf.squaredDifference(scaled, element)));
        return tf.add(sum, tf.mul(kernel, columns[i]!));
      });
      sum.dispose();
      return next;
    }, start);
  }),
  composedKernel<{ dy: tf.Tensor; x: tf.Tensor; alpha: tf.Tensor2D }, KafOptions>(
    'KafscopeKafGrad',
    ({ dy, x, alpha }, options) => {
      const { gamma, boundary, gradients, base } = options;
      const root = Math.sqrt(gamma);
      // Outside by more than 11 every kernel is 0 in float32; an infinite distance would make its slope NaN.
      const furthest = boundary * root + 11;
      const scaled = tf.minimum(tf.maximum(tf.mul(asRows(x, alpha.shape[0]), root), -furthest), furthest);
      const upstream = asRows(dy, alpha.shape[0]);
      const columns = tf.unstack(alpha, 1);
      const dcolumns: tf.Tensor[] = [];
      let slope: tf.Tensor = tf.zerosLike(scaled);
      scaledDictionary(alpha, options).forEach((element, i) => {
        const [next, dcolumn] = tf.tidy(() => {
          const distance = tf.sub(scaled, element);
          const kernel = tf.exp(tf.neg(tf.square(distance)));
          return [
            tf.add(slope, tf.mul(tf.mul(kernel, distance), columns[i]!)),
            ...(gradients === 'all' ? [tf.sum(tf.mul(upstream, kernel), 0)] : []),
          ];
        }) as [tf.Tensor, tf.Tensor?];
        slope.dispose();
        slope = next;
        if (dcolumn) dcolumns.push(dcolumn);
      });
      slope = tf.reshape(tf.mul(slope, -2 * root), x.shape);
      if (base === 'swish') slope = tf.add(slope, swishSlope(x));
      return [tf.mul(dy, slope), gradients === 'all' ? tf.stack(dcolumns, 1) : tf.zeros([0])];
    },
  ),
];

/** The dictionary times √γ. */
function scaledDictionary(alpha: tf.Tensor2D, { boundary, gamma }: KafOptions): number[] {
  const count = alpha.shape[1];
  const step = (2 * boundary) / (count - 1);
  return Array.from({ length: count }, (_, i) => Math.sqrt(gamma) * (i * step - boundary));
}
