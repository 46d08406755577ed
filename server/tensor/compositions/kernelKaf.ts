// KafscopeKernelKaf and its gradient: a loop over kernels and dictionary whose tensors all have the shape of x.
import * as tf from '@tensorflow/tfjs-core';
import { kafKernelFormula, kafKernels } from '../../formula/kafKernels.ts';
import type { KernelKafOptions } from '../ops/kernelKaf.ts';
import { farAway } from '../reference/kernelKaf.ts';
import { evaluate } from './formula.ts';
import { swish, swishSlope } from './swish.ts';
import { asRows, composedKernel, type ComposedKernel } from './composition.ts';

interface Inputs {
  readonly x: tf.Tensor;
  readonly alpha: tf.Tensor2D;
}

export const kernelKafKernels: readonly ComposedKernel[] = [
  composedKernel<Inputs, KernelKafOptions>('KafscopeKernelKaf', ({ x, alpha }, options) => {
    const near = within(x);
    const columns = tf.unstack(alpha, 1);
    const start: tf.Tensor = options.base === 'swish' ? swish(x) : tf.zerosLike(x);
    const sum = kernelsOf(alpha, options).reduce<tf.Tensor>((before, { name, element }, column) => {
      const next = tf.tidy(() => {
        const { value } = kafKernelFormula(name, options.gamma);
        const [kernel] = evaluate([value], tf.sub(near, element), null, []);
        return tf.add(before, tf.mul(kernel!, columns[column]!));
      });
      before.dispose();
      return next;
    }, start);
    const rising = risingColumns(alpha, options);
    if (rising.length === 0) return sum;
    const rise = tf.sum(tf.gather(alpha, rising, 1), 1);
    const beyond = overshoot(x);
    return tf.add(sum, tf.where(tf.equal(beyond, 0), tf.zerosLike(x), tf.mul(beyond, rise)));
  }),
  composedKernel<Inputs & { readonly dy: tf.Tensor }, KernelKafOptions>(
    'KafscopeKernelKafGrad',
    ({ dy, x, alpha }, options) => {
      const wantsAlpha = options.gradients === 'all';
      const rows = asRows(x, alpha.shape[0]);
      const near = within(rows);
      const upstream = asRows(dy, alpha.shape[0]);
      const columns = tf.unstack(alpha, 1);
      const dcolumns: tf.Tensor[] = [];
      // NaN where x is: a slope by cases would take it for one of them.
      let slope: tf.Tensor = tf.mul(near, 0);
      kernelsOf(alpha, options).forEach(({ name, element }, column) => {
        const [next, dcolumn] = tf.tidy(() => {
          const formula = kafKernelFormula(name, options.gamma);
          const [kernel, steepness] = evaluate([formula.value, formula.slope], tf.sub(near, element), null, []);
          const whole = kafKernels[name].rise > 0 ? tf.add(kernel!, overshoot(rows)) : kernel!;
          return [
            tf.add(slope, tf.mul(steepness!, columns[column]!)),
            ...(wantsAlpha ? [tf.sum(tf.mul(upstream, whole), 0)] : []),
          ];
        }) as [tf.Tensor, tf.Tensor?];
        slope.dispose();
        slope = next;
        if (dcolumn) dcolumns.push(dcolumn);
      });
      slope = tf.reshape(slope, x.shape);
      if (options.base === 'swish') slope = tf.add(slope, swishSlope(x));
      return [tf.mul(dy, slope), wantsAlpha ? tf.stack(dcolumns, 1) : tf.zeros([0])];
    },
  ),
];

/** What belongs to each column of alpha. */
function kernelsOf(alpha: tf.Tensor2D, { kernels, boundary }: KernelKafOptions) {
  const size = alpha.shape[1] / kernels.length;
  return kernels.flatMap((name) =>
    Array.from({ length: size }, (_, i) => ({ name, element: (2 * boundary * i) / (size - 1) - boundary })),
  );
}

function risingColumns(alpha: tf.Tensor2D, options: KernelKafOptions): number[] {
  return kernelsOf(alpha, options).flatMap(({ name }, column) => (kafKernels[name].rise > 0 ? [column] : []));
}

/** NaN stays. */
function within(x: tf.Tensor): tf.Tensor {
  return tf.minimum(tf.maximum(x, -farAway), farAway);
}

function overshoot(x: tf.Tensor): tf.Tensor {
  return tf.maximum(tf.sub(x, farAway), 0);
}
