// The set that an attack keeps to, on tensors: ‖x − clean‖ ≤ ε, and the values that a sample may have.
import * as tf from '@tensorflow/tfjs-core';
import { attackStepLinf, type AttackStepOptions } from '../tensor/ops/attackStep.ts';
import type { Trial } from './trial.ts';

/** Of float32's normal numbers: what a length is divided by instead of 0. */
const tiniest = 1.2e-38;

export interface BallOptions {
  readonly norm: 'linf' | 'l2';
  readonly epsilon: number;
}

/** A start drawn uniformly in the ball: by coordinate; under L2 a normal direction, its length the d-th root of a uniform number. */
export function startInBall(trial: Trial, { norm, epsilon }: BallOptions, draw = 0): tf.Tensor {
  return tf.tidy(() => {
    if (norm === 'linf') return clip(trial, tf.add(trial.clean, trial.uniform(2 * draw, -epsilon, epsilon)));
    const size = trial.target.shape.reduce((product, length) => product * length, 1);
    // The first value of each image's own uniform draw.
    const share = tf.slice(tf.reshape(trial.uniform(2 * draw + 1, 0, 1), [trial.size, size]), [0, 0], [trial.size, 1]);
    const length = tf.mul(tf.pow(share, 1 / size), epsilon);
    return clip(trial, tf.add(trial.clean, tf.mul(unit(trial.normal(2 * draw)), likeImages(length, trial.clean))));
  });
}

/** What the ball is about, and what values a sample may have. */
type Surroundings = Pick<Trial, 'clean' | 'bounds'>;

/** x ← Π(x + stepSize·direction), the direction being sign g under L∞ and g/‖g‖₂ under L2. */
export function stepInBall(
  trial: Surroundings,
  { norm, epsilon }: BallOptions,
  { x, gradient, stepSize }: { readonly x: tf.Tensor; readonly gradient: tf.Tensor; readonly stepSize: number },
): tf.Tensor {
  const { clean, bounds } = trial;
  return tf.tidy(() => {
    if (norm === 'linf') return stepLinf(x, clean, gradient, { stepSize, epsilon, bounds });
    const offset = tf.sub(tf.add(x, tf.mul(unit(gradient), stepSize)), clean);
    const length = lengthOf(offset);
    const scale = tf.div(epsilon, tf.maximum(length, epsilon));
    return clip(trial, tf.add(clean, tf.mul(offset, likeImages(scale, clean))));
  });
}

/** clean + clip(x + stepSize·sign g − clean, ±ε), within [0, 1] where there are bounds. */
export function stepLinf<T extends tf.Tensor>(
  x: T,
  clean: T,
  gradient: tf.Tensor,
  { bounds, ...step }: AttackStepOptions & { readonly bounds: Trial['bounds'] },
): T {
  if (bounds) return attackStepLinf(x, clean, gradient, step);
  return tf.tidy(() => {
    const offset = tf.sub(tf.add(x, tf.mul(tf.sign(gradient), step.stepSize)), clean);
    return tf.add<T>(clean, tf.clipByValue(offset, -step.epsilon, step.epsilon));
  });
}

/** g/‖g‖₂, an image at a time; 0 stays 0. */
export function unit(images: tf.Tensor): tf.Tensor {
  return tf.div(images, likeImages(tf.maximum(lengthOf(images), tiniest), images));
}

export function likeImages(perRow: tf.Tensor, images: tf.Tensor): tf.Tensor {
  return tf.reshape(perRow, [images.shape[0]!, ...images.shape.slice(1).map(() => 1)]);
}

/** ‖·‖₂ of each, `[n]`. */
export function lengthOf(images: tf.Tensor): tf.Tensor {
  return tf.sqrt(
    tf.sum(
      tf.square(images),
      images.shape.slice(1).map((_, axis) => axis + 1),
    ),
  );
}

function clip({ bounds }: Pick<Surroundings, 'bounds'>, images: tf.Tensor): tf.Tensor {
  return bounds ? tf.clipByValue(images, ...bounds) : images;
}
