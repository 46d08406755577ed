// The lock file by which a server says where it listens and with which token. The server writes it; we only read.
import fs from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

const lockSchema = z.object({
  pid: z.int().positive(),
  port: z.int().min(1).max(65_535),
  token: z.string().min(1),
  version: z.string(),
  startedMs: z.number(),
});

export type ServerLock = z.infer<typeof lockSchema>;

/** The lock of the server that owns the runs folder; null where there is none or it is not whole. */
export async function readServerLock(runsFolder: string): Promise<ServerLock | null> {
  let text: string;
  try {
    text = await fs.readFile(path.join(runsFolder, 'server.lock'), 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  const parsed = lockSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : null;
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
