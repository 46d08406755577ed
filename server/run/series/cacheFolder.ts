// A folder of the cache that one process has for itself: it takes it by its name, and puts it back when it is done. What a process that fell
// had taken is taken from it.
import fs from 'node:fs';
import path from 'node:path';

/** Of the whole cache; the folder unused for longest goes first. */
const maxCacheBytes = 4 * 1024 ** 3;

export class CacheFolder {
  readonly path: string;
  readonly #home: string;

  private constructor(taken: string, home: string) {
    this.path = taken;
    this.#home = home;
  }

  /** @throws Error where the cache can't be written */
  static take(cacheFolder: string, name: string): CacheFolder {
    fs.mkdirSync(cacheFolder, { recursive: true });
    const home = path.join(cacheFolder, name);
    const taken = `${home}.${String(process.pid)}-${String(nTaken++)}`;
    const left = [name, ...leftBehind(cacheFolder, name)].some((each) => moved(path.join(cacheFolder, each), taken));
    if (!left) fs.mkdirSync(taken);
    return new CacheFolder(taken, home);
  }

  release({ isWanted }: { isWanted: boolean }): void {
    if (isWanted) {
      fs.rmSync(this.#home, { recursive: true, force: true });
      if (moved(this.path, this.#home)) prune(path.dirname(this.#home));
    } else fs.rmSync(this.path, { recursive: true, force: true });
  }
}

let nTaken = 0;

function moved(from: string, to: string): boolean {
  try {
    fs.renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}

function leftBehind(cacheFolder: string, name: string): string[] {
  return fs.readdirSync(cacheFolder).filter((each) => each.startsWith(`${name}.`) && !isHeld(each));
}

function isHeld(name: string): boolean {
  const pid = Number(/\.(\d+)-\d+$/.exec(name)?.[1] ?? 0);
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function prune(cacheFolder: string): void {
  const folders = fs
    .readdirSync(cacheFolder)
    .filter((name) => !isHeld(name))
    .map((name) => path.join(cacheFolder, name))
    .map((folder) => ({ folder, ...measured(folder) }))
    .sort((a, b) => b.usedMs - a.usedMs);
  let sizeBytes = 0;
  for (const each of folders) {
    sizeBytes += each.sizeBytes;
    if (sizeBytes > maxCacheBytes) fs.rmSync(each.folder, { recursive: true, force: true });
  }
}

function measured(folder: string): { usedMs: number; sizeBytes: number } {
  let usedMs = 0;
  let sizeBytes = 0;
  for (const name of namesIn(folder)) {
    const status = fs.statSync(path.join(folder, name), { throwIfNoEntry: false });
    usedMs = Math.max(usedMs, status?.mtimeMs ?? 0);
    sizeBytes += status?.size ?? 0;
  }
  return { usedMs, sizeBytes };
}

/** None where another server has taken the folder meanwhile, or where a stray file lies. */
function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}
