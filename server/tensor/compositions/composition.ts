// What every kernel of this folder is made of: a name, and a composition of tfjs's own operations, each a kernel of the backend.
// The backend has its own memory: nothing here sees a tensor's values unless it asks for a copy.
import * as tf from '@tensorflow/tfjs-core';

export interface ComposedKernel {
  readonly kernelName: string;
  readonly kernelFunc: tf.KernelFunc;
}

/** The result must not be one of the inputs; what else is made on the way is disposed of. */
export function composedKernel<Inputs, Attributes>(
  kernelName: string,
  compose: (inputs: Inputs, attributes: Attributes, backend: ComposingBackend) => tf.Tensor | tf.Tensor[],
): ComposedKernel {
  return {
    kernelName,
    kernelFunc: ({ inputs, attrs, backend }) =>
      tf.tidy(() => compose(inputs as Inputs, attrs as Attributes, backend as ComposingBackend)),
  };
}

/** What compositions need of a backend besides tfjs's operations. */
export interface ComposingBackend extends tf.KernelBackend {
  /** Gives the target what the source holds (and the source what the target held): an update in place, also for its clones. */
  overwrite(target: tf.TensorInfo, source: tf.TensorInfo): void;
}

/** `[…, C]` as `[rows, C]`. */
export function asRows(x: tf.Tensor, nChannels: number): tf.Tensor2D {
  return tf.reshape(x, [nChannels === 0 ? 0 : x.size / nChannels, nChannels]);
}
