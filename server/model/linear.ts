// Convolution and dense layers' products with exactly the gradients that are asked for: tfjs's own compute all of them, which
// an attack (input only) and a first layer (parameters only) would pay for in vain.
import * as tf from '@tensorflow/tfjs-core';
import type { Padding } from '../protocol/plan.ts';

/** What a product is differentiated with respect to. */
export type Differentiated = 'input' | 'parameters' | 'both';

interface ConvolutionOptions {
  readonly stride: number;
  readonly padding: Padding;
  readonly differentiated: Differentiated;
}

/**
 * y = x ⋆ kernel + bias. x `[N,H,W,I]`, kernel `[K,K,I,O]`, bias `[O]` or none; padded as TensorFlow's `same` (an odd pixel comes
 * last), y is `[N,⌈H/stride⌉,⌈W/stride⌉,O]`, unpadded (`valid`) `[N,⌊(H−K)/stride⌋+1,⌊(W−K)/stride⌋+1,O]`.
 */
export function convolve(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  bias: tf.Tensor1D | null,
  { stride, padding: pad, differentiated }: ConvolutionOptions,
): tf.Tensor4D {
  const geometry = { strides: [stride, stride], pad, dataFormat: 'NHWC', dimRoundingMode: undefined } as const;
  const biased = bias ? { bias } : {};
  return product<tf.Tensor4D>(x, kernel, bias, differentiated, {
    value: () => tf.fused.conv2d({ x, filter: kernel, ...biased, strides: stride, pad, activation: 'linear' }),
    inputGradient: (dy) =>
      runKernel(tf.Conv2DBackpropInput, { dy, filter: kernel }, { ...geometry, inputShape: x.shape }),
    kernelGradient: (dy, savedX) =>
      runKernel(tf.Conv2DBackpropFilter, { x: savedX, dy }, { ...geometry, filterShape: kernel.shape }),
    biasGradient: (dy) => tf.sum(dy, [0, 1, 2]),
  });
}

/** y = x·kernel + bias; x `[N,I]`, kernel `[I,O]`, bias `[O]` or none, y `[N,O]`. */
export function multiply(
  x: tf.Tensor2D,
  kernel: tf.Tensor2D,
  bias: tf.Tensor1D | null,
  differentiated: Differentiated,
): tf.Tensor2D {
  const biased = bias ? { bias } : {};
  return product<tf.Tensor2D>(x, kernel, bias, differentiated, {
    value: () => tf.fused.matMul({ a: x, b: kernel, ...biased, activation: 'linear' }) as tf.Tensor2D,
    inputGradient: (dy) => tf.matMul(dy, kernel, false, true),
    kernelGradient: (dy, savedX) => tf.matMul(savedX, dy, true, false),
    biasGradient: (dy) => tf.sum(dy, 0),
  });
}

interface ProductParts<T extends tf.Tensor> {
  readonly value: () => T;
  readonly inputGradient: (dy: T) => tf.Tensor;
  /** `savedX` is x as it was saved on the way forward, when x itself may be gone. */
  readonly kernelGradient: (dy: T, savedX: T) => tf.Tensor;
  readonly biasGradient: (dy: T) => tf.Tensor;
}

/** Only the differentiated operands are the custom op's inputs; the tape sees the others as constants. */
function product<T extends tf.Tensor>(
  x: tf.Tensor,
  kernel: tf.Tensor,
  bias: tf.Tensor | null,
  differentiated: Differentiated,
  parts: ProductParts<T>,
): T {
  const isOfInput = differentiated !== 'parameters';
  const isOfParameters = differentiated !== 'input';
  const inputs = [...(isOfInput ? [x] : []), ...(isOfParameters ? [kernel, ...(bias ? [bias] : [])] : [])];
  const op = tf.customGrad((...operands) => {
    const save = operands.at(-1) as tf.GradSaveFunc;
    save(isOfParameters ? [x] : []);
    return {
      value: parts.value(),
      gradFunc: (dy, [savedX]) => [
        ...(isOfInput ? [parts.inputGradient(dy as T)] : []),
        ...(isOfParameters ? [parts.kernelGradient(dy as T, savedX as T)] : []),
        ...(isOfParameters && bias ? [parts.biasGradient(dy as T)] : []),
      ],
    };
  });
  return op(...inputs) as T;
}

function runKernel(name: string, inputs: object, attributes: object): tf.Tensor {
  return tf.engine().runKernel(name, inputs as tf.NamedTensorMap, attributes as tf.NamedAttrMap) as tf.Tensor;
}
