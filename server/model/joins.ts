// Where ways of a network come together, with gradients of their own: tfjs-core registers none outside its union package.
import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from './layer.ts';

/**
 * skip(x), its channels `tiles` times side by side, + branch(x), times `scale` `[1]` where there is one (SkipInit: De & Smith,
 * 2020, §4; ReZero: Bachlechner et al., 2021).
 */
export function residual(
  branch: Layer,
  skip: Layer,
  { tiles, scale }: { readonly tiles: number; readonly scale: tf.Tensor1D | null },
): Layer {
  return (x, pass) => {
    const y = branch(x, pass);
    const scaled = scale ? times(y, scale, pass.gradients) : y;
    const through = skip(x, pass);
    return add(scaled, tiles > 1 ? sideBySide(Array.from({ length: tiles }, () => through)) : through);
  };
}

/** The channels of each way, one after another: `[…, Cᵢ]` to `[…, ΣCᵢ]`. */
export function concatenate(ways: readonly Layer[]): Layer {
  return (x, pass) => sideBySide(ways.map((way) => way(x, pass)));
}

/** One value z of two classes as logits: `[N, 1]` to [0, z] `[N, 2]`, whose softmax is the logistic function of z. */
export const besideZero: Layer = (x) => sideBySide([tf.zeros(x.shape), x]);

/** Each operand gets a gradient tensor of its own: tfjs disposes one when it adds another to it. */
function add(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return tf.customGrad((...operands) => {
    const [left, right] = operands as tf.Tensor[];
    return { value: tf.add(left!, right!), gradFunc: (dy) => [tf.clone(dy as tf.Tensor), tf.clone(dy as tf.Tensor)] };
  })(a, b);
}

function times(y: tf.Tensor, scale: tf.Tensor1D, gradients: 'all' | 'input'): tf.Tensor {
  const isAll = gradients === 'all';
  const op = tf.customGrad((...operands) => {
    (operands.at(-1) as tf.GradSaveFunc)(isAll ? [y, scale] : [scale]);
    return {
      value: tf.mul(y, scale),
      gradFunc: (dy, saved) =>
        tf.tidy(() => {
          const [factor, value] = [saved.at(-1)!, saved[0]!];
          const ofBranch = tf.mul(dy as tf.Tensor, factor);
          return isAll ? [ofBranch, tf.reshape(tf.sum(tf.mul(dy as tf.Tensor, value)), [1])] : [ofBranch];
        }),
    };
  });
  return isAll ? op(y, scale) : op(y);
}

function sideBySide(parts: readonly tf.Tensor[]): tf.Tensor {
  const axis = parts[0]!.rank - 1;
  const op = tf.customGrad((...operands) => {
    const tensors = operands.slice(0, -1) as tf.Tensor[];
    const sizes = tensors.map(({ shape }) => shape[axis]!);
    return { value: tf.concat(tensors, axis), gradFunc: (dy) => tf.split(dy as tf.Tensor, sizes, axis) };
  });
  return op(...parts);
}
