// Makes the backend `kafscope-wasm` known to tfjs: every kernel of the `cpu` backend, ours in the place of the hot ones.
import * as tf from '@tensorflow/tfjs-core';
import { registerOps } from '../ops/registerOps.ts';
import { batchNormKernels } from './kernels/batchNorm.ts';
import { groupNormKernels } from './kernels/groupNorm.ts';
import { castKernels } from './kernels/cast.ts';
import { convolutionKernels } from './kernels/convolution.ts';
import { copyKernels } from './kernels/copy.ts';
import { elementwiseKernels } from './kernels/elementwise.ts';
import { formulaKernels } from './kernels/formula.ts';
import { freeKafKernels } from './kernels/freeKaf.ts';
import { gatherKernels } from './kernels/gather.ts';
import { histogramKernels } from './kernels/histogram.ts';
import { kaf2dKernels } from './kernels/kaf2d.ts';
import { kafKernels } from './kernels/kaf.ts';
import { kernelKafKernels } from './kernels/kernelKaf.ts';
import { kWinnersKernels } from './kernels/kWinners.ts';
import { matrixProductKernels } from './kernels/matrixProduct.ts';
import { maxoutKernels } from './kernels/maxout.ts';
import { normalizedFormulaKernels } from './kernels/normalizedFormula.ts';
import { normalizedKafKernels } from './kernels/normalizedKaf.ts';
import { optimizerKernels } from './kernels/optimizer.ts';
import { poolingKernels } from './kernels/pooling.ts';
import { randomKernels } from './kernels/random.ts';
import { reductionKernels } from './kernels/reduction.ts';
import { splineKernels } from './kernels/spline.ts';
import { LinkedFormulas } from './formula/linkedFormulas.ts';
import { joinVectors } from './joinVectors.ts';
import { KernelTable } from './kernelTable.ts';
import { bestBuild, loadKernels, type KernelBuild } from './loadKernels.ts';
import { MemoryPool } from './memoryPool.ts';
import type { Cuts } from './threads/cuts.ts';
import { ThreadPool } from './threads/threadPool.ts';
import { fasterTile, type TileShape } from './tileShape.ts';
import { WasmBackend, wasmBackendName } from './wasmBackend.ts';

const fastKernels = [
  ...matrixProductKernels,
  ...convolutionKernels,
  ...poolingKernels,
  ...kafKernels,
  ...kernelKafKernels,
  ...kaf2dKernels,
  ...freeKafKernels,
  ...formulaKernels,
  ...splineKernels,
  ...maxoutKernels,
  ...kWinnersKernels,
  ...batchNormKernels,
  ...groupNormKernels,
  ...castKernels,
  ...copyKernels,
  ...elementwiseKernels,
  ...gatherKernels,
  ...reductionKernels,
  ...histogramKernels,
  ...randomKernels,
  ...optimizerKernels,
];

/** Which no other runtime has. */
const ownKernels = [...normalizedFormulaKernels, ...normalizedKafKernels];

export interface WasmOptions {
  /** Which SIMD build to load; by default relaxed where the engine has it. */
  readonly build?: KernelBuild;
  /** From 1; by default 1. */
  readonly threads?: number;
  /** Shape of the matrix products' micro-kernel; by default the one that is faster here. */
  readonly tile?: TileShape;
  /** How finely work is cut for the threads; `finest` is for tests. */
  readonly cuts?: Cuts;
}

/**
 * Registers the backend and makes it tfjs's current one; one that was open before is removed with its tensors and threads.
 * @throws Error if the kernels can't be read, compiled or linked, or a thread does not start.
 */
export async function openWasmBackend(
  assetsFolder: string,
  options: WasmOptions = {},
): Promise<{ backend: WasmBackend; build: KernelBuild }> {
  const pool = new MemoryPool();
  const build = options.build ?? bestBuild(assetsFolder);
  const isJoined = joinVectors(assetsFolder, build);
  const { kernels, module } = loadKernels(assetsFolder, pool.memory, build);
  const tile = options.tile ?? fasterTile(kernels, pool);
  const table = new KernelTable(kernels, pool.memory);
  const threads = await ThreadPool.open(assetsFolder, options.threads ?? 1, {
    module,
    memory: pool.memory,
    run: (kernel, call) => table.run(kernel, call),
  });
  const formulas = new LinkedFormulas({
    ...{ build, isJoined },
    link: (later) => {
      table.link(later);
      threads.share(later);
    },
  });
  const backend = new WasmBackend(pool, kernels, { threads, tile, formulas, cuts: options.cuts ?? 'worthwhile' });
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
  for (const kernel of ownKernels) tf.registerKernel({ ...kernel, backendName: wasmBackendName });
}
