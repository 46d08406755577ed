// A person's mark of a run, as a small file beside its logs. Whoever writes last is right; the run itself never reads it.
import fs from 'node:fs';
import path from 'node:path';
import { isEmptyMark, runMarkSchema, type RunMark } from '../protocol/runMark.ts';
import { readBytes } from './logFile.ts';
import { StorageError, storageError } from './storageError.ts';

export const markName = 'mark.json';
const format = 'kafscope mark';
const maxBytes = 1024 * 1024;

/** Empty where there is none, or none that can be understood: a mark is not worth a run that can't be shown. */
export function readMark(runFolder: string): RunMark {
  const file = path.join(runFolder, markName);
  try {
    if (!fs.lstatSync(file).isFile()) return {};
    const { format: found, ...mark } = JSON.parse(readBytes(file, 0, maxBytes).toString('utf8')) as {
      format?: unknown;
    };
    return found === format ? (runMarkSchema.safeParse(mark).data ?? {}) : {};
  } catch {
    return {};
  }
}

/** Replaces the mark whole; an empty one leaves no file. @throws StorageError where the folder is not ours to write in. */
export function writeMark(runFolder: string, mark: RunMark): void {
  const file = path.join(runFolder, markName);
  const temporary = `${file}.${String(process.pid)}.tmp`;
  try {
    if (fs.lstatSync(runFolder).isSymbolicLink()) {
      throw new StorageError(`${runFolder} is a link: nothing is written into the folder that it leads to.`);
    }
    const there = fs.lstatSync(file, { throwIfNoEntry: false });
    if (there && !there.isFile()) throw new StorageError(`${file} is no regular file, so it is not replaced.`);
    if (isEmptyMark(mark)) {
      fs.rmSync(file, { force: true });
      return;
    }
    fs.rmSync(temporary, { force: true });
    fs.writeFileSync(temporary, `${JSON.stringify({ format, ...mark }, null, 1)}\n`, { flag: 'wx' });
    fs.renameSync(temporary, file);
  } catch (error) {
    try {
      fs.rmSync(temporary);
    } catch {
      // It is not there, or the disk refuses that as well: what is told is why the mark could not be written.
    }
    throw storageError(file, error, 'try again');
  }
}

/** Changes with the mark. */
export function markSign(runFolder: string): string {
  const stat = fs.lstatSync(path.join(runFolder, markName), { throwIfNoEntry: false });
  return stat ? `${String(stat.mtimeMs)} ${String(stat.size)} ${String(stat.ino)}` : '';
}
