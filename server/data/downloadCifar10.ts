// Fetches CIFAR-10's binary version on the user's word: resumed where an earlier attempt stopped, checked against the published
// checksum, and only then unpacked. Nothing calls this on its own.
import { createHash } from 'node:crypto';
import { constants, createReadStream, createWriteStream } from 'node:fs';
import { lstat, mkdir, rename, rm } from 'node:fs/promises';
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
  /** Neither more bytes than this are written of the archive, nor more than `maxUnpackedBytes` of what is in it. */
  readonly maxBytes: number;
  readonly maxUnpackedBytes: number;
}

/** As its author publishes it (162 MiB). */
export const cifar10Archive: Cifar10Archive = {
  url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
  md5: 'c32a1d4ab5d03f1284b67883e8d87530',
  maxBytes: 180_000_000,
  maxUnpackedBytes: 200_000_000,
};

export interface DownloadOptions {
  readonly signal: AbortSignal;
  /** Bytes there so far, those of earlier attempts included, and in all; null where the server does not say. */
  readonly onProgress: (receivedBytes: number, totalBytes: number | null) => void;
  readonly archive?: Cifar10Archive;
  /** After so long without a byte the download fails. */
  readonly idleMs?: number;
}

const maxRedirects = 5;

/**
 * Downloads and unpacks into `folder`, which `dataset.path` may then name. What has arrived stays in `folder` when it fails or
 * is aborted, and the next call goes on from there.
 * @throws DataError where the server refuses, the connection breaks or the checksum differs; the signal's reason on abort.
 */
export async function downloadCifar10(
  folder: string,
  { signal, onProgress, archive = cifar10Archive, idleMs = 60_000 }: DownloadOptions,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const part = path.join(folder, 'cifar-10-binary.tar.gz.part');
  await fetchRest(part, archive, { signal, onProgress, idleMs });
  await verify(part, archive);
  await unpack(part, folder, archive, signal);
  await rm(part);
}

async function fetchRest(
  part: string,
  { url, maxBytes }: Cifar10Archive,
  { signal, onProgress, idleMs }: Pick<Required<DownloadOptions>, 'signal' | 'onProgress' | 'idleMs'>,
): Promise<void> {
  const presentBytes = await sizeOf(part);
  const idle = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const hear = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      idle.abort();
    }, idleMs);
  };
  const either = AbortSignal.any([signal, idle.signal]);
  let receivedBytes = 0;
  hear();
  try {
    const response = await request(url, presentBytes, either);
    // 416: nothing is missing after what is there.
    if (response.status === 416 && presentBytes > 0) return;
    if (!response.ok || !response.body) {
      throw new DataError(`${url} answered ${response.status} ${response.statusText}. Try again later.`);
    }
    const isContinued = response.status === 206;
    receivedBytes = isContinued ? presentBytes : 0;
    const length = response.headers.get('content-length');
    const totalBytes = length === null ? null : receivedBytes + Number(length);
    const counter = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        hear();
        if (receivedBytes + chunk.length > maxBytes) {
          const message = `${url} sends more than the ${maxBytes} bytes that the archive can have: it is something else. Check the address.`;
          done(new DataError(message));
          return;
        }
        receivedBytes += chunk.length;
        onProgress(receivedBytes, totalBytes);
        done(null, chunk);
      },
    });
    const { O_WRONLY, O_CREAT, O_NOFOLLOW, O_APPEND, O_TRUNC } = constants;
    const flags = O_WRONLY | O_CREAT | O_NOFOLLOW | (isContinued ? O_APPEND : O_TRUNC);
    const target = createWriteStream(part, { flags: flags as unknown as string });
    await pipeline(Readable.fromWeb(response.body as ReadableStream), counter, target, { signal: either });
  } catch (cause) {
    signal.throwIfAborted();
    if (idle.signal.aborted) {
      const message = `${url} sent nothing for ${idleMs / 1000} s. What has arrived is kept; try again: it goes on from there.`;
      throw new DataError(message, { cause });
    }
    if (cause instanceof DataError) throw cause;
    throw new DataError(
      `The download of ${url} broke off after ${receivedBytes} bytes. Try again: it goes on from there.`,
      { cause },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Follows redirects to encrypted addresses and on this machine only. @throws DataError */
async function request(url: string, presentBytes: number, signal: AbortSignal): Promise<Response> {
  let at = url;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const headers: Record<string, string> = presentBytes > 0 ? { Range: `bytes=${presentBytes}-` } : {};
    const response = await fetch(at, { signal, headers, redirect: 'manual' }).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw new DataError(`${at} can't be reached. Check the connection and try again.`, { cause });
    });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) return response;
    await response.body?.cancel();
    const next = new URL(location, at);
    if (next.protocol !== 'https:' && !(next.protocol === 'http:' && next.hostname === '127.0.0.1')) {
      throw new DataError(`${at} leads to ${next.href}, which is not https. Name another address by --url.`);
    }
    at = next.href;
  }
  throw new DataError(
    `${url} leads from one address to the next, more than ${maxRedirects} times. Name another by --url.`,
  );
}

async function sizeOf(file: string): Promise<number> {
  const found = await lstat(file).catch(() => null);
  if (found && !found.isFile()) throw new DataError(`${file} is no plain file. Remove it and try again.`);
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
async function unpack(
  archive: string,
  folder: string,
  { url, maxUnpackedBytes }: Cifar10Archive,
  signal: AbortSignal,
): Promise<void> {
  let unpackedBytes = 0;
  const counter = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      unpackedBytes += chunk.length;
      if (unpackedBytes <= maxUnpackedBytes) done(null, chunk);
      else
        done(
          new DataError(`What came from ${url} unpacks to more than ${maxUnpackedBytes} bytes: it is something else.`),
        );
    },
  });
  const unpacked = createReadStream(archive).pipe(createGunzip()).pipe(counter);
  for await (const { name, content } of readTar(unpacked)) {
    if (!/\.(bin|txt)$/.test(name)) continue;
    const file = path.join(folder, path.posix.basename(name));
    await rm(`${file}.part`, { force: true }); // of an earlier attempt, or a link that would lead elsewhere
    await pipeline(content, createWriteStream(`${file}.part`, { flags: 'wx' }), { signal });
    await rename(`${file}.part`, file);
  }
}
