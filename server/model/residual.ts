// The join of a residual block, with a gradient of its own: tfjs-core registers none outside its union package.
import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from './layer.ts';

/** branch(x) + skip(x), of the same shape. */
export function residual(branch: Layer, skip: Layer): Layer {
  return (x, pass) => add(branch(x, pass), skip(x, pass));
}

/** Each operand gets a gradient tensor of its own: tfjs disposes one when it adds another to it. */
function add(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return tf.customGrad((...operands) => {
    const [left, right] = operands as tf.Tensor[];
    return { value: tf.add(left!, right!), gradFunc: (dy) => [tf.clone(dy as tf.Tensor), tf.clone(dy as tf.Tensor)] };
  })(a, b);
}
