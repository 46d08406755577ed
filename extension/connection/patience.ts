// What depends on another process and on disks has no end by the clock: a slow machine is not one on which it fails. After a while a person
// is told that it goes on, and may end it. Knows no `vscode`.

export interface Patience {
  /** Longer than it usually takes by far. */
  readonly slowMs: number;
  /** Says that something still goes on, and offers to end it; returns what takes that back. */
  readonly tellSlow: (sentence: string, cancel: () => void) => () => void;
}

/** Somebody did not want to wait any longer. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

/**
 * Does the work, however long it takes.
 * @param sentence what is said of it once it takes long
 * @param controller ends it, too; its signal is the work's
 */
export async function patiently<Result>(
  sentence: string,
  { slowMs, tellSlow }: Patience,
  controller: AbortController,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  let takeBack = (): void => undefined;
  const timer = setTimeout(() => {
    takeBack = tellSlow(sentence, () => {
      controller.abort(new CancelledError('it was cancelled before it was done'));
    });
  }, slowMs);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    takeBack();
  }
}
