// What every kernel of this folder is made of: a name, and a composition of tfjs's own operations, each a kernel of TensorFlow.
// TensorFlow has its own memory: nothing here sees a tensor's values unless it asks for a copy.
import * as tf from '@tensorflow/tfjs-core';

export const tensorflowBackendName = 'tensorflow';

export interface TensorflowKernel {
  readonly kernelName: string;
  readonly kernelFunc: tf.KernelFunc;
}

/** The result must not be one of the inputs; what else is made on the way is disposed of. */
export function tensorflowKernel<Inputs, Attributes>(
  kernelName: string,
  compose: (inputs: Inputs, attributes: Attributes, backend: NodeBackend) => tf.Tensor | tf.Tensor[],
): TensorflowKernel {
  return {
    kernelName,
    kernelFunc: ({ inputs, attrs, backend }) =>
      tf.tidy(() => compose(inputs as Inputs, attrs as Attributes, backend as NodeBackend)),
  };
}

/** What kernels use of tfjs-node's backend besides tfjs's operations. */
export interface NodeBackend extends tf.KernelBackend {
  readonly isUsingGpuDevice: boolean;
  readonly tensorMap: { get(dataId: object): StoredTensor };
}

/** `values` until TensorFlow first needs the tensor; then `id` is its handle. */
interface StoredTensor {
  id: number;
  values: tf.backend_util.BackendValues | null;
}

/** Gives the target what the source holds (and the source what the target held): an update in place, also for its clones. */
export function overwrite(backend: NodeBackend, target: tf.Tensor, source: tf.Tensor): void {
  const kept = backend.tensorMap.get(target.dataId);
  const given = backend.tensorMap.get(source.dataId);
  [kept.id, given.id] = [given.id, kept.id];
  [kept.values, given.values] = [given.values, kept.values];
}

/** `[…, C]` as `[rows, C]`. */
export function asRows(x: tf.Tensor, nChannels: number): tf.Tensor2D {
  return tf.reshape(x, [nChannels === 0 ? 0 : x.size / nChannels, nChannels]);
}
