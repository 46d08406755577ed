// Chooses what tfjs computes on: our WebAssembly backend, TensorFlow's library, or tfjs's plain JavaScript. Callers use tfjs and
// never ask which.
import * as tf from '@tensorflow/tfjs-core';
import type { DeviceReport } from '../protocol/messages.ts';
import type { RuntimeChoice } from '../protocol/plan.ts';
import { registerOps } from './ops/registerOps.ts';
import { openTensorflowBackend } from './tensorflow/openTensorflowBackend.ts';
import { probeTensorflow } from './tensorflow/probeTensorflow.ts';
import { lookForTensorflow, surroundings } from './tensorflow/tensorflowPlaces.ts';
import { isSupported, loadKernels, type KernelBuild } from './wasm/loadKernels.ts';
import { MemoryPool } from './wasm/memoryPool.ts';
import { openWasmBackend } from './wasm/openWasmBackend.ts';

export interface Runtime {
  readonly name: Exclude<RuntimeChoice, 'auto'>;
  /** For example `1 thread · relaxed SIMD`. */
  readonly device: string;
  /** Bytes of tensors now, and the most there were (except on `wasm`, the most at any call). */
  memory(): { usedBytes: number; peakBytes: number };
}

export interface RuntimeOptions {
  /** Absolute path of the folder with `kernels.wasm`, `kernels.relaxed.wasm` and `tensorflow/`. */
  readonly assetsFolder: string;
}

/** The wanted runtime does not work here. */
export class UnsupportedRuntimeError extends Error {
  override readonly name = 'UnsupportedRuntimeError';
}

const cpuDevice = '1 thread · plain JavaScript';

/**
 * Makes the chosen runtime tfjs's backend; `auto` is `wasm` where it works, else `cpu`. A runtime opened before is left, and
 * its tensors must not be used afterwards.
 * @throws {UnsupportedRuntimeError} if `wasm` or `tensorflow` is asked for by name and does not work.
 */
export async function openRuntime(choice: RuntimeChoice, options: RuntimeOptions): Promise<Runtime> {
  if (choice === 'cpu') return openCpu();
  if (choice === 'tensorflow') return openTensorflow(options.assetsFolder);
  try {
    const { backend, build } = await openWasmBackend(options.assetsFolder);
    return {
      name: 'wasm',
      device: wasmDevice(build),
      memory: () => ({ usedBytes: backend.pool.usedBytes, peakBytes: backend.pool.peakBytes }),
    };
  } catch (error) {
    if (choice === 'auto') return openCpu();
    throw new UnsupportedRuntimeError(`the runtime wasm does not work here: ${messageOf(error)}`, { cause: error });
  }
}

/** Whether each runtime works here and why; opens none in this process. */
export async function listDevices(options: RuntimeOptions): Promise<DeviceReport[]> {
  return [
    reportWasm(options.assetsFolder),
    await reportTensorflow(options.assetsFolder),
    { runtime: 'cpu', isAvailable: true, device: cpuDevice, reason: 'Works everywhere; slow.' },
  ];
}

function reportWasm(assetsFolder: string): DeviceReport {
  try {
    const build = isSupported(assetsFolder, 'relaxed') ? 'relaxed' : 'plain';
    loadKernels(assetsFolder, new MemoryPool({ initialPages: 1 }).memory, build);
    const reason =
      build === 'relaxed'
        ? 'The engine has shared memory and relaxed SIMD.'
        : 'The engine has no relaxed SIMD (Node 22 and newer have it), so kernels run at about half speed.';
    return { runtime: 'wasm', isAvailable: true, device: wasmDevice(build), reason };
  } catch (error) {
    return { runtime: 'wasm', isAvailable: false, device: '', reason: messageOf(error) };
  }
}

async function reportTensorflow(assetsFolder: string): Promise<DeviceReport> {
  const found = lookForTensorflow(surroundings(assetsFolder));
  const probed = found.library === null ? { device: null, reason: found.reason } : await probeTensorflow(assetsFolder);
  if (found.library === null || probed.device === null) {
    return { runtime: 'tensorflow', isAvailable: false, device: '', reason: probed.reason };
  }
  const { library } = found;
  const isOnGpu = probed.device.endsWith(gpuSuffix);
  const cuda = isOnGpu
    ? 'TensorFlow uses the GPU.'
    : library.hasCuda
      ? 'No GPU is used: TensorFlow finds none that it can use, or not the CUDA libraries.'
      : 'No GPU is used: this build has no CUDA ("kafscope install tensorflow --gpu" installs one that has).';
  const reason = `Found in ${library.folder}, ${library.origin}. ${cuda}`;
  return { runtime: 'tensorflow', isAvailable: true, device: probed.device, reason };
}

const gpuSuffix = ' · GPU';

async function openTensorflow(assetsFolder: string): Promise<Runtime> {
  const found = lookForTensorflow(surroundings(assetsFolder));
  if (found.library === null)
    throw new UnsupportedRuntimeError(`the runtime tensorflow does not work here: ${found.reason}`);
  try {
    const { backend, version } = await openTensorflowBackend(assetsFolder, found.library);
    const device = `TensorFlow ${version}${backend.isUsingGpuDevice ? gpuSuffix : ' · CPU'}`;
    return { name: 'tensorflow', device, memory: watchedMemory() };
  } catch (error) {
    throw new UnsupportedRuntimeError(`the runtime tensorflow does not work here: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function openCpu(): Promise<Runtime> {
  registerOps();
  await tf.setBackend('cpu');
  silenceGreeting();
  return { name: 'cpu', device: cpuDevice, memory: watchedMemory() };
}

/** tfjs's own count, which knows no peak. */
function watchedMemory(): Runtime['memory'] {
  let peakBytes = 0;
  return () => {
    const usedBytes = tf.memory().numBytes;
    peakBytes = Math.max(peakBytes, usedBytes);
    return { usedBytes, peakBytes };
  };
}

/** tfjs's cpu backend recommends tfjs-node on standard error at its first tensor. */
function silenceGreeting(): void {
  const backend = tf.backend() as unknown as { firstUse: boolean };
  backend.firstUse = false;
}

function wasmDevice(build: KernelBuild): string {
  return build === 'relaxed' ? '1 thread · relaxed SIMD' : '1 thread · SIMD';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
