// Pooling and flattening, with gradients of their own: tfjs-core registers none for them outside its union package.
import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from './layer.ts';

const window = { filterSize: 2, strides: 2, pad: 'valid', dimRoundingMode: undefined } as const;

/** 2×2 maximum with stride 2; `[N,H,W,C]` to `[N,H/2,W/2,C]`. Of equal values the gradient goes to the first. */
export const maxPool: Layer = (x) =>
  differentiable(x, {
    value: () => tf.maxPool(x as tf.Tensor4D, window.filterSize, window.strides, window.pad),
    gradient: (dy, [input, output]) =>
      tf
        .engine()
        .runKernel(tf.MaxPoolGrad, { dy, input, output } as tf.NamedTensorMap, window as unknown as tf.NamedAttrMap),
    isSaved: true,
  });

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

/** `[N,H,W,C]` to `[N,H·W·C]`. */
export const flatten: Layer = (x) => {
  const [batch, height, width, channels] = (x as tf.Tensor4D).shape;
  return differentiable(x, {
    value: () => tf.reshape(x, [batch, height * width * channels]),
    gradient: (dy) => tf.reshape(dy, x.shape),
    isSaved: false,
  });
};

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
