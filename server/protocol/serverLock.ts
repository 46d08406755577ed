// A server's lock: who serves a runs folder and how to reach them. Server and clients look in the same places; the rules of
// taking, reading and giving it up are not here.
import { z } from 'zod';

export const serverLockSchema = z.object({
  /** For people and sentences only: a number that another process, container or host may have too. Nobody signals it. */
  pid: z.int().min(1),
  port: z.int().min(1).max(65_535),
  token: z.string().min(1).max(1000),
  version: z.string().max(200),
  startedMs: z.number(),
  /** Absent in locks of Kafscope 0.1. */
  host: z.string().max(1000).optional(),
  /** Changes whenever the host starts anew; absent where the system does not tell. */
  boot: z.string().max(1000).optional(),
});
export type ServerLock = z.infer<typeof serverLockSchema>;

/** A lock is shorter by far: what is larger is none. */
export const maxServerLockBytes = 64 * 1024;

export interface ServerLockPlaces {
  readonly runsFolder: string;
  readonly host: string;
  /** The user's own folder for what Kafscope keeps. */
  readonly dataFolder: string;
  /** SHA-256 of the runs folder's real path, the first 32 hexadecimal digits. */
  readonly folderHash: string;
}

/** Absolute paths in the order in which a server takes them and a client looks; the last is outside the runs folder. */
export function serverLockFiles({ runsFolder, host, dataFolder, folderHash }: ServerLockPlaces): string[] {
  const name = cleanHost(host);
  return [
    `${runsFolder}/server.lock`,
    `${runsFolder}/server.${name}.lock`,
    `${dataFolder}/servers/${folderHash}.${name}.lock`,
  ];
}

/** Of a server that only shows runs, as of a folder that is not trusted: outside the folder, and never in the way of one that trains. */
export function lookingServerLockFile({ host, dataFolder, folderHash }: ServerLockPlaces): string {
  return `${dataFolder}/servers/${folderHash}.${cleanHost(host)}.looking.lock`;
}

/** A host's name as a part of a file's name. */
export function cleanHost(host: string): string {
  return host.replaceAll(/[^A-Za-z0-9.-]/g, '-').slice(0, 100) || 'unnamed';
}
