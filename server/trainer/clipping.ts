// Gradients held to a length before the weights follow them. What is recorded of gradients is what they were before.
import * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '../model/parameters.ts';
import type { ClippingPlan } from '../protocol/plan.ts';

/** Of the weights of a unit, so that one at 0 can leave it (Brock et al., 2021). */
const leastNorm = 1e-3;

/**
 * `global`: g·min(1, limit/‖all g‖) (Pascanu et al., 2013); `layer`: the same of each tensor alone; `adaptive`: of each unit,
 * g·min(1, limit·max(‖w‖, 10⁻³)/‖g‖) (Brock et al., 2021, eq. 3).
 * @param norms ‖g‖ of each
 * @returns tensors that the caller disposes
 */
export function clipped(
  gradients: readonly tf.Tensor[],
  { type, limit }: ClippingPlan,
  { parameters, norms }: { readonly parameters: readonly Parameter[]; readonly norms: ArrayLike<number> },
): tf.Tensor[] {
  if (type === 'adaptive') return gradients.map((gradient, index) => byUnit(gradient, parameters[index]!, limit));
  const total = Math.sqrt(Array.from(norms).reduce((sum, norm) => sum + norm * norm, 0));
  return gradients.map((gradient, index) => {
    const norm = type === 'global' ? total : norms[index]!;
    return norm > limit ? tf.tidy(() => tf.mul(gradient, limit / norm)) : gradient.clone();
  });
}

/** A unit's weights are what makes one output: of kernels all but the last axis, of other tensors all of a row. */
function byUnit(gradient: tf.Tensor, { variable, kernelOf, shape }: Parameter, limit: number): tf.Tensor {
  const axes = shape.map((_, axis) => axis);
  const ofUnit = kernelOf ? axes.slice(0, -1) : axes.slice(1);
  return tf.tidy(() => {
    const lengthOf = (x: tf.Tensor) => (ofUnit.length === 0 ? tf.abs(x) : tf.sqrt(tf.sum(tf.square(x), ofUnit, true)));
    const most = tf.mul(tf.maximum(lengthOf(variable), leastNorm), limit);
    const own = lengthOf(gradient);
    const factor = tf.where(tf.greater(own, most), tf.div(most, tf.maximum(own, 1.2e-38)), tf.onesLike(own));
    return tf.mul(gradient, factor);
  });
}
