// What goes wrong with files, as a sentence that says what to do.

/** The run's folder can't be written or read: a full disk, a missing permission, a damaged or a too new file. */
export class StorageError extends Error {
  override readonly name: string = 'StorageError';
}

const full = 'Free some space, then {next}.';

/** By the system's code. `{}` stands for the file, `{next}` for what to do once the fault is mended. */
const sentences: Readonly<Record<string, string>> = {
  ENOSPC: `The disk is full: {} can't be written. ${full}`,
  EDQUOT: `Your quota of this disk is used up: {} can't be written. ${full}`,
  EFBIG:
    '{} has reached the largest size that this process may write (ulimit -f) or that the disk allows. Raise the limit, then {next}.',
  EACCES: "{} can't be written or read: permission denied. Allow it there, or choose another folder for runs.",
  EPERM: "{} can't be written or read: permission denied. Allow it there, or choose another folder for runs.",
  EROFS:
    "{} can't be written: its disk is read-only. Runs there can be looked at; to train, choose another folder for runs.",
  EIO: '{}: the disk reports a hardware error (EIO). Copy what is there to another disk, and look at the system log.',
  ESTALE:
    '{}: the network disk has lost the file (ESTALE), as when its server was restarted or the folder was replaced. Open the folder anew, then {next}.',
  EMFILE: "{} can't be opened: this process has no file handles left. Raise the limit (ulimit -n), then try again.",
  ENFILE: "{} can't be opened: the machine has no file handles left. Close programs, then try again.",
};

const sqliteFull = 13;

/** Makes any error of the disk a sentence that says what to do. */
export function storageError(file: string, error: unknown, next = 'resume the run'): StorageError {
  if (error instanceof StorageError) return error;
  const { code, errcode, message } = error as NodeJS.ErrnoException & { errcode?: number };
  const known = errcode !== undefined && (errcode & 255) === sqliteFull ? 'ENOSPC' : (code ?? '');
  const sentence = sentences[known]?.replace('{next}', next).replace('{}', () => file) ?? `${file}: ${message}`;
  return new StorageError(sentence, { cause: error });
}
