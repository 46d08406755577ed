// The thread that reads batches ahead, seen from the one that trains. Its own half is batchThreadMain.ts.
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { DataError } from './dataError.ts';
import type { Rows } from './rows.ts';
import type { Samples, Split } from './split.ts';

export type ToThread =
  | { readonly type: 'split'; readonly split: number; readonly rows: Rows }
  | { readonly type: 'read'; readonly split: number; readonly indices: Uint32Array };

/** Answers to `read`, in their order. */
export type FromThread =
  { readonly type: 'samples'; readonly samples: Samples } | { readonly type: 'failed'; readonly message: string };

/** The bundle of `batchThreadMain.ts` in the assets folder. */
const threadFile = 'batchThread.cjs';

interface Waiting {
  readonly resolve: (samples: Samples) => void;
  readonly reject: (error: Error) => void;
}

export class BatchThread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #nSplits = 0;
  #isClosing = false;
  #failure: Error | null = null;

  /** @param assetsFolder has the thread's bundle */
  constructor(assetsFolder: string) {
    this.#worker = new Worker(path.join(assetsFolder, threadFile), { execArgv: [], env: {} });
    this.#worker.on('message', (message: FromThread) => {
      this.#settle(message);
    });
    this.#worker.on('error', (cause: Error) => {
      this.#end(new DataError(`The thread that reads the data set has ended: ${cause.message}`, { cause }));
    });
    this.#worker.on('exit', () => {
      this.#end(new DataError('The thread that reads the data set has ended.'));
    });
    // It keeps the process alive only while somebody waits for it.
    this.#worker.unref();
  }

  /** A split of these rows, read by the thread. */
  split(rows: Rows): Split {
    const split = this.#nSplits++;
    this.#send({ type: 'split', split, rows });
    return {
      nSamples: rows.nSamples,
      read: (indices) =>
        new Promise((resolve, reject) => {
          if (this.#failure) {
            reject(this.#failure);
            return;
          }
          if (this.#waiting.length === 0) this.#worker.ref();
          this.#waiting.push({ resolve, reject });
          this.#send({ type: 'read', split, indices });
        }),
    };
  }

  async close(): Promise<void> {
    // Its end is waited for, also where answers are still on their way.
    this.#isClosing = true;
    this.#worker.ref();
    await this.#worker.terminate();
  }

  #send(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #settle(message: FromThread): void {
    const first = this.#waiting.shift();
    if (this.#waiting.length === 0 && !this.#isClosing) this.#worker.unref();
    if (message.type === 'samples') first?.resolve(message.samples);
    else first?.reject(new DataError(message.message));
  }

  #end(failure: Error): void {
    this.#failure ??= failure;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
