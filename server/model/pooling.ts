// Pooling and flattening, with gradients of their own: tfjs-core registers none for them outside its union package.
import * as tf from '@tensorflow/tfjs-core';
import type { Padding } from '../protocol/plan.ts';
import type { Layer } from './layer.ts';

interface Window {
  readonly size: number;
  readonly stride: number;
  readonly padding: Padding;
}

/** Largest of size×size; `[N,H,W,C]` to `[N,H′,W′,C]`, H′ and W′ as of a convolution. Of equal values the gradient goes to the first. */
export function maxPool({ size, stride, padding }: Window): Layer {
  const window = { filterSize: size, strides: stride, pad: padding, dimRoundingMode: undefined };
  return (x) =>
    differentiable(x, {
      value: () => tf.maxPool(x as tf.Tensor4D, size, stride, padding),
      gradient: (dy, [input, output]) => runKernel(tf.MaxPoolGrad, { dy, input: input!, output: output! }, window),
      isSaved: true,
    });
}

/**
 * Mean of size×size, of the pixels of the map alone where it is padded. Padding is done here and its share of the mean undone: tfjs's
 * own gradient divides by the whole window at an edge, too, where its mean does not.
 */
export function averagePool({ size, stride, padding }: Window): Layer {
  const window = { filterSize: size, strides: stride, pad: 'valid', dimRoundingMode: undefined };
  const mean = (x: tf.Tensor) => tf.avgPool(x as tf.Tensor4D, size, stride, 'valid');
  const spread = (dy: tf.Tensor, input: tf.Tensor) => runKernel(tf.AvgPoolGrad, { dy, input }, window);
  const plain: Layer = (x) =>
    differentiable(x, { value: () => mean(x), gradient: (dy, [input]) => spread(dy, input!), isSaved: true });
  if (padding === 'valid') return plain;
  return (x, pass) => {
    const [, height, width] = x.shape as [number, number, number, number];
    const [top, bottom] = paddingOf(height, size, stride);
    const [left, right] = paddingOf(width, size, stride);
    if (top + bottom + left + right === 0) return plain(x, pass);
    const around: [number, number][] = [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ];
    const correction = () => {
      const [rows, columns] = [sharesOf(height, size, stride), sharesOf(width, size, stride)];
      const channels = x.shape[3]!;
      const values = rows.flatMap((row) =>
        columns.flatMap((column) => Array<number>(channels).fill(1 / (row * column))),
      );
      return tf.tensor(values, [1, rows.length, columns.length, channels]);
    };
    return differentiable(x, {
      value: () => tf.mul(mean(tf.pad(x, around)), correction()),
      gradient: (dy, [input]) => {
        const ofPadded = spread(tf.mul(dy, correction()), tf.pad(input!, around));
        return tf.slice(ofPadded, [0, top, left, 0], input!.shape);
      },
      isSaved: true,
    });
  };
}

/** Which share of each window's length is inside of the map. */
function sharesOf(length: number, size: number, stride: number): number[] {
  const [before] = paddingOf(length, size, stride);
  return Array.from({ length: Math.ceil(length / stride) }, (_, index) => {
    const start = index * stride - before;
    return (Math.min(length, start + size) - Math.max(0, start)) / size;
  });
}

/** Before and behind, as TensorFlow's `same`: an odd pixel comes last. */
function paddingOf(length: number, size: number, stride: number): [before: number, behind: number] {
  const total = Math.max(0, (Math.ceil(length / stride) - 1) * stride + size - length);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** Mean over height and width; `[N,H,W,C]` to `[N,C]`. Both ways are matrix products, the fastest kernel of every runtime. */
export const globalAveragePool: Layer = (x) => {
  const [batch, height, width, channels] = (x as tf.Tensor4D).shape;
  const nPixels = height * width;
  return differentiable(x, {
    value: () => {
      const average = tf.fill([1, 1, nPixels], 1 / nPixels);
      return tf.reshape(tf.matMul(average, tf.reshape(x, [batch, nPixels, channels])), [batch, channels]);
    },
    gradient: (dy) => {
      const spread = tf.fill([1, nPixels, 1], 1 / nPixels);
      return tf.reshape(tf.matMul(spread, tf.reshape(dy, [batch, 1, channels])), x.shape);
    },
    isSaved: false,
  });
};

/** `[N, …]` to `[N, all the values of a sample]`. */
export const flatten: Layer = (x) =>
  differentiable(x, {
    value: () => tf.reshape(x, [x.shape[0]!, x.shape.slice(1).reduce((product, length) => product * length, 1)]),
    gradient: (dy) => tf.reshape(dy, x.shape),
    isSaved: false,
  });

interface Parts {
  readonly value: () => tf.Tensor;
  /** `saved` is input and output, if `isSaved`: on the way back, the tensors themselves are gone. */
  readonly gradient: (dy: tf.Tensor, saved: readonly tf.Tensor[]) => tf.Tensor;
  readonly isSaved: boolean;
}

function differentiable(x: tf.Tensor, { value, gradient, isSaved }: Parts): tf.Tensor {
  return tf.customGrad((_, save) => {
    const y = value();
    (save as tf.GradSaveFunc)(isSaved ? [x, y] : []);
    // tfjs tidies what the value leaves behind, but what the gradient does it keeps until the whole pass is done.
    return { value: y, gradFunc: (dy, saved) => tf.tidy(() => gradient(dy as tf.Tensor, saved)) };
  })(x);
}

function runKernel(name: string, inputs: tf.NamedTensorMap, attributes: object): tf.Tensor {
  return tf.engine().runKernel(name, inputs, attributes as tf.NamedAttrMap);
}
