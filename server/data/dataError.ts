// The one error of this folder.

/** A data set that can't be opened: the message says what is wrong and what to do. */
export class DataError extends Error {
  override readonly name = 'DataError';
}
