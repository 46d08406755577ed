// Makes the backend `kafscope-wasm` known to tfjs: every kernel of the `cpu` backend, ours in the place of the hot ones.
import * as tf from '@tensorflow/tfjs-core';
import { registerOps } from '../ops/registerOps.ts';
import { activationKernels } from './kernels/activation.ts';
import { batchNormKernels } from './kernels/batchNorm.ts';
import { castKernels } from './kernels/cast.ts';
import { convolutionKernels } from './kernels/convolution.ts';
import { elementwiseKernels } from './kernels/elementwise.ts';
import { kafKernels } from './kernels/kaf.ts';
import { matrixProductKernels } from './kernels/matrixProduct.ts';
import { optimizerKernels } from './kernels/optimizer.ts';
import { poolingKernels } from './kernels/pooling.ts';
import { randomKernels } from './kernels/random.ts';
import { reductionKernels } from './kernels/reduction.ts';
import { loadKernels, type KernelBuild } from './loadKernels.ts';
import { MemoryPool } from './memoryPool.ts';
import { WasmBackend, wasmBackendName } from './wasmBackend.ts';

const fastKernels = [
  ...matrixProductKernels,
  ...convolutionKernels,
  ...poolingKernels,
  ...kafKernels,
  ...activationKernels,
  ...batchNormKernels,
  ...castKernels,
  ...elementwiseKernels,
  ...reductionKernels,
  ...randomKernels,
  ...optimizerKernels,
];

/**
 * Registers the backend and makes it tfjs's current one; one that was open before is removed with its tensors.
 * @param options.build which SIMD build to load; by default relaxed where the engine has it.
 * @throws Error if the kernels can't be read, compiled or linked.
 */
export async function openWasmBackend(
  assetsFolder: string,
  options: { readonly build?: KernelBuild } = {},
): Promise<{ backend: WasmBackend; build: KernelBuild }> {
  const pool = new MemoryPool();
  const { kernels, build } = loadKernels(assetsFolder, pool.memory, options.build);
  const backend = new WasmBackend(pool, kernels);
  registerKernels();
  if (tf.engine().registryFactory[wasmBackendName]) tf.removeBackend(wasmBackendName);
  tf.registerBackend(wasmBackendName, () => backend, 1);
  await tf.setBackend(wasmBackendName);
  return { backend, build };
}

/** Kernels are functions of the backend that calls them, so they are registered once. */
function registerKernels(): void {
  registerOps();
  if (tf.getKernelsForBackend(wasmBackendName).length > 0) return;
  tf.copyRegisteredKernels('cpu', wasmBackendName);
  const copied = new Set(tf.getKernelsForBackend(wasmBackendName).map(({ kernelName }) => kernelName));
  for (const { kernelName, kernelFunc } of fastKernels) {
    if (!copied.has(kernelName)) throw new Error(`no kernel ${kernelName} to replace`);
    tf.unregisterKernel(kernelName, wasmBackendName);
    tf.registerKernel({ kernelName, backendName: wasmBackendName, kernelFunc });
  }
}
