// The runtimes that the op contracts run on, by name, and how each is opened.
import * as tf from '@tensorflow/tfjs-core';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

import { openRuntime } from '../../../server/tensor/runtime.ts';
import { openWasmBackend } from '../../../server/tensor/wasm/openWasmBackend.ts';
import { totalOf, watchJobs } from '../wasm/watchJobs.ts';

export const runtimeNames = ['cpu', 'wasm', 'torch', 'tensorflow'] as const;
export type RuntimeName = (typeof runtimeNames)[number];

/** `wasm` with its work cut as finely as the kernels allow: threads then share the suites' small tensors, too. */
const finelyCut = { 'wasm cut for 2 threads': 2, 'wasm cut for 4 threads': 4 } as const;
type FinelyCut = keyof typeof finelyCut;

export type ContractRuntime = RuntimeName | FinelyCut;
export const contractRuntimes: readonly ContractRuntime[] = [
  ...runtimeNames,
  ...(Object.keys(finelyCut) as FinelyCut[]),
];

/** Of the runtime `torch`: another where a machine has one. */
const contractDevice = process.env['KAFSCOPE_TORCH_DEVICE'] ?? 'cpu';

const assetsFolder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../../dist');

/** Makes the runtime tfjs's backend, and says so: the end of `npm test` tells where it ran. Fails where it can't. */
export async function openContractRuntime(name: RuntimeName): Promise<void> {
  const runtime = await openRuntime(
    name,
    name === 'torch' ? { assetsFolder, device: contractDevice } : { assetsFolder },
  );
  expect(runtime.name).toBe(name);
  expect(tf.getBackend()).toBe({ cpu: 'cpu', wasm: 'kafscope-wasm', torch: 'torch', tensorflow: 'tensorflow' }[name]);
  const ran = process.env['KAFSCOPE_RUNTIMES_FILE'];
  if (ran) fs.appendFileSync(ran, `${runtime.name}\t${runtime.device}\n`);
  console.info(`contract suite on ${runtime.name}: ${runtime.device}`);
}

/** @returns a check, for after the suite, that threads did share its work; a suite without kernels of ours has none */
export async function openContractVariant(name: ContractRuntime): Promise<() => void> {
  if (!isFinelyCut(name)) {
    await openContractRuntime(name);
    return () => undefined;
  }
  const { backend } = await openWasmBackend(assetsFolder, { threads: finelyCut[name], cuts: 'finest' });
  const counts = watchJobs(backend.threads);
  return () => {
    const { jobs, split } = totalOf(counts);
    console.info(`${name}: ${split} of ${jobs} jobs split`);
    if (jobs > 0) expect(split, 'jobs that threads shared').toBeGreaterThan(0);
  };
}

function isFinelyCut(name: ContractRuntime): name is FinelyCut {
  return name in finelyCut;
}
