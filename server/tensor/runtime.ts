// Chooses what tfjs computes on: our WebAssembly backend or tfjs's plain JavaScript one. Callers use tfjs and never ask which.
import os from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { DeviceReport } from '../protocol/messages.ts';
import type { RuntimeChoice } from '../protocol/plan.ts';
import { registerOps } from './ops/registerOps.ts';
import { isSupported, loadKernels, type KernelBuild } from './wasm/loadKernels.ts';
import { MemoryPool } from './wasm/memoryPool.ts';
import { openWasmBackend } from './wasm/openWasmBackend.ts';

export interface Runtime {
  readonly name: 'wasm' | 'cpu';
  /** For example `8 threads · relaxed SIMD`. */
  readonly device: string;
  /** Bytes of tensors now, and the most there were (on `cpu`: the most there were when this was called). */
  memory(): { usedBytes: number; peakBytes: number };
}

export interface RuntimeOptions {
  /** Absolute path of the folder with `kernels.wasm`, `kernels.relaxed.wasm` and `kernelThread.cjs`. */
  readonly assetsFolder: string;
  /** Of `wasm`, from 1; by default as many as the machine has cores. */
  readonly threads?: number;
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
    const threads = options.threads ?? os.availableParallelism();
    const { backend, build } = await openWasmBackend(options.assetsFolder, { threads });
    return {
      name: 'wasm',
      device: wasmDevice(build, threads),
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
    reportWasm(options),
    { runtime: 'cpu', isAvailable: true, device: cpuDevice, reason: 'Works everywhere; slow.' },
  ]);
}

function reportWasm({ assetsFolder, threads = os.availableParallelism() }: RuntimeOptions): DeviceReport {
  try {
    const build = isSupported(assetsFolder, 'relaxed') ? 'relaxed' : 'plain';
    loadKernels(assetsFolder, new MemoryPool({ initialPages: 1 }).memory, build);
    const reason =
      build === 'relaxed'
        ? 'The engine has shared memory and relaxed SIMD.'
        : 'The engine has no relaxed SIMD (Node 22 and newer have it), so kernels run at about half speed.';
    return { runtime: 'wasm', isAvailable: true, device: wasmDevice(build, threads), reason };
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

function wasmDevice(build: KernelBuild, threads: number): string {
  return `${threads} ${threads === 1 ? 'thread' : 'threads'} · ${build === 'relaxed' ? 'relaxed SIMD' : 'SIMD'}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
