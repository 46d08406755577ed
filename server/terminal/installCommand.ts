// `kafscope install`: puts TensorFlow's library where Kafscope finds it, on the user's word, and only then.
import { chosenVariables, pythonEnvironments } from '../protocol/libraryVariables.ts';
import { installTensorflow, InstallError, type InstallProgress } from '../tensor/tensorflow/installTensorflow.ts';
import { wheelSet, type TensorflowVariant, type WheelSet } from '../tensor/tensorflow/tensorflowWheels.ts';
import { tryRuntime } from '../run/runtime/runtimeTrial.ts';
import { onInterrupt } from './interrupt.ts';
import { exitCodes, UsageError } from './terminal.ts';
import type { Terminal } from './terminal.ts';

const progressEveryMs = 200;

export interface InstallCommand {
  /** Absolute path; replaced. */
  readonly folder: string;
  readonly variant: TensorflowVariant;
  readonly python: string;
  readonly assetsFolder: string;
  /** Like `linux-x64`. */
  readonly platform: string;
  /** The platform's own where it is left out. */
  readonly set?: WheelSet;
}

const verbs = { download: 'downloading', check: 'checking', unpack: 'unpacking' } as const;

/** @throws InstallError | UsageError with what to do @returns the exit code; nothing is left of an attempt that failed */
export async function installCommand(command: InstallCommand, terminal: Terminal): Promise<number> {
  const { folder, variant, python, platform } = command;
  const set = command.set ?? wheelSet(platform, variant);
  if (!set) {
    const why = wheelSet(platform, 'cpu') ? 'with CUDA ' : '';
    throw new UsageError(`There is no TensorFlow ${why}to install for ${platform}.`);
  }
  const abort = new AbortController();
  const release = onInterrupt(terminal, () => {
    abort.abort();
  });
  const [{ name, version }] = set.wheels as [WheelSet['wheels'][number]];
  terminal.event({ type: 'install', name, version, folder, downloadBytes: set.downloadBytes });
  terminal.line(`${name} ${version} by ${python} -m pip, about ${megabytes(set.downloadBytes)} MB, into ${folder}`);
  let saidMs = -Infinity;
  const onProgress = (progress: InstallProgress): void => {
    const now = performance.now();
    if (now - saidMs < progressEveryMs) return;
    saidMs = now;
    terminal.event({ type: 'progress', ...progress });
    const { stage, doneBytes, totalBytes } = progress;
    terminal.progress(`${verbs[stage]}: ${megabytes(doneBytes)} of ${megabytes(totalBytes)} MB`);
  };
  try {
    await installTensorflow(folder, { python, set, signal: abort.signal, onProgress });
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    terminal.error('Stopped. Nothing was installed.');
    return exitCodes.interrupted;
  } finally {
    release();
  }
  const env = { ...process.env, [chosenVariables.tensorflow]: '', [pythonEnvironments]: folder };
  const { device, fault } = await tryRuntime('tensorflow', command.assetsFolder, env);
  terminal.event({ type: 'done', folder, name, version, device, fault });
  terminal.line(`${name} ${version} is in ${folder}; its checksum is right.`);
  if (fault !== null) throw new InstallError(`It is installed but does not work: ${fault}`);
  terminal.line(`It computes on: ${device}. Use it with "runtime: tensorflow" in an experiment.`);
  return exitCodes.done;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
