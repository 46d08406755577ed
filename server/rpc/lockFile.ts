// The lock of a runs folder: which server of this host serves it, and how to reach that one. One server a folder and host. A lock is
// asked before it is doubted, and no process is judged by its number.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  lookingServerLockFile,
  maxServerLockBytes,
  serverLockFiles,
  serverLockSchema,
} from '../protocol/serverLock.ts';
import type { ServerLock, ServerLockPlaces } from '../protocol/serverLock.ts';
import { userDataFolder } from '../protocol/userData.ts';
import { bootOf } from '../run/owner.ts';
import { StorageError, storageError } from '../run/storageError.ts';

const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = fs.constants;

export type Lock = ServerLock;

/** What the server of a lock does when it is asked. */
export type LockAnswer =
  | 'answers'
  /** Nobody listens there, or somebody who does not know the token: its server has gone. */
  | 'gone'
  /** Somebody listens and says nothing in time: it may be busy, or stopped for a while. */
  | 'silent';

/** @param patienceMs for how long it is listened before silence is an answer */
export type AskLock = (lock: Lock, patienceMs: number) => Promise<LockAnswer>;

/** Another server has the folder. */
export class FolderTakenError extends Error {
  override readonly name = 'FolderTakenError';
  readonly pid: number;
  /** It listens and did not answer. */
  readonly isSilent: boolean;

  constructor(runsFolder: string, { pid }: Lock, isSilent: boolean) {
    const who = `The server with process id ${String(pid)}`;
    super(
      isSilent
        ? `${who} has ${runsFolder} and does not answer, as when it is stopped. Let it go on (kill -CONT ${String(pid)}), or end it, then try again.`
        : `${who} already serves ${runsFolder}. Connect to that one, or end it first.`,
    );
    this.pid = pid;
    this.isSilent = isSilent;
  }
}

/** Of this host, user and folder. */
export function lockPlaces(runsFolder: string): ServerLockPlaces {
  let realFolder = runsFolder;
  try {
    realFolder = fs.realpathSync(runsFolder);
  } catch {
    // Not made yet.
  }
  return {
    runsFolder,
    host: os.hostname(),
    dataFolder: userDataFolder({ env: process.env, platform: process.platform, homeFolder: os.homedir() }),
    folderHash: createHash('sha256').update(realFolder).digest('hex').slice(0, 32),
  };
}

/** The lock of this host's server of the folder; null where there is none, or none that can be understood. */
export function readLock(runsFolder: string): Lock | null {
  const places = lockPlaces(runsFolder);
  const found = serverLockFiles(places).map((file) => lookAt(file));
  return found.find((lock): lock is Lock => typeof lock === 'object' && isOf(places.host, lock)) ?? null;
}

/**
 * What lies at the place of a lock. `foreign` where another user's lies there; `unknown` where this process can't tell, as when it has
 * no file handles left. No link is followed.
 */
