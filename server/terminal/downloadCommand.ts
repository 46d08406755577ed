// `kafscope download`: fetches a data set on the user's word, and only then.
import { downloadDataset } from '../data/download.ts';
import { datasetDeclaration, type DatasetName, type Download } from '../protocol/datasets.ts';
import { onInterrupt } from './interrupt.ts';
import { exitCodes } from './terminal.ts';
import type { Terminal } from './terminal.ts';

const progressEveryMs = 200;

export interface DownloadCommand {
  /** Of one that may be fetched. */
  readonly name: DatasetName;
  /** Absolute path; made where it is missing. */
  readonly folder: string;
  /** Where the same file lies as well, or the folder of the same files; null for the authors' own place. */
  readonly url: string | null;
}

/** @throws DataError with what to do @returns the exit code; what has arrived stays for the next attempt */
export async function downloadCommand({ name, folder, url }: DownloadCommand, terminal: Terminal): Promise<number> {
  const { title, download } = datasetDeclaration(name);
  if (!download) throw new Error(`${name} can't be fetched`);
  const abort = new AbortController();
  const release = onInterrupt(terminal, () => {
    abort.abort();
  });
  let saidMs = -Infinity;
  const onProgress = (receivedBytes: number, totalBytes: number | null, file: string): void => {
    const now = performance.now();
    if (now - saidMs < progressEveryMs) return;
    saidMs = now;
    terminal.event({ type: 'progress', file, receivedBytes, totalBytes });
    terminal.progress(
      `${file}: ${mebibytes(receivedBytes)} of ${totalBytes === null ? '?' : mebibytes(totalBytes)} MiB`,
    );
  };
  try {
    await downloadDataset(elsewhere(download, url), folder, { signal: abort.signal, onProgress });
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    terminal.error('Stopped. What has arrived is kept; the same command goes on from there.');
    return exitCodes.interrupted;
  } finally {
    release();
  }
  terminal.event({ type: 'done', folder });
  const isChecked = download.files.every(({ checksum }) => checksum !== null);
  const checked = isChecked
    ? 'its checksum is right'
    : 'its authors publish no checksum, so it is checked when it is read';
  terminal.line(`${title} is in ${folder}; ${checked}. Name it in an experiment:`);
  terminal.line(`dataset: {name: ${name}, path: ${JSON.stringify(folder)}}`);
  return exitCodes.done;
}

function elsewhere(download: Download, url: string | null): Download {
  if (url === null) return download;
  const isOne = download.files.length === 1;
  const files = download.files.map((file) => ({
    ...file,
    url: isOne ? url : new URL(file.name, url.endsWith('/') ? url : `${url}/`).href,
  }));
  return { ...download, files };
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
