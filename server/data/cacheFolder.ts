// A folder of the cache of data sets: made whole or not at all, by whoever is first, and marked by the processes that use it.
//   <cache>/datasets/<key>/    rows (rowCache.ts)
//   <cache>/arrays/<key>/      unpacked arrays (npz.ts)
//     last-use                 touched by each that opens it
//     use.<host>.<space>.<pid> one a process that opened it; `space` is its namespace of process ids
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { cleanHost } from '../protocol/serverLock.ts';
import { DataError } from './dataError.ts';

/**
 * Makes the folder: `make` writes into another, which takes its name. What it leaves unfinished is removed; what another has made
 * meanwhile is left, for it may be read already.
 * @throws whatever `make` throws
 */
export async function makeEntry(
  folder: string,
  isWhole: () => boolean,
  make: (part: string) => Promise<void>,
): Promise<void> {
  const part = partOf(folder);
  try {
    removeLeftovers(path.dirname(folder));
    fs.rmSync(part, { recursive: true, force: true });
    fs.mkdirSync(part, { recursive: true });
    await make(part);
    if (isWhole()) {
      fs.rmSync(part, { recursive: true, force: true });
      return;
    }
    fs.rmSync(folder, { recursive: true, force: true });
    fs.renameSync(part, folder);
  } catch (cause) {
    fs.rmSync(part, { recursive: true, force: true });
    throw cause;
  }
}

/** What the disk refused, as a sentence; null for any other error. */
export function refusedByDisk(cacheFolder: string, cause: unknown): DataError | null {
  const { code } = cause as NodeJS.ErrnoException;
  // The error of an abort has a number there.
  if (typeof code !== 'string' || !code.startsWith('E') || cause instanceof DataError) return null;
  return new DataError(
    `The cache of data sets in ${cacheFolder} can't be written (${code}). Make room there, or name another folder by the variable XDG_CACHE_HOME.`,
    { cause },
  );
}

/** A name beside an entry's for what is not whole. A home that hosts share: their makers go on beside one another. */
export function partOf(folder: string): string {
  return `${folder}.${cleanHost(os.hostname())}.${process.pid}.part`;
}

/** Says that this process uses an entry, as long as it lives; of a cache that can't be written nothing is removed anyway. */
export function markUse(folder: string): void {
  try {
    for (const name of ['last-use', `use.${thisSpace()}.${process.pid}`]) {
      fs.closeSync(fs.openSync(path.join(folder, name), 'a'));
      fs.utimesSync(path.join(folder, name), new Date(), new Date());
    }
  } catch {
    // As said above.
  }
}

/** Whether a process uses it: of another host or container any that has not taken its mark away, for it can't be asked. */
export function isInUse(folder: string): boolean {
  return fs.readdirSync(folder).some((name) => {
    const [, space, pid] = /^use\.(.+)\.(\d+)$/.exec(name) ?? [];
    return space !== undefined && (space !== thisSpace() || isAlive(Number(pid)));
  });
}

/** Takes the marks of this host's dead away, so that others may remove the entry, too. */
export function forgetTheDead(folder: string): void {
  for (const name of fs.readdirSync(folder)) {
    const [, space, pid] = /^use\.(.+)\.(\d+)$/.exec(name) ?? [];
    if (space === thisSpace() && !isAlive(Number(pid))) fs.rmSync(path.join(folder, name), { force: true });
  }
}

/** Where a process id is this process's own kind of number. */
function thisSpace(): string {
  let namespace = '0';
  try {
    namespace = /\d+/.exec(fs.readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    // Only Linux has them.
  }
  return `${cleanHost(os.hostname())}.${namespace}`;
}

/** Of makers that died: those of this host, as others can't be asked. */
function removeLeftovers(parent: string): void {
  if (!fs.existsSync(parent)) return;
  for (const name of fs.readdirSync(parent)) {
    const [, host, pid] = /^[^.]+\.(.+)\.(\d+)\.part$/.exec(name) ?? [];
    if (host !== cleanHost(os.hostname()) || isAlive(Number(pid))) continue;
    fs.rmSync(path.join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
