// Makes the backend `tensorflow` known to tfjs: tfjs-node's kernels, and our fused ops as compositions of them.
import * as tf from '@tensorflow/tfjs-core';
import { composedKernels } from '../compositions/composedKernels.ts';
import type { ComposingBackend } from '../compositions/composition.ts';
import { registerOps } from '../ops/registerOps.ts';
import type { TensorflowLibrary } from './findTensorflow.ts';
import { loadTensorflow, type NodeBackend } from './loadTensorflow.ts';

const tensorflowBackendName = 'tensorflow';

/**
 * Registers the backend and makes it tfjs's current one; one that was open before is removed with its tensors.
 * @throws Error, one sentence, where this TensorFlow can't be used.
 */
export async function openTensorflowBackend(
  assetsFolder: string,
  library: TensorflowLibrary,
): Promise<{ backend: NodeBackend; version: string }> {
  const loaded = loadTensorflow(assetsFolder, library);
  registerOps();
  if (!tf.getKernelsForBackend(tensorflowBackendName).some(({ kernelName }) => kernelName === 'KafscopeKaf')) {
    for (const kernel of composedKernels) tf.registerKernel({ ...kernel, backendName: tensorflowBackendName });
  }
  if (tf.engine().registryFactory[tensorflowBackendName]) tf.removeBackend(tensorflowBackendName);
  const backend = composing(loaded.makeBackend());
  tf.registerBackend(tensorflowBackendName, () => backend, 1);
  await tf.setBackend(tensorflowBackendName);
  return { backend, version: loaded.version };
}

function composing(backend: NodeBackend): NodeBackend & ComposingBackend {
  return Object.assign(backend, {
    overwrite(target: tf.TensorInfo, source: tf.TensorInfo): void {
      const kept = backend.tensorMap.get(target.dataId);
      const given = backend.tensorMap.get(source.dataId);
      [kept.id, given.id] = [given.id, kept.id];
      [kept.values, given.values] = [given.values, kept.values];
    },
  });
}
