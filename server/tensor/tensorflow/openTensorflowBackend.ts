// Makes the backend `tensorflow` known to tfjs: tfjs-node's kernels, and our fused ops as compositions of them.
import * as tf from '@tensorflow/tfjs-core';
import { registerOps } from '../ops/registerOps.ts';
import type { TensorflowLibrary } from './findTensorflow.ts';
import { batchNormKernels } from './kernels/batchNorm.ts';
import { groupNormKernels } from './kernels/groupNorm.ts';
import { crossEntropyKernels } from './kernels/crossEntropy.ts';
import { formulaKernels } from './kernels/formula.ts';
import { freeKafKernels } from './kernels/freeKaf.ts';
import { kaf2dKernels } from './kernels/kaf2d.ts';
import { kafKernels } from './kernels/kaf.ts';
import { kernelKafKernels } from './kernels/kernelKaf.ts';
import { maxoutKernels } from './kernels/maxout.ts';
import { randomKernels } from './kernels/random.ts';
import { rankingKernels } from './kernels/ranking.ts';
import { splineKernels } from './kernels/spline.ts';
import { tensorflowBackendName, type NodeBackend } from './kernels/tensorflowKernel.ts';
import { trainingKernels } from './kernels/training.ts';
import { loadTensorflow } from './loadTensorflow.ts';

const fusedKernels = [
  ...formulaKernels,
  ...splineKernels,
  ...maxoutKernels,
  ...kafKernels,
  ...kernelKafKernels,
  ...kaf2dKernels,
  ...freeKafKernels,
  ...batchNormKernels,
  ...groupNormKernels,
  ...crossEntropyKernels,
  ...randomKernels,
  ...trainingKernels,
  ...rankingKernels,
];

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
    for (const kernel of fusedKernels) tf.registerKernel({ ...kernel, backendName: tensorflowBackendName });
  }
  if (tf.engine().registryFactory[tensorflowBackendName]) tf.removeBackend(tensorflowBackendName);
  const backend = loaded.makeBackend();
  tf.registerBackend(tensorflowBackendName, () => backend, 1);
  await tf.setBackend(tensorflowBackendName);
  return { backend, version: loaded.version };
}
