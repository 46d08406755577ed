// KafscopeFreeKaf and its gradients: a loop over the dictionary whose tensors all have the shape of x, as in kaf.ts.
import * as tf from '@tensorflow/tfjs-core';
import type { FreeKafOptions } from '../ops/freeKaf.ts';
import { swish, swishSlope } from './swish.ts';
import { asRows, composedKernel, type ComposedKernel } from './composition.ts';

interface Inputs {
  readonly x: tf.Tensor;
  readonly alpha: tf.Tensor2D;
  readonly dictionary: tf.Tensor2D;
  readonly logGamma: tf.Tensor1D;
}

export const freeKafKernels: readonly ComposedKernel[] = [
  composedKernel<Inputs, FreeKafOptions>('KafscopeFreeKaf', ({ x, alpha, dictionary, logGamma }, { base }) => {
    const gamma = tf.exp(logGamma);
    const columns = tf.unstack(alpha, 1);
    const start = base === 'swish' ? swish(x) : tf.zerosLike(x);
    return tf.unstack(dictionary, 1).reduce<tf.Tensor>((sum, element, i) => {
      const next = tf.tidy(() => {
        const kernel = tf.exp(tf.neg(tf.mul(tf.squaredDifference(x, element), gamma)));
        return tf.add(sum, tf.mul(kernel, columns[i]!));
      });
      sum.dispose();
      return next;
    }, start);
  }),
  composedKernel<Inputs & { readonly dy: tf.Tensor }, FreeKafOptions>(
    'KafscopeFreeKafGrad',
    ({ dy, x, alpha, dictionary, logGamma }, { base, gradients }) => {
      const gamma = tf.exp(logGamma);
      const nChannels = alpha.shape[0];
      // Kernels there are 0; an infinite distance would make their slopes NaN.
      const rows = tf.minimum(tf.maximum(asRows(x, nChannels), -1e18), 1e18);
      const upstream = asRows(dy, nChannels);
      const columns = tf.unstack(alpha, 1);
      const wantsAll = gradients === 'all';
      const dalphas: tf.Tensor[] = [];
      const pulls: tf.Tensor[] = [];
      let slope: tf.Tensor = tf.zerosLike(rows);
      let spread: tf.Tensor = tf.zerosLike(gamma);
      tf.unstack(dictionary, 1).forEach((element, i) => {
        const [nextSlope, nextSpread, ...sums] = tf.tidy(() => {
          const distance = tf.sub(rows, element);
          const kernel = tf.exp(tf.neg(tf.mul(tf.square(distance), gamma)));
          const moment = tf.mul(kernel, distance);
          const next = tf.add(slope, tf.mul(moment, columns[i]!));
          if (!wantsAll) return [next, tf.clone(spread)];
          const weighted = tf.mul(upstream, moment);
          return [
            next,
            tf.add(spread, tf.mul(columns[i]!, tf.sum(tf.mul(weighted, distance), 0))),
            ...[tf.sum(tf.mul(upstream, kernel), 0), tf.sum(weighted, 0)],
          ];
        }) as [tf.Tensor, tf.Tensor, ...tf.Tensor[]];
        tf.dispose([slope, spread]);
        slope = nextSlope;
        spread = nextSpread;
        if (!wantsAll) return;
        dalphas.push(sums[0]!);
        pulls.push(sums[1]!);
      });
      slope = tf.reshape(tf.mul(slope, tf.mul(gamma, -2)), x.shape);
      if (base === 'swish') slope = tf.add(slope, swishSlope(x));
      const dx = tf.mul(dy, slope);
      if (!wantsAll) return [dx, tf.zeros([0]), tf.zeros([0]), tf.zeros([0])];
      const steepness = tf.mul(tf.reshape(gamma, [nChannels, 1]), 2);
      const ddictionary = tf.mul(tf.mul(alpha, steepness), tf.stack(pulls, 1));
      return [dx, tf.stack(dalphas, 1), ddictionary, tf.neg(tf.mul(gamma, spread))];
    },
  ),
];
