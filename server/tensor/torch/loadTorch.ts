// Loads PyTorch's libraries and our binding to them into this process, once, and takes a device: PyTorch can't be unloaded, and a process
// computes on one device.
import type { TorchLibrary } from './findTorch.ts';
import { torchRemedy } from './findTorch.ts';
import { addonFiles, isCutOff, openAddon } from '../python/openAddon.ts';
import { Torch, type Binding } from './torch.ts';

export type DeviceType = 'cuda' | 'mps' | 'xpu' | 'cpu';

export interface TorchDevice {
  readonly type: DeviceType;
  readonly index: number;
  /** For example `NVIDIA H200`; empty where only its type is known. */
  readonly name: string;
  /** Null where it is not told. */
  readonly memoryBytes: number | null;
}

export interface LoadedTorch {
  readonly torch: Torch;
  readonly device: TorchDevice;
  /** How many of NVIDIA's GPUs this process sees; 0 where it computes on another kind of device. */
  readonly nGpus: number;
}

interface LoadOptions {
  readonly device?: string;
  readonly threads: number;
  readonly tf32?: boolean;
}

let loaded:
  (LoadedTorch & { readonly folder: string; readonly wanted: string | undefined; readonly tf32: boolean }) | null =
  null;

/** In the order in which they are tried. */
const deviceTypes: readonly DeviceType[] = ['cuda', 'mps', 'xpu', 'cpu'];

/**
 * `assetsFolder/torch` holds what scripts/buildTorch.mjs makes.
 * @throws Error with the reason and what to do, where the binding is missing, the library can't be loaded or lacks a function, the device
 * can't be used, or another PyTorch or device is in use already.
 */
export function loadTorch(
  assetsFolder: string,
  library: TorchLibrary,
  { device, threads, tf32 = false }: LoadOptions,
): LoadedTorch {
  if (loaded) {
    if (loaded.folder === library.folder && loaded.wanted === device && loaded.tf32 === tf32) return loaded;
    throw new Error(`This process computes with the PyTorch in ${loaded.folder} on ${nameOf(loaded.device)} already.`);
  }
  const [file] = addonFiles(assetsFolder, 'torch', 'PyTorch', ['torch']) as [string];
  prepareEnvironment(tf32);
  const binding = openAddon(file) as Binding;
  const name = `PyTorch ${library.version} in ${library.folder}`;
  for (const part of library.files) open(binding, part, name, torchRemedy(library));
  let torch: Torch;
  try {
    torch = new Torch(binding, binding.find());
  } catch (cause) {
    throw new Error(`${name} does not fit Kafscope's binding: ${wordsOf(cause)}. ${torchRemedy(library)}`, { cause });
  }
  binding.setThreads(threads);
  const used = takeDevice(binding, library, name, { wanted: device, tf32 });
  const nGpus = used.type === 'cuda' ? binding.cudaDevices().length : 0;
  loaded = { torch, device: used, nGpus, folder: library.folder, wanted: device, tf32 };
  return loaded;
}

/** Like `cuda:1`, with the name of what it is. */
export function nameOf({ type, index, name }: Pick<TorchDevice, 'type' | 'index' | 'name'>): string {
  if (type === 'cpu') return 'CPU';
  return `${type}:${index}${name === '' ? '' : ` (${name})`}`;
}

/** To be set before the libraries are loaded, which read them then; what a user has set stays. */
function prepareEnvironment(tf32: boolean): void {
  // TF32 has ten bits of float32's 23; and cuBLAS is told to give the same bits every time.
  if (!tf32) process.env['NVIDIA_TF32_OVERRIDE'] ??= '0';
  process.env['CUBLAS_WORKSPACE_CONFIG'] ??= ':4096:8';
  // Threads that wait by spinning take the cores from those that work, where other processes want them too.
  process.env['OMP_WAIT_POLICY'] ??= 'PASSIVE';
}

function open(binding: Binding, file: string, name: string, remedy: string): void {
  try {
    if (isCutOff(file)) throw new Error(`${file} is cut off`);
    binding.open(file);
  } catch (cause) {
    throw new Error(`${name} can't be loaded: ${wordsOf(cause)}. ${remedy}`, { cause });
  }
}

/** The wanted device, or the first that can be used. */
function takeDevice(
  binding: Binding,
  library: TorchLibrary,
  name: string,
  { wanted, tf32 }: { readonly wanted: string | undefined; readonly tf32: boolean },
): TorchDevice {
  if (wanted === undefined) {
    for (const type of deviceTypes) {
      try {
        return take(binding, library, { type, index: 0, tf32 });
      } catch {
        // The next one; the CPU is always there.
      }
    }
  }
  const [, type, index] = /^(cuda|mps|xpu|cpu)(?::(\d+))?$/.exec(wanted ?? 'cpu') ?? [];
  if (type === undefined)
    throw new Error(`There is no device ${String(wanted)}: expected cpu, cuda, cuda:1, mps or xpu.`);
  try {
    return take(binding, library, { type: type as DeviceType, index: Number(index ?? 0), tf32 });
  } catch (cause) {
    throw new Error(`${name} can't use the device ${String(wanted)}: ${wordsOf(cause)}.`, { cause });
  }
}

function take(
  binding: Binding,
  { accelerators }: TorchLibrary,
  { type, index, tf32 }: { readonly type: DeviceType; readonly index: number; readonly tf32: boolean },
): TorchDevice {
  if (type === 'cuda' || type === 'xpu') {
    if (accelerators[type].length === 0) throw new Error(`this build has no ${type === 'cuda' ? 'CUDA' : 'XPU'}`);
    // Without the driver PyTorch would not tell what is missing, but lists of its own making.
    if (type === 'cuda' && binding.cudaDevices().length === 0) throw new Error("NVIDIA's driver tells of no GPU");
    for (const file of accelerators[type]) binding.open(file);
  }
  if (type === 'mps' && process.platform !== 'darwin') throw new Error('mps is of macOS alone');
  binding.useDevice(type, index);
  if (type === 'cuda' && !binding.allowTf32(tf32)) {
    throw new Error('this release can not be told to compute in float32 alone, and the same every time');
  }
  const { name = '', totalBytes = null } = (type === 'cuda' ? binding.cudaDevices()[index] : undefined) ?? {};
  return { type, index, name, memoryBytes: totalBytes };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