function lookAt(file: string): Lock | 'missing' | 'unreadable' | 'foreign' | 'unknown' {
  let descriptor;
  try {
    descriptor = fs.openSync(file, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
    if (code === 'EACCES' || code === 'EPERM') return 'foreign';
    return code === 'ELOOP' || code === 'ENXIO' ? 'unreadable' : 'unknown';
  }
  try {
    const status = fs.fstatSync(descriptor);
    if (!status.isFile() || status.size > maxServerLockBytes) return 'unreadable';
    return serverLockSchema.safeParse(JSON.parse(fs.readFileSync(descriptor, 'utf8'))).data ?? 'unreadable';
  } catch (error) {
    return error instanceof SyntaxError ? 'unreadable' : 'unknown';
  } finally {
    fs.closeSync(descriptor);
  }
}

function isOf(host: string, lock: Lock): boolean {
  return lock.host === undefined || lock.host === host;
}

/** How a server that listens and says nothing is asked: a minute and a half in all, and longer each time, so that a slow one is heard. */
const patiencesMs = [3000, 6000, 12_000, 24_000, 45_000] as const;

/** A lock that this process holds. */
export class HeldLock {
  readonly file: string;
  readonly lock: Lock;
  readonly #ask: AskLock;

  private constructor(file: string, lock: Lock, ask: AskLock) {
    this.file = file;
    this.lock = lock;
    this.#ask = ask;
  }

  /**
   * Writes our lock whole, at the first place that we may, unless a server of this host has one and lives.
   * @param options.isLooking for a server that only shows runs: its lock lies outside the folder
   * @throws FolderTakenError | StorageError
   */
  static async take(
    runsFolder: string,
    own: Omit<Lock, 'host' | 'boot'>,
    ask: AskLock,
    options: { readonly isLooking: boolean } = { isLooking: false },
  ): Promise<HeldLock> {
    const places = lockPlaces(runsFolder);
    const lock: Lock = { ...own, host: places.host, boot: bootOf() };
    const inData = path.join(places.dataFolder, 'servers');
    const files = options.isLooking ? [lookingServerLockFile(places)] : serverLockFiles(places);
    // A server of this host may lie at a later place, taken while another host had an earlier one.
    for (const file of files) await untilFree(file, lock, ask, runsFolder);
    for (const [index, file] of files.entries()) {
      const isLast = index === files.length - 1;
      const there = lookAt(file);
      const isOthers = there === 'foreign' || (typeof there === 'object' && !isOf(places.host, there));
      if (isOthers && !isLast) continue;
      try {
        if (path.dirname(file) === inData) fs.mkdirSync(inData, { recursive: true, mode: 0o700 });
        await takeAt(file, lock, ask, runsFolder);
        return new HeldLock(file, lock, ask);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        const mayNot = ['EROFS', 'EACCES', 'EPERM'].includes(code ?? '');
        if (!mayNot || isLast) throw error instanceof FolderTakenError ? error : storageError(file, error);
      }
    }
    throw new StorageError(`${runsFolder} can't be locked.`);
  }

  /**
   * Call now and then. Writes the lock again where it is gone or makes no sense.
   * @returns false where another server of this host has the folder and has proved it by answering
   */
  async keep(): Promise<boolean> {
    const there = lookAt(this.file);
    if (there === 'unknown' || there === 'foreign') return true;
    if (typeof there === 'object') {
      if (there.token === this.lock.token) return true;
      const isOther = isOf(this.lock.host ?? '', there);
      const answer = isOther ? await this.#ask(there, patiencesMs[0]) : 'silent';
      if (answer !== 'gone') return answer === 'silent';
    }
    try {
      putAt(this.file, this.lock, typeof there === 'object' ? there.token : there);
    } catch {
      // Whoever reads the folder finds no lock yet; the next look tries again.
    }
    return true;
  }

  /** Removes the lock if it is ours. */
  release(): void {
    const there = lookAt(this.file);
    if (typeof there === 'object' && there.token === this.lock.token) fs.rmSync(this.file, { force: true });
  }
}

async function takeAt(file: string, lock: Lock, ask: AskLock, runsFolder: string): Promise<void> {
  for (;;) {
    const before = await untilFree(file, lock, ask, runsFolder);
    if (before === 'unknown') throw new StorageError(`${file} can't be read. Try again.`);
    if (putAt(file, lock, before)) return;
  }
}

/** Settles with what lies there once no server of this host lives that has its lock there: a token, or that there is none. */
async function untilFree(file: string, own: Lock, ask: AskLock, runsFolder: string): Promise<string> {
  for (let tries = 0; ; tries++) {
    const there = lookAt(file);
    if (typeof there !== 'object') return there;
    if (!isOf(own.host ?? '', there) || isDead(there, own)) return there.token;
    const patienceMs = patiencesMs[tries];
    if (patienceMs === undefined) throw new FolderTakenError(runsFolder, there, true);
    const answer = await ask(there, patienceMs);
    if (answer === 'gone') return there.token;
    if (answer === 'answers') throw new FolderTakenError(runsFolder, there, false);
  }
}

/** Of an earlier start of this machine. */
function isDead({ boot }: Lock, own: Lock): boolean {
  return boot !== undefined && boot !== '' && own.boot !== '' && boot !== own.boot;
}

/** Puts the lock where that other one lay, or nothing; false where something else lies there by now. */
function putAt(file: string, lock: Lock, before: string): boolean {
  const temporary = `${file}.${lock.token.slice(0, 16)}`;
  try {
    fs.writeFileSync(temporary, JSON.stringify(lock), { mode: 0o600, flag: 'wx' });
    const now = lookAt(file);
    // A lock that changed while its server was asked belongs to a newer one: ask that.
    if ((typeof now === 'object' ? now.token : now) !== before) return false;
    if (now !== 'missing') fs.rmSync(file, { force: true });
    return linkUnlessThere(temporary, file);
  } finally {
    fs.rmSync(temporary, { force: true });
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
