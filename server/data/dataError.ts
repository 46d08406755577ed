// The one error of this folder.

/** `missing`: there is no such folder or file, so another place may have it; `unusable`: all else. */
export type DataErrorKind = 'missing' | 'unusable';

/** A data set that can't be opened: the message says what is wrong and what to do. */
export class DataError extends Error {
  override readonly name = 'DataError';
  readonly kind: DataErrorKind;

  constructor(message: string, { kind = 'unusable', ...options }: ErrorOptions & { kind?: DataErrorKind } = {}) {
    super(message, options);
    this.kind = kind;
  }
}
