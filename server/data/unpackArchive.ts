// Taking the files of a data set out of its archive: packed tar by tar-stream, zip by yauzl. Only files that are named, and never
// into another folder.
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import type { DownloadFile } from '../protocol/datasets.ts';
import { DataError } from './dataError.ts';
import { fromFile } from './zipFile.ts';

type Unpack = NonNullable<DownloadFile['unpack']>;

/**
 * Each of the files to keep is complete under its name or not there.
 * @param url where the archive came from, for what is said of it
 * @throws DataError where it is damaged, has too much in it or too little; the signal's reason on abort
 */
export async function unpackArchive(
  archive: string,
  folder: string,
  { form, keep, maxBytes }: Unpack,
  { url, signal }: { readonly url: string; readonly signal: AbortSignal },
): Promise<void> {
  const missing = new Set(keep);
  const counter = new ByteCounter(maxBytes, url);
  const take = async (name: string, content: Readable, ...through: Transform[]): Promise<boolean> => {
    const base = path.posix.basename(name);
    if (!missing.delete(base)) return false;
    const file = path.join(folder, base);
    await rm(`${file}.part`, { force: true }); // of an earlier attempt, or a link that would lead elsewhere
    await pipeline([content, ...through, createWriteStream(`${file}.part`, { flags: 'wx' })], { signal });
    await rename(`${file}.part`, file);
    return true;
  };
  try {
    if (form === 'tar.gz') await eachOfTar(archive, counter, take);
    else {
      await fromFile(archive, signal, async ({ name, open }) => {
        if (keep.includes(path.posix.basename(name))) await take(name, await open(), counter.stream());
      });
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof DataError) throw cause;
    throw new DataError(
      `What came from ${url} can't be unpacked (${cause instanceof Error ? cause.message : String(cause)}). Delete ${archive} and try again.`,
      { cause },
    );
  }
  const [first] = missing;
  if (first !== undefined) throw new DataError(`What came from ${url} has no ${first} in it: it is something else.`);
}

async function eachOfTar(
  archive: string,
  counter: ByteCounter,
  take: (name: string, content: Readable) => Promise<boolean>,
): Promise<void> {
  const entries = extract();
  const unpacked = pipeline(createReadStream(archive), createGunzip(), counter.stream(), entries);
  // What fails here is told by the loop, or below.
  unpacked.catch(() => {});
  for await (const entry of entries) {
    const isTaken =
      entry.header.type === 'file' &&
      (await take(entry.header.name, Readable.from(entry as AsyncIterable<Uint8Array>)));
    if (!isTaken) entry.resume();
  }
  await unpacked;
}

/** Over all that is unpacked. */
class ByteCounter {
  readonly #maxBytes: number;
  readonly #url: string;
  #bytes = 0;

  constructor(maxBytes: number, url: string) {
    this.#maxBytes = maxBytes;
    this.#url = url;
  }

  stream(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.#bytes += chunk.length;
        if (this.#bytes <= this.#maxBytes) done(null, chunk);
        else {
          const message = `What came from ${this.#url} unpacks to more than ${this.#maxBytes} bytes: it is something else.`;
          done(new DataError(message));
        }
      },
    });
  }
}
