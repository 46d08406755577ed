// Chooses what tfjs computes on: our WebAssembly backend, the library of PyTorch or TensorFlow, or tfjs's plain JavaScript. Callers use
// tfjs and never ask which.
import os from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { DeviceReport } from '../protocol/messages.ts';
import type { RuntimeName } from '../protocol/plan.ts';
import type { MemoryUse } from '../protocol/run.ts';
import { registerOps } from './ops/registerOps.ts';
import { openTensorflowBackend } from './tensorflow/openTensorflowBackend.ts';
import { surroundings } from './python/places.ts';
import { nameOfGpu, showOneGpu } from './python/visibleGpus.ts';
import { lookForTensorflow } from './tensorflow/tensorflowPlaces.ts';
import { isSupported, type KernelBuild } from './wasm/loadKernels.ts';
import { lookForTorch } from './torch/findTorch.ts';
import { nameOf, type TorchDevice } from './torch/loadTorch.ts';
import { openTorchBackend } from './torch/openTorchBackend.ts';
import { openWasmBackend } from './wasm/openWasmBackend.ts';

export interface Runtime {
  readonly name: RuntimeName;
  /** For example `8 threads · relaxed SIMD`. */
  readonly device: string;
  memory(): MemoryUse;
  /** The most that it can address at once; Infinity where only the machine's memory is the limit. */
  readonly addressableBytes: number;
  /** Of a device with a memory of its own, like a GPU. Null where tensors lie in the host's, or it is not told. */
  readonly deviceMemory: { readonly what: string; readonly bytes: number } | null;
  /** Steps of training that may be under way before the first is read: 0 where reading costs nothing. */
  readonly stepsBehind: number;
  /** Of NVIDIA's, those that a process on this runtime could take, like `cuda:1`. */
  readonly gpus: readonly string[];
}

export interface RuntimeOptions {
  /** Absolute path of the folder with `kernels.wasm`, `kernels.relaxed.wasm`, `kernelThread.cjs`, `tensorflow/` and `torch/`. */
  readonly assetsFolder: string;
  /** Of `wasm` and `torch`, from 1; by default as many as the machine has cores. */
  readonly threads?: number;
  /** Of `torch`, like `cuda:1`; by default the first of cuda, mps, xpu and cpu that there is. Of `tensorflow` one of `gpus`. */
  readonly device?: string;
  /** Of `torch` on cuda: whether products and convolutions may round their factors to TF32; by default not. */
  readonly tf32?: boolean;
}

/** The wanted runtime does not work here. */
export class UnsupportedRuntimeError extends Error {
  override readonly name = 'UnsupportedRuntimeError';
  /** In sentences, with what to do. */
  readonly reason: string;

  constructor(runtime: RuntimeName, reason: string, options?: ErrorOptions) {
    super(`the runtime ${runtime} does not work here: ${reason}`, options);
    this.reason = reason;
  }
}

const cpuDevice = '1 thread · plain JavaScript';

/**
 * Makes the runtime tfjs's backend. A runtime opened before is left, and its tensors must not be used afterwards.
 * @throws {UnsupportedRuntimeError} where it does not work.
 */
export async function openRuntime(name: RuntimeName, options: RuntimeOptions): Promise<Runtime> {
  if (name === 'cpu') return openCpu();
  if (name === 'tensorflow') return openTensorflow(options);
  if (name === 'torch') return openTorch(options);
  try {
    const threads = options.threads ?? os.availableParallelism();
    const { backend, build } = await openWasmBackend(options.assetsFolder, { threads });
    return {
      name: 'wasm',
      device: wasmDevice(build, threads),
      memory: () => ({ usedBytes: backend.pool.usedBytes, peakBytes: backend.pool.peakBytes }),
      addressableBytes: backend.pool.addressableBytes,
      deviceMemory: null,
      stepsBehind: 0,
      gpus: [],
    };
  } catch (error) {
    throw new UnsupportedRuntimeError('wasm', messageOf(error), { cause: error });
  }
}

/** What a trial of a runtime in a process of its own gave. */
export interface Tried {
  readonly runtime: RuntimeName;
  readonly device: string;
  readonly fault: string | null;
  readonly stepMs: number | null;
  readonly gpus: readonly string[];
}

/** Each runtime with its device and the reason why it is usable or not; opens none. */
export function listDevices(options: RuntimeOptions, trials: readonly Tried[]): DeviceReport[] {
  return [
    reportWasm(options, trialOf('wasm', trials)),
    reportTorch(options, trialOf('torch', trials)),
    reportTensorflow(options, trialOf('tensorflow', trials)),
    { runtime: 'cpu', isAvailable: true, device: cpuDevice, reason: 'Works everywhere; slow.', stepMs: null, gpus: [] },
  ];
}

function trialOf(runtime: RuntimeName, trials: readonly Tried[]): Tried {
  const found = trials.find((trial) => trial.runtime === runtime);
  return found ?? { runtime, device: '', fault: 'It was not tried.', stepMs: null, gpus: [] };
}

function reportWasm({ assetsFolder }: RuntimeOptions, { device, fault, stepMs }: Tried): DeviceReport {
  if (fault !== null) return { runtime: 'wasm', isAvailable: false, device, reason: fault, stepMs, gpus: [] };
  const reason = isSupported(assetsFolder, 'relaxed')
    ? 'The engine has shared memory and relaxed SIMD.'
    : 'The engine has no relaxed SIMD (Node 22 and newer have it), so kernels run at about half speed.';
  return { runtime: 'wasm', isAvailable: true, device, reason, stepMs, gpus: [] };
}

