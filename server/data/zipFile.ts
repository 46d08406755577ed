// The files of a zip archive, one after the other, by yauzl.
import type { Readable } from 'node:stream';
import yauzl from 'yauzl';

export interface UnzippedEntry {
  /** Path in the archive. */
  readonly name: string;
  readonly sizeBytes: number;
  open(): Promise<Readable>;
}

/** Calls back with each file, and waits for it. @throws Error where it is no zip archive, or damaged; the signal's reason */
export async function fromFile(
  file: string,
  signal: AbortSignal,
  onEntry: (entry: UnzippedEntry) => Promise<void>,
): Promise<void> {
  const archive = await yauzl.openPromise(file);
  try {
    for await (const entry of archive.eachEntry()) {
      signal.throwIfAborted();
      if (entry.fileName.endsWith('/')) continue;
      await onEntry({
        name: entry.fileName,
        sizeBytes: entry.uncompressedSize,
        open: () => archive.openReadStreamPromise(entry),
      });
    }
  } finally {
    archive.close();
  }
}
