// Chooses what tfjs computes on: our WebAssembly backend or tfjs's plain JavaScript one. Callers use tfjs and never ask which.
import * as tf from '@tensorflow/tfjs-core';
import type { DeviceReport } from '../protocol/messages.ts';
import type { RuntimeChoice } from '../protocol/plan.ts';
import { registerOps } from './ops/registerOps.ts';
import { isSupported, loadKernels, type KernelBuild } from './wasm/loadKernels.ts';
import { MemoryPool } from './wasm/memoryPool.ts';
import { openWasmBackend } from './wasm/openWasmBackend.ts';

export interface Runtime {
  readonly name: 'wasm' | 'cpu';
  /** For example `1 thread · relaxed SIMD`. */
  readonly device: string;
  /** Bytes of tensors now, and the most there were (on `cpu`: the most there were when this was called). */
  memory(): { usedBytes: number; peakBytes: number };
}

export interface RuntimeOptions {
  /** Absolute path of the folder with `kernels.wasm` and `kernels.relaxed.wasm`. */
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
 * @throws {UnsupportedRuntimeError} if `wasm` is asked for by name and does not work.
 */
export async function openRuntime(choice: RuntimeChoice, options: RuntimeOptions): Promise<Runtime> {
  if (choice === 'cpu') return openCpu();
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

/** Whether each runtime works here and why; opens none. */
export function listDevices(options: RuntimeOptions): Promise<DeviceReport[]> {
  return Promise.resolve([
    reportWasm(options.assetsFolder),
    { runtime: 'cpu', isAvailable: true, device: cpuDevice, reason: 'Works everywhere; slow.' },
  ]);
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

async function openCpu(): Promise<Runtime> {
  registerOps();
  await tf.setBackend('cpu');
  silenceGreeting();
  let peakBytes = 0;
  return {
    name: 'cpu',
    device: cpuDevice,
    memory: () => {
      const usedBytes = tf.memory().numBytes;
      peakBytes = Math.max(peakBytes, usedBytes);
      return { usedBytes, peakBytes };
    },
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
