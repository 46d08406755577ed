// How large the cache of data sets may be: what was used longest ago goes first, and never what a process uses.
import fs from 'node:fs';
import path from 'node:path';
import { cacheLimitVariable, usualCacheGb } from '../protocol/userData.ts';
import { forgetTheDead, isInUse, partOf } from './cacheFolder.ts';
import { DataError } from './dataError.ts';

interface CacheEntry {
  readonly folder: string;
  readonly sizeBytes: number;
  readonly usedMs: number;
}

export interface CacheSize {
  readonly entries: number;
  readonly sizeBytes: number;
}

/** By the variable that says how many gigabytes. @throws DataError where it says no number */
export function cacheLimitBytes(env: Readonly<Record<string, string | undefined>>): number {
  const given = env[cacheLimitVariable]?.trim();
  if (given === undefined || given === '') return usualCacheGb * 1e9;
  const limit = Number(given) * 1e9;
  if (limit >= 0) return limit;
  throw new DataError(
    `The variable ${cacheLimitVariable} is ${JSON.stringify(given)}; expected how many gigabytes the cache of data sets may have, 0 or more.`,
  );
}

export function cacheSize(cacheFolder: string): CacheSize {
  const entries = listEntries(cacheFolder);
  return { entries: entries.length, sizeBytes: sumBytes(entries) };
}

/**
 * Removes the entries that were used longest ago until the others fit; those in use stay, whatever they take. What can't be
 * looked at or removed is left.
 * @returns what was removed
 */
export function boundCache(cacheFolder: string, limitBytes: number): CacheSize {
  const entries = listEntries(cacheFolder);
  let sizeBytes = sumBytes(entries);
  const removed: CacheEntry[] = [];
  for (const entry of entries.sort((a, b) => a.usedMs - b.usedMs)) {
    if (sizeBytes <= limitBytes) break;
    if (!remove(entry.folder)) continue;
    sizeBytes -= entry.sizeBytes;
    removed.push(entry);
  }
  return { entries: removed.length, sizeBytes: sumBytes(removed) };
}

/** Out of the way first, under a name that nobody opens: a process that has come to use it since then gets it back. */
function remove(folder: string): boolean {
  const aside = partOf(folder);
  try {
    forgetTheDead(folder);
    if (isInUse(folder)) return false;
    fs.renameSync(folder, aside);
    if (isInUse(aside)) {
      fs.renameSync(aside, folder);
      return false;
    }
    fs.rmSync(aside, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}

function listEntries(cacheFolder: string): CacheEntry[] {
  return ['datasets', 'arrays'].flatMap((kind) => {
    const parent = path.join(cacheFolder, kind);
    const found = fs.existsSync(parent) ? fs.readdirSync(parent, { withFileTypes: true }) : [];
    return found
      .filter((entry) => entry.isDirectory() && /^[0-9a-f]{32}$/.test(entry.name))
      .flatMap((entry) => examine(path.join(parent, entry.name)) ?? []);
  });
}

/** Null where another has just removed it. */
function examine(folder: string): CacheEntry | null {
  try {
    const sizes = fs.readdirSync(folder).map((name) => fs.lstatSync(path.join(folder, name)).size);
    const mark = path.join(folder, 'last-use');
    // One of a version that marked nothing was used when it was made.
    const { mtimeMs: usedMs } = fs.statSync(fs.existsSync(mark) ? mark : folder);
    return { folder, sizeBytes: sizes.reduce((sum, size) => sum + size, 0), usedMs };
  } catch {
    return null;
  }
}

function sumBytes(entries: readonly CacheEntry[]): number {
  return entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
