// Where an attack starts and how it steps, in the units of the samples: pictures in pixel units of [0, 1], whose box they never
// leave; columns of a table in standard deviations of each column, without a box.
import * as tf from '@tensorflow/tfjs-core';
import { attackStepLinf, type AttackStepOptions } from '../tensor/ops/attackStep.ts';

/** float32 `[features]`, the standard deviation of each column; null for pictures. Owned by whoever made it. */
export type ColumnUnits = tf.Tensor1D | null;

/** Noise of the ball about 0, drawn in units, as what it adds to a sample. */
export function inUnits<T extends tf.Tensor>(noise: T, units: ColumnUnits): T {
  return units ? tf.mul<T>(noise, units) : noise;
}

/** A sample back in its box, where it has one. */
export function inBox<T extends tf.Tensor>(samples: T, units: ColumnUnits): T {
  return units ? samples : tf.clipByValue(samples, 0, 1);
}

/**
 * One L∞ step (Madry et al., 2018, §2.1): with units u, c + clip(x + stepSize·u·sign(g) − c, ±epsilon·u).
 * @param x the present samples, @param clean c, @param gradient g: float32 of one shape, `[batch, features]` with units
 */
export function stepInBall<T extends tf.Tensor>(
  x: T,
  clean: tf.Tensor,
  gradient: tf.Tensor,
  options: AttackStepOptions,
  units: ColumnUnits,
): T {
  if (!units) return attackStepLinf(x, clean, gradient, options);
  return tf.tidy(() => {
    const radius = tf.mul(units, options.epsilon);
    const moved = tf.add(x, tf.mul(tf.sign(gradient), tf.mul(units, options.stepSize)));
    const offset = tf.minimum(tf.maximum(tf.sub(moved, clean), tf.neg(radius)), radius);
    return tf.add<T>(clean, offset);
  });
}
