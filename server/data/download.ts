// Fetches a published data set on the user's word: resumed where an earlier attempt stopped, checked against the published
// checksum, and only then unpacked. Nothing calls this on its own. What may be fetched is said in protocol/datasets.ts.
import { createHash } from 'node:crypto';
import { constants, createReadStream, createWriteStream } from 'node:fs';
import { lstat, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { Download, DownloadFile } from '../protocol/datasets.ts';
import { DataError } from './dataError.ts';
import { unpackArchive } from './unpackArchive.ts';

export interface DownloadOptions {
  readonly signal: AbortSignal;
  /** Bytes of a file there so far, those of earlier attempts included, and in all; null where the server does not say. */
  readonly onProgress: (receivedBytes: number, totalBytes: number | null, file: string) => void;
  /** After so long without a byte the download fails. */
  readonly idleMs?: number;
}

const maxRedirects = 5;

/**
 * Downloads and unpacks into `folder`, which `dataset.path` may then name. What has arrived stays in `folder` when it fails or
 * is aborted, and the next call goes on from there; a file that is whole is not fetched again.
 * @throws DataError where the server refuses, the connection breaks or the checksum differs; the signal's reason on abort.
 */
export async function downloadDataset(
  { files }: Download,
  folder: string,
  { signal, onProgress, idleMs = 60_000 }: DownloadOptions,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const file of files) {
    const target = path.join(folder, file.name);
    if (!file.unpack && (await isWhole(target, file))) continue;
    const part = `${target}.part`;
    const options = {
      ...{ signal, idleMs },
      onProgress: (received: number, total: number | null) => {
        onProgress(received, total, file.name);
      },
    };
    await fetchRest(part, file, options);
    await verify(part, file);
    if (!file.unpack) {
      await rename(part, target);
      continue;
    }
    await unpackArchive(part, folder, file.unpack, { url: file.url, signal });
    await rm(part);
  }
}

/** Of a file under its own name, which it gets when it is whole; where a checksum is published, that is looked at as well. */
async function isWhole(target: string, { checksum }: DownloadFile): Promise<boolean> {
  if ((await sizeOf(target)) === 0) return false;
  return checksum === null || (await hashOf(target, checksum.algorithm)) === checksum.hex;
}

interface FetchOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (receivedBytes: number, totalBytes: number | null) => void;
  readonly idleMs: number;
}

async function fetchRest(
  part: string,
  { url, maxBytes }: DownloadFile,
  { signal, onProgress, idleMs }: FetchOptions,
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
          const message = `${url} sends more than the ${maxBytes} bytes that the file can have: it is something else. Check the address.`;
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

async function verify(part: string, { url, checksum }: DownloadFile): Promise<void> {
  if (checksum === null) return;
  const found = await hashOf(part, checksum.algorithm);
  if (found === checksum.hex) return;
  await rm(part);
  throw new DataError(
    `What came from ${url} has the ${checksum.algorithm === 'md5' ? 'MD5' : 'SHA-256'} checksum ${found} instead of ${checksum.hex}. It was deleted: try again.`,
  );
}

async function hashOf(file: string, algorithm: 'md5' | 'sha256'): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
