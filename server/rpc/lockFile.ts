// `server.lock` in a runs folder: who serves it, and how to reach them. One server a folder.
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { storageError } from '../run/storageError.ts';

const lockSchema = z.object({
  pid: z.int().min(1),
  port: z.int().min(1).max(65_535),
  token: z.string().min(1),
  version: z.string(),
  startedMs: z.number(),
});
export type Lock = z.infer<typeof lockSchema>;

/** Another server has the folder. */
export class FolderTakenError extends Error {
  override readonly name = 'FolderTakenError';
  readonly pid: number;

  constructor(runsFolder: string, pid: number) {
    super(
      `The server with process id ${String(pid)} already serves ${runsFolder}. Connect to that one, or end it first.`,
    );
    this.pid = pid;
  }
}

export function lockFile(runsFolder: string): string {
  return path.join(runsFolder, 'server.lock');
}

/** Null where there is none, or none that can be understood. */
export function readLock(runsFolder: string): Lock | null {
  try {
    return lockSchema.safeParse(JSON.parse(fs.readFileSync(lockFile(runsFolder), 'utf8'))).data ?? null;
  } catch {
    return null; // missing, or cut off by a crash while it was written: a lock that nobody can use
  }
}

/**
 * Writes our lock whole, unless another server has one and answers.
 * @param answers says whether the server of a lock is alive.
 * @throws FolderTakenError | StorageError
 */
export async function takeLock(
  runsFolder: string,
  lock: Lock,
  answers: (lock: Lock) => Promise<boolean>,
): Promise<void> {
  const file = lockFile(runsFolder);
  const own = `${file}.${String(lock.pid)}.${lock.token.slice(0, 8)}`;
  try {
    fs.writeFileSync(own, JSON.stringify(lock), { mode: 0o600 });
    for (;;) {
      const other = readLock(runsFolder);
      if (other && isRunning(other.pid) && (await answers(other))) throw new FolderTakenError(runsFolder, other.pid);
      // A lock that changed while its server was asked belongs to a newer one: ask that.
      if (readLock(runsFolder)?.token !== other?.token) continue;
      fs.rmSync(file, { force: true });
      if (linkUnlessThere(own, file)) return;
    }
  } catch (error) {
    throw error instanceof FolderTakenError ? error : storageError(file, error);
  } finally {
    fs.rmSync(own, { force: true });
  }
}

/** Removes the lock if it is ours. */
export function releaseLock(runsFolder: string, lock: Lock): void {
  if (readLock(runsFolder)?.token === lock.token) fs.rmSync(lockFile(runsFolder), { force: true });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A link appears whole and never replaces; file systems without links copy instead. False where the name is taken. */
function linkUnlessThere(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error;
  }
  try {
    fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
