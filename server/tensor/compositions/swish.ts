// Swish as the base of a residual KAF; as an activation of its own it is a formula.
import * as tf from '@tensorflow/tfjs-core';

/** x·σ(x), with its limits at ±Inf: below −100 the value is under 4e-42 in magnitude. */
export function swish(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const clamped = tf.maximum(x, -100);
    return tf.mul(clamped, tf.sigmoid(clamped));
  });
}

/** σ(x)·(1 + x·(1 − σ(x))), with its limits 0 and 1 at ±Inf. */
export function swishSlope(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const clamped = tf.minimum(tf.maximum(x, -100), 100);
    const sigmoid = tf.sigmoid(clamped);
    return tf.mul(sigmoid, tf.add(1, tf.mul(clamped, tf.sub(1, sigmoid))));
  });
}
