// Makes the backend `torch` known to tfjs: PyTorch's operators for the kernels that training needs, our fused ops as compositions of them,
// and the host's kernels for the rest.
import * as tf from '@tensorflow/tfjs-core';
import { composedKernels } from '../compositions/composedKernels.ts';
import { registerOps } from '../ops/registerOps.ts';
import type { TorchLibrary } from './findTorch.ts';
import { onHost } from './hostKernels.ts';
import { batchNormKernels } from './kernels/batchNorm.ts';
import { convolutionKernels } from './kernels/convolution.ts';
import { elementwiseKernels } from './kernels/elementwise.ts';
import { formulaKernels } from './kernels/formula.ts';
import { kafKernels } from './kernels/kaf.ts';
import { placementKernels } from './kernels/placement.ts';
import { poolingKernels } from './kernels/pooling.ts';
import { productKernels } from './kernels/product.ts';
import { reductionKernels } from './kernels/reduction.ts';
import type { TorchKernel } from './kernels/torchKernel.ts';
import { trainingKernels } from './kernels/training.ts';
import { loadTorch, type TorchDevice } from './loadTorch.ts';
import { TorchBackend, torchBackendName } from './torchBackend.ts';

const libraryKernels: readonly TorchKernel[] = [
  ...elementwiseKernels,
  ...reductionKernels,
  ...placementKernels,
  ...productKernels,
  ...convolutionKernels,
  ...poolingKernels,
  ...batchNormKernels,
  ...formulaKernels,
  ...kafKernels,
  ...trainingKernels,
];

export interface TorchOptions {
  /** Like `cuda:1`; by default the first that there is of cuda, mps, xpu and cpu. */
  readonly device?: string;
  /** Of the CPU, from 1. */
  readonly threads: number;
  /** Of cuda: whether products and convolutions may round their factors to TF32; by default not. */
  readonly tf32?: boolean;
}

/**
 * Registers the backend and makes it tfjs's current one; one that was open before is removed with its tensors.
 * @throws Error, one sentence, where this PyTorch or the device can't be used.
 */
export async function openTorchBackend(
  assetsFolder: string,
  library: TorchLibrary,
  options: TorchOptions,
): Promise<{ backend: TorchBackend; device: TorchDevice; nGpus: number }> {
  const { torch, device, nGpus } = loadTorch(assetsFolder, library, options);
  registerKernels();
  if (tf.engine().registryFactory[torchBackendName]) tf.removeBackend(torchBackendName);
  const backend = new TorchBackend(torch, { readsLate: device.type === 'cuda' });
  tf.registerBackend(torchBackendName, () => backend, 1);
  await tf.setBackend(torchBackendName);
  return { backend, device, nGpus };
}

/** Kernels are functions of the backend that calls them, so they are registered once. */
function registerKernels(): void {
  registerOps();
  if (tf.getKernelsForBackend(torchBackendName).length > 0) return;
  const composed = new Map(composedKernels.map(({ kernelName, kernelFunc }) => [kernelName, kernelFunc]));
  const ofLibrary = new Map(libraryKernels.map((kernel) => [kernel.kernelName, kernel]));
  for (const { kernelName, kernelFunc: hostFunc } of tf.getKernelsForBackend('cpu')) {
    const other = composed.get(kernelName) ?? onHost(hostFunc);
    const library = ofLibrary.get(kernelName);
    const kernelFunc = library ? chosen(library, other) : other;
    tf.registerKernel({ kernelName, backendName: torchBackendName, kernelFunc });
  }
}

function chosen({ takes, kernelFunc }: TorchKernel, other: tf.KernelFunc): tf.KernelFunc {
  return (call) => {
    // An input that an op was not given is null or left out.
    const inputs = Object.values<tf.TensorInfo | null | undefined>(call.inputs).filter((input) => !!input);
    return takes(inputs, call.attrs ?? {}) ? kernelFunc(call) : other(call);
  };
}
