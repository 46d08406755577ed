// `kafscope download`: fetches a data set on the user's word, and only then.
import { downloadCifar10, type DownloadOptions } from '../data/downloadCifar10.ts';
import { onInterrupt } from './interrupt.ts';
import { exitCodes } from './terminal.ts';
import type { Terminal } from './terminal.ts';

const progressEveryMs = 200;

export interface DownloadCommand {
  /** Absolute path; made where it is missing. */
  readonly folder: string;
  readonly archive?: NonNullable<DownloadOptions['archive']>;
}

/** @throws DataError with what to do @returns the exit code; what has arrived stays for the next attempt */
export async function downloadCommand({ folder, archive }: DownloadCommand, terminal: Terminal): Promise<number> {
  const abort = new AbortController();
  const release = onInterrupt(terminal, () => {
    abort.abort();
  });
  let saidMs = -Infinity;
  const onProgress = (receivedBytes: number, totalBytes: number | null): void => {
    const now = performance.now();
    if (now - saidMs < progressEveryMs) return;
    saidMs = now;
    terminal.event({ type: 'progress', receivedBytes, totalBytes });
    terminal.progress(`${mebibytes(receivedBytes)} of ${totalBytes === null ? '?' : mebibytes(totalBytes)} MiB`);
  };
  try {
    await downloadCifar10(folder, { signal: abort.signal, onProgress, ...(archive ? { archive } : {}) });
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    terminal.error('Stopped. What has arrived is kept; the same command goes on from there.');
    return exitCodes.interrupted;
  } finally {
    release();
  }
  terminal.event({ type: 'done', folder });
  terminal.line(`CIFAR-10 is in ${folder}; its checksum is right. Name it in an experiment:`);
  terminal.line(`dataset: {name: cifar10, path: ${JSON.stringify(folder)}}`);
  return exitCodes.done;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
