// Opens files that others may have put there: what is no regular file is refused, so that a pipe or a device holds nobody up.
import fs from 'node:fs';

/** Something else stands in the file's place; the message names it and says what to do. */
export class IrregularFileError extends Error {
  override readonly name = 'IrregularFileError';
}

/**
 * A descriptor for reading. Nothing but a regular file is opened: opening a device may already do something.
 * @throws IrregularFileError, or the system's error (ENOENT, EACCES, …) where there is no file or it can't be opened
 */
export function openRegularFile(file: string): number {
  checkKind(file, fs.statSync(file));
  // It may have been replaced since: a pipe would hold `open` until somebody writes. Windows has no such flag.
  const withoutWaiting = (fs.constants as Partial<typeof fs.constants>).O_NONBLOCK ?? 0;
  const descriptor = fs.openSync(file, fs.constants.O_RDONLY | withoutWaiting);
  try {
    checkKind(file, fs.fstatSync(descriptor));
    return descriptor;
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
}

function checkKind(file: string, status: fs.Stats): void {
  if (status.isFile()) return;
  if (status.isDirectory()) throw new IrregularFileError(`${file} is a folder. Name a file in it.`);
  const kind = status.isFIFO() ? 'a named pipe' : status.isSocket() ? 'a socket' : 'a device';
  throw new IrregularFileError(`${file} is ${kind}, no regular file. Name a file on a disk.`);
}
