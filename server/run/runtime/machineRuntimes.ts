// The runtimes of this machine: which there are, how each does, and what `auto` stands for.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { DeviceListResult } from '../../protocol/messages.ts';
import type { RuntimeChoice, RuntimeName } from '../../protocol/plan.ts';
import { listDevices } from '../../tensor/runtime.ts';
import { dataFolder, surroundings } from '../../tensor/python/places.ts';
import { visibleGpus } from '../../tensor/python/visibleGpus.ts';
import { lookForTensorflow } from '../../tensor/tensorflow/tensorflowPlaces.ts';
import { lookForTorch } from '../../tensor/torch/findTorch.ts';
import { chooseRuntime, type RuntimeVerdict } from './chooseRuntime.ts';
import { tryRuntime } from './runtimeTrial.ts';

export interface MachineOptions {
  /** Absolute path of the folder with the runtimes' files and `runtimeTrial.cjs`. */
  readonly assetsFolder: string;
  readonly log: (line: string) => void;
}

/** Tries the runtimes unless it is remembered how they did on this machine. */
export async function listRuntimes(options: MachineOptions & { readonly isAnew: boolean }): Promise<DeviceListResult> {
  const { chosen, trials } = await judge(options);
  return { chosen, devices: listDevices(options, trials) };
}

/** The runtime of a plan's choice: `auto` is the fastest that passes its self-test. */
export async function resolveRuntime(choice: RuntimeChoice, options: MachineOptions): Promise<RuntimeName> {
  return choice === 'auto' ? (await judge({ ...options, isAnew: false })).chosen : choice;
}

function judge({ assetsFolder, log, isAnew }: MachineOptions & { readonly isAnew: boolean }): Promise<RuntimeVerdict> {
  const around = surroundings(assetsFolder);
  const { library: tensorflow } = lookForTensorflow(around);
  const { library: torch } = lookForTorch(around);
  return chooseRuntime({
    candidates: ['wasm', ...(torch ? (['torch'] as const) : []), ...(tensorflow ? (['tensorflow'] as const) : [])],
    fingerprint: JSON.stringify({
      kernelsMs: modifiedMs(path.join(assetsFolder, 'kernels.relaxed.wasm')),
      tensorflow: tensorflow ? [tensorflow.folder, tensorflow.version] : null,
      torch: torch ? [torch.folder, torch.version] : null,
      node: process.versions.node,
      processor: os.cpus()[0]?.model,
      cores: os.availableParallelism(),
      gpus: process.env[visibleGpus] ?? null,
    }),
    memoryFile: path.join(dataFolder(around), 'runtimes.json'),
    tryRuntime: (runtime) => tryRuntime(runtime, assetsFolder),
    log,
    isAnew,
  });
}

function modifiedMs(file: string): number | null {
  return fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null;
}