function reportTensorflow({ assetsFolder }: RuntimeOptions, { device, fault, stepMs, gpus }: Tried): DeviceReport {
  const found = lookForTensorflow(surroundings(assetsFolder));
  if (found.library === null || fault !== null) {
    const reason = found.library === null ? found.reason : fault!;
    return { runtime: 'tensorflow', isAvailable: false, device, reason, stepMs, gpus: [] };
  }
  const { library } = found;
  const cuda = device.endsWith(gpuSuffix)
    ? 'TensorFlow uses the GPU.'
    : library.hasCuda
      ? 'No GPU is used: TensorFlow finds none that it can use, or not the CUDA libraries.'
      : 'No GPU is used: this build has no CUDA ("kafscope install tensorflow --gpu" installs one that has).';
  const reason = `Found in ${library.folder}, ${library.origin}. ${cuda}`;
  return { runtime: 'tensorflow', isAvailable: true, device, reason, stepMs, gpus };
}

function reportTorch({ assetsFolder }: RuntimeOptions, { device, fault, stepMs, gpus }: Tried): DeviceReport {
  const found = lookForTorch(surroundings(assetsFolder));
  if (found.library === null || fault !== null) {
    const reason = found.library === null ? found.reason : fault!;
    return { runtime: 'torch', isAvailable: false, device, reason, stepMs, gpus: [] };
  }
  const { folder, origin, accelerators } = found.library;
  const gpu = !device.endsWith(cpuSuffix)
    ? 'PyTorch uses the GPU, in float32; TF32 is off unless an experiment allows it.'
    : accelerators.cuda.length + accelerators.xpu.length > 0
      ? 'No GPU is used: PyTorch finds none that it can use, or not its driver.'
      : 'No GPU is used: this build is for the CPU, or the machine has none for it.';
  const reason = `Found in ${folder}, ${origin}. ${gpu}`;
  return { runtime: 'torch', isAvailable: true, device, reason, stepMs, gpus };
}

/** What the runtimes whose tensors lie in the process's own memory share. */
const ofHost = { memory: processMemory, addressableBytes: Infinity, deviceMemory: null, stepsBehind: 0, gpus: [] };

/** As many as hide the host's time; more would only hold more memory. */
const stepsOnDevice = 3;

const cpuSuffix = ' · CPU';
const gpuSuffix = ' · GPU';

async function openTensorflow({ assetsFolder, device: wanted }: RuntimeOptions): Promise<Runtime> {
  const found = lookForTensorflow(surroundings(assetsFolder));
  if (found.library === null) throw new UnsupportedRuntimeError('tensorflow', found.reason);
  // Else it takes the memory of all of them.
  if (wanted !== undefined) showOneGpu(wanted);
  try {
    const { backend, version } = await openTensorflowBackend(assetsFolder, found.library);
    const device = `TensorFlow ${version}${backend.isUsingGpuDevice ? gpuSuffix : cpuSuffix}`;
    // Its copies wait for all that was given to the device, late ones too.
    return { ...ofHost, name: 'tensorflow', device, gpus: backend.isUsingGpuDevice ? [nameOfGpu(0)] : [] };
  } catch (error) {
    throw new UnsupportedRuntimeError('tensorflow', messageOf(error), { cause: error });
  }
}

async function openTorch({
  assetsFolder,
  threads = os.availableParallelism(),
  device,
  tf32 = false,
}: RuntimeOptions): Promise<Runtime> {
  const found = lookForTorch(surroundings(assetsFolder));
  if (found.library === null) throw new UnsupportedRuntimeError('torch', found.reason);
  try {
    const wanted = { threads, tf32, ...(device !== undefined && { device }) };
    const { backend, device: used, nGpus } = await openTorchBackend(assetsFolder, found.library, wanted);
    return {
      name: 'torch',
      device: torchDevice(found.library.version, used, tf32),
      // On a device the tensors that tfjs holds; what PyTorch keeps for later, it tells nobody.
      memory:
        used.type === 'cpu' ? processMemory : () => ({ usedBytes: backend.usedBytes, peakBytes: backend.peakBytes }),
      addressableBytes: Infinity,
      deviceMemory:
        used.memoryBytes === null ? null : { what: `the memory of ${nameOf(used)}`, bytes: used.memoryBytes },
      stepsBehind: used.type === 'cuda' ? stepsOnDevice : 0,
      gpus: Array.from({ length: nGpus }, (_, index) => nameOfGpu(index)),
    };
  } catch (error) {
    throw new UnsupportedRuntimeError('torch', messageOf(error), { cause: error });
  }
}

/** On cuda it always says whether TF32 is allowed. */
export function torchDevice(version: string, device: TorchDevice, tf32: boolean): string {
  const arithmetic = device.type === 'cuda' ? ` · TF32 ${tf32 ? 'on' : 'off'}` : '';
  return `PyTorch ${version} · ${nameOf(device)}${arithmetic}`;
}

async function openCpu(): Promise<Runtime> {
  registerOps();
  await tf.setBackend('cpu');
  silenceGreeting();
  return { ...ofHost, name: 'cpu', device: cpuDevice };
}

/** tfjs's own count knows neither a peak nor what a library takes. */
function processMemory(): MemoryUse {
  const usedBytes = process.memoryUsage.rss();
  return { usedBytes, peakBytes: Math.max(usedBytes, process.resourceUsage().maxRSS * 1024) };
}

/** tfjs's cpu backend recommends tfjs-node on standard error at its first tensor. */
function silenceGreeting(): void {
  const backend = tf.backend() as unknown as { firstUse: boolean };
  backend.firstUse = false;
}

function wasmDevice(build: KernelBuild, threads: number): string {
  return `${threads} ${threads === 1 ? 'thread' : 'threads'} · ${build === 'relaxed' ? 'relaxed SIMD' : 'SIMD'}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
