// Work that can be left between its steps: whoever does it goes on at once, or gives others their turn and may give it up.
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Each step is short, whatever the whole of it takes. */
export type Turns<Result> = Generator<undefined, Result, undefined>;

export function atOnce<Result>(work: Turns<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** Others have their turn between any two steps. @throws the signal's reason, and no further step is begun */
export async function inTurns<Result>(work: Turns<Result>, signal?: AbortSignal): Promise<Result> {
  for (;;) {
    signal?.throwIfAborted();
    const step = work.next();
    if (step.done) return step.value;
    await nextTurn();
  }
}
