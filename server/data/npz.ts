// NumPy's .npz files: zip archives of .npy files, which are unpacked once into the cache, as they stream by.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fromFile, type UnzippedEntry } from './zipFile.ts';
import { makeEntry, markUse, refusedByDisk } from './cacheFolder.ts';
import { DataError } from './dataError.ts';

/** A folder with a file `name.npy` for each of these arrays that the archive has. @throws DataError where it is no zip archive */
export async function unpackNpz(
  file: string,
  names: readonly string[],
  { cacheFolder, signal }: { readonly cacheFolder: string; readonly signal: AbortSignal },
): Promise<string> {
  const { size, mtimeMs } = fs.statSync(file);
  const key = createHash('sha256')
    .update(JSON.stringify([1, file, size, mtimeMs, names]))
    .digest('hex')
    .slice(0, 32);
  const folder = path.join(cacheFolder, 'arrays', key);
  markUse(folder);
  if (fs.existsSync(folder)) return folder;
  try {
    await makeEntry(
      folder,
      () => fs.existsSync(folder),
      (part) =>
        fromFile(file, signal, async ({ name, open }: UnzippedEntry) => {
          const wanted = names.find((given) => name === `${given}.npy`);
          if (wanted === undefined) return;
          const content: Readable = await open();
          const unpacked = fs.createWriteStream(path.join(part, `${wanted}.npy`), { flags: 'wx' });
          await pipeline(content, unpacked, { signal });
        }),
    );
    markUse(folder);
  } catch (cause) {
    if (cause instanceof DataError || signal.aborted) throw cause;
    const refused = refusedByDisk(cacheFolder, cause);
    if (refused) throw refused;
    throw new DataError(
      `${file} can't be unpacked (${cause instanceof Error ? cause.message : String(cause)}). Write it again by numpy.savez.`,
      { cause },
    );
  }
  return folder;
}

/** Of all arrays of an archive. */
export async function namesInNpz(file: string, { signal }: { readonly signal: AbortSignal }): Promise<string[]> {
  const files: string[] = [];
  await fromFile(file, signal, ({ name }) => {
    files.push(name);
    return Promise.resolve();
  });
  return arrayNames(files);
}

export function arrayNames(files: readonly string[]): string[] {
  return files.flatMap((name) => (name.endsWith('.npy') ? [name.slice(0, -'.npy'.length)] : []));
}
