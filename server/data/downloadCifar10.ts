// Fetches CIFAR-10's binary version on the user's word: resumed where an earlier attempt stopped, checked against the published
// checksum, and only then unpacked. Nothing calls this on its own.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { createGunzip } from 'node:zlib';
import { DataError } from './dataError.ts';
import { readTar } from './tar.ts';

export interface Cifar10Archive {
  readonly url: string;
  readonly md5: string;
}

/** As its author publishes it (162 MiB). */
export const cifar10Archive: Cifar10Archive = {
  url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
  md5: 'c32a1d4ab5d03f1284b67883e8d87530',
};

export interface DownloadOptions {
  readonly signal: AbortSignal;
  /** Bytes there so far, those of earlier attempts included, and in all; null where the server does not say. */
  readonly onProgress: (receivedBytes: number, totalBytes: number | null) => void;
  readonly archive?: Cifar10Archive;
}

/**
 * Downloads and unpacks into `folder`, which `dataset.path` may then name. What has arrived stays in `folder` when it fails or
 * is aborted, and the next call goes on from there.
 * @throws DataError where the server refuses, the connection breaks or the checksum differs; the signal's reason on abort.
 */
export async function downloadCifar10(
  folder: string,
  { signal, onProgress, archive = cifar10Archive }: DownloadOptions,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const part = path.join(folder, 'cifar-10-binary.tar.gz.part');
  await fetchRest(part, archive.url, { signal, onProgress });
  await verify(part, archive);
  await unpack(part, folder, signal);
  await rm(part);
}

async function fetchRest(
  part: string,
  url: string,
  { signal, onProgress }: Pick<DownloadOptions, 'signal' | 'onProgress'>,
): Promise<void> {
  const presentBytes = await sizeOf(part);
  const response = await fetch(url, {
    signal,
    headers: presentBytes > 0 ? { Range: `bytes=${presentBytes}-` } : {},
  }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new DataError(`${url} can't be reached. Check the connection and try again.`, { cause });
  });
  // 416: nothing is missing after what is there.
  if (response.status === 416 && presentBytes > 0) return;
  if (!response.ok || !response.body) {
    throw new DataError(`${url} answered ${response.status} ${response.statusText}. Try again later.`);
  }
  const isContinued = response.status === 206;
  let receivedBytes = isContinued ? presentBytes : 0;
  const length = response.headers.get('content-length');
  const totalBytes = length === null ? null : receivedBytes + Number(length);
  const counter = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      receivedBytes += chunk.length;
      onProgress(receivedBytes, totalBytes);
      done(null, chunk);
    },
  });
  const target = createWriteStream(part, { flags: isContinued ? 'a' : 'w' });
  try {
    await pipeline(Readable.fromWeb(response.body as ReadableStream), counter, target, { signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw new DataError(
      `The download of ${url} broke off after ${receivedBytes} bytes. Try again: it goes on from there.`,
      { cause },
    );
  }
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => null);
  return found?.size ?? 0;
}

async function verify(part: string, { url, md5 }: Cifar10Archive): Promise<void> {
  const hash = createHash('md5');
  await pipeline(createReadStream(part), hash);
  const found = hash.digest('hex');
  if (found === md5) return;
  await rm(part);
  throw new DataError(
    `What came from ${url} has the MD5 checksum ${found} instead of ${md5}. It was deleted: try again.`,
  );
}

/** Each file is complete under its name or not there. */
async function unpack(archive: string, folder: string, signal: AbortSignal): Promise<void> {
  const unpacked = createReadStream(archive).pipe(createGunzip());
  for await (const { name, content } of readTar(unpacked)) {
    if (!/\.(bin|txt)$/.test(name)) continue;
    const file = path.join(folder, path.posix.basename(name));
    await pipeline(content, createWriteStream(`${file}.part`), { signal });
    await rename(`${file}.part`, file);
  }
}
