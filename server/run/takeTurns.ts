// Work of which only so much goes on at a time; the rest waits in its order.

export type TakeTurn = <Result>(work: () => Promise<Result>, signal?: AbortSignal) => Promise<Result>;

/** What is aborted before its turn is not begun, and ends with the signal's reason; work itself heeds its signal. */
export function takeTurns(most: number): TakeTurn {
  let nAtWork = 0;
  const waiting: (() => void)[] = [];
  return async (work, signal) => {
    signal?.throwIfAborted();
    if (nAtWork === most) await turn(waiting, signal);
    else nAtWork++;
    try {
      signal?.throwIfAborted();
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else nAtWork--;
    }
  };
}

function turn(waiting: (() => void)[], signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      waiting.splice(waiting.indexOf(begin), 1);
      reject(signal?.reason as Error);
    };
    const begin = () => {
      signal?.removeEventListener('abort', giveUp);
      resolve();
    };
    signal?.addEventListener('abort', giveUp);
    waiting.push(begin);
  });
}
