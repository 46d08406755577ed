// Gradients held to a length before the weights follow them. What is recorded of gradients is what they were before.
import * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '../model/parameters.ts';
import type { ClippingPlan } from '../protocol/plan.ts';
import { clipFactors } from '../tensor/ops/norms.ts';

/** Of the weights of a unit, so that one at 0 can leave it (Brock et al., 2021). */
const leastNorm = 1e-3;

/**
 * `global`: g·min(1, limit/‖all g‖) (Pascanu et al., 2013); `layer`: the same of each tensor alone; `adaptive`: of each unit,
 * g·min(1, limit·max(‖w‖, 10⁻³)/‖g‖) (Brock et al., 2021, eq. 3).
 * @param norms ‖g‖ of each, and of others behind them
 * @returns tensors that the caller disposes
 */
export function clipped(
  gradients: readonly tf.Tensor[],
  { type, limit }: ClippingPlan,
  { parameters, norms }: { readonly parameters: readonly Parameter[]; readonly norms: tf.Tensor1D },
): tf.Tensor[] {
  if (type === 'adaptive') return gradients.map((gradient, index) => byUnit(gradient, parameters[index]!, limit));
  const factors = tf.tidy(() => clipFactors(tf.slice(norms, 0, gradients.length), type, limit));
  const held = gradients.map((gradient, index) =>
    tf.tidy(() => tf.mul(gradient, tf.reshape(tf.slice(factors, index, 1), []))),
  );
  factors.dispose();
  return held;
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
