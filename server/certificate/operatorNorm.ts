// The largest singular value of a linear layer.
import * as tf from '@tensorflow/tfjs-core';
import { randomStreams } from '../model/randomStreams.ts';
import { readFloats } from '../tensor/read.ts';
import { normal } from '../tensor/ops/random.ts';
import { convolve, multiply } from '../model/linear.ts';
import type { Padding } from '../protocol/plan.ts';

export interface Operator {
  /** Of what it takes, without the batch. */
  readonly inputShape: readonly number[];
  readonly apply: (x: tf.Tensor) => tf.Tensor;
}

export function convolutionOperator(
  kernel: tf.Tensor4D,
  inputShape: readonly number[],
  geometry: { readonly stride: number; readonly padding: Padding },
): Operator {
  const options = { ...geometry, differentiated: 'input' } as const;
  return { inputShape, apply: (x) => convolve(x as tf.Tensor4D, kernel, null, options) };
}

export function denseOperator(kernel: tf.Tensor2D): Operator {
  return { inputShape: [kernel.shape[0]], apply: (x) => multiply(x as tf.Tensor2D, kernel, null, 'input') };
}

/** Steps of power iteration, and the chance that its bound is too small. */
const [steps, chance] = [100, 1e-6];

/**
 * An upper bound of ‖W‖₂ that fails with a chance of at most 1e-6 over the start. The power method from a uniform direction finds after k
 * steps a Rayleigh quotient ξ of WᵀW, which is below (1 − e)·‖W‖² with a chance of at most 0.824·√n·(1 − e)^(k − ½) (Kuczyński &
 * Woźniakowski, 1992, theorem 4.1): so ‖W‖² ≤ ξ/(1 − e) with the e at which that is 1e-6. Yields between steps.
 */
export function* operatorNorm({ inputShape, apply }: Operator, seed: number): Generator<void, number, void> {
  const size = inputShape.reduce((product, length) => product * length, 1);
  const key = { seed, stream: randomStreams.operatorNorm, counter: 0 };
  let direction: tf.Tensor = normal([1, ...inputShape], 0, 1, key);
  let quotient = 0;
  for (let step = 0; step < steps; step++) {
    const { next, found } = tf.tidy(() => {
      const length = tf.norm(direction);
      const unit = tf.div(direction, tf.maximum(length, 1.2e-38));
      const { value, grad } = tf.valueAndGrad((x) => halfSquare(apply(x!)))(unit);
      return { next: grad, found: 2 * readFloats(value)[0]! };
    });
    direction.dispose();
    direction = next;
    quotient = Math.max(quotient, found);
    yield;
  }
  direction.dispose();
  const share = (chance / (0.824 * Math.sqrt(size))) ** (1 / (steps - 0.5));
  return Math.sqrt(quotient / share);
}

/** ½‖y‖², with a gradient of its own: tfjs-core registers none. */
function halfSquare(y: tf.Tensor): tf.Scalar {
  return tf.customGrad((x, save) => {
    (save as tf.GradSaveFunc)([x as tf.Tensor]);
    return {
      value: tf.mul(0.5, tf.sum(tf.square(x as tf.Tensor))),
      gradFunc: (dy, [saved]) => tf.mul(dy as tf.Tensor, saved!),
    };
  })(y) as tf.Scalar;
}
