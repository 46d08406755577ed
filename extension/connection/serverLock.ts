// The lock by which a server says where it listens and with which token. The server writes it; we only read.
import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import { constants } from 'node:fs';
import os from 'node:os';
import {
  lookingServerLockFile,
  maxServerLockBytes,
  serverLockFiles,
  serverLockSchema,
} from '../../server/protocol/serverLock.ts';
import type { ServerLock } from '../../server/protocol/serverLock.ts';
import { userDataFolder } from '../../server/protocol/userData.ts';

export type { ServerLock };

/**
 * The lock of this machine's server of the runs folder; null where there is none or it is not whole.
 * @param options.isTrusted false where the folder may be a stranger's: a lock that lies in it could have us talk to whomever it
 * names, so only those in the user's own folder count
 */
export async function readServerLock(
  runsFolder: string,
  { isTrusted }: { readonly isTrusted: boolean },
): Promise<ServerLock | null> {
  for (const file of await lockFiles(runsFolder, isTrusted)) {
    const lock = await readLock(file);
    // Another host's server listens on that host's loopback: what listens there on ours is someone else.
    if (lock && (lock.host === undefined || lock.host === os.hostname())) return lock;
  }
  return null;
}

async function lockFiles(runsFolder: string, isTrusted: boolean): Promise<string[]> {
  const realFolder = await fs.realpath(runsFolder).catch(() => runsFolder);
  const places = {
    runsFolder,
    host: os.hostname(),
    dataFolder: userDataFolder({ env: process.env, platform: process.platform, homeFolder: os.homedir() }),
    folderHash: createHash('sha256').update(realFolder).digest('hex').slice(0, 32),
  };
  return isTrusted ? serverLockFiles(places) : [...serverLockFiles(places).slice(-1), lookingServerLockFile(places)];
}

/** Only a regular file that is ours: a stranger's lock would have us talk to what the stranger names. */
async function readLock(file: string): Promise<ServerLock | null> {
  let handle;
  try {
    handle = await fs.open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  try {
    const status = await handle.stat();
    const isOurs = process.getuid === undefined || status.uid === process.getuid();
    if (!status.isFile() || !isOurs || status.size > maxServerLockBytes) return null;
    return serverLockSchema.safeParse(parseJson(await handle.readFile('utf8'))).data ?? null;
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** Undefined for what isn't JSON: a lock half written is as good as none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
