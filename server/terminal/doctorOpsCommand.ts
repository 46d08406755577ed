// `kafscope doctor --ops`: which kernels of the runtime `wasm` are WebAssembly and which are those of the backend `cpu`.
import * as tf from '@tensorflow/tfjs-core';
import { openRuntime } from '../tensor/runtime.ts';
import { castKernels } from '../tensor/wasm/kernels/cast.ts';
import { wasmBackendName } from '../tensor/wasm/wasmBackend.ts';
import { exitCodes } from './terminal.ts';
import type { Terminal } from './terminal.ts';

interface KernelLists {
  /** Names of the kernels with WebAssembly behind them, sorted. */
  readonly accelerated: readonly string[];
  /** Names of the kernels that are the `cpu` backend's own functions, sorted. */
  readonly copied: readonly string[];
  /** Names of the kernels that are ours for another reason than speed, sorted. */
  readonly adapted: readonly string[];
}

/**
 * Opens the runtime `wasm` to look at what it has registered.
 * @throws UnsupportedRuntimeError where it does not work
 * @returns the exit code
 */
export async function doctorOpsCommand(assetsFolder: string, terminal: Terminal): Promise<number> {
  const { name, device } = await openRuntime('wasm', { assetsFolder });
  const lists = listKernels();
  terminal.event({ type: 'ops', runtime: name, device, ...lists });
  const { accelerated, copied, adapted } = lists;
  const total = String(accelerated.length + copied.length + adapted.length);
  terminal.line(`The runtime ${name} (${device}) accelerates ${String(accelerated.length)} of its ${total} kernels.`);
  const parts: [string, readonly string[]][] = [
    ['accelerated in WebAssembly; shapes and types that it does not take go to the backend cpu:', accelerated],
    ['copied from the backend cpu:', copied],
    ['as on the backend cpu, but for how numbers are stored:', adapted],
  ];
  for (const [title, names] of parts) {
    terminal.line(title);
    for (const line of wrapped(names)) terminal.line(line);
  }
  return exitCodes.done;
}

/** A copied kernel is the same function on both backends, so what is registered tells the truth. */
function listKernels(): KernelLists {
  const adapted = castKernels.map(({ kernelName }) => kernelName);
  const accelerated: string[] = [];
  const copied: string[] = [];
  for (const { kernelName, kernelFunc } of tf.getKernelsForBackend(wasmBackendName)) {
    if (adapted.includes(kernelName)) continue;
    // tfjs's type leaves out that there may be none: what fuses two ops has no kernel there.
    const onCpu = tf.getKernel(kernelName, 'cpu') as tf.KernelConfig | undefined;
    const isCopied = onCpu?.kernelFunc === kernelFunc;
    (isCopied ? copied : accelerated).push(kernelName);
  }
  return { accelerated: accelerated.sort(), copied: copied.sort(), adapted: adapted.sort() };
}

const lineLength = 100;

/** Indented lines of names. */
function wrapped(names: readonly string[]): string[] {
  const lines: string[] = [];
  for (const name of names) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + name.length <= lineLength) lines[lines.length - 1] = `${line} ${name}`;
    else lines.push(`  ${name}`);
  }
  return lines;
}
