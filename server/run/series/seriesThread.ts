// The desk of series in a thread of its own: whoever asks something else of the server does not wait for it. The thread begins with the first
// question; one that falls fails what is asked of it, and the next question begins another.
import { Worker } from 'node:worker_threads';
import { StorageError } from '../storageError.ts';
import type { SeriesProgress, SeriesQuery } from '../../protocol/series.ts';
import type { SeriesOptions, SeriesReader, SeriesSnapshot } from './seriesDesk.ts';
import type { RunPlace } from './runSeries.ts';

export type SeriesQuestion =
  | { readonly type: 'snapshot'; readonly run: RunPlace }
  | { readonly type: 'read'; readonly runs: readonly RunPlace[]; readonly query: SeriesQuery }
  | { readonly type: 'outcomes'; readonly runs: readonly RunPlace[] }
  | { readonly type: 'forget'; readonly run: RunPlace }
  | { readonly type: 'close' };

export type ToSeriesThread = { readonly id: number; readonly question: SeriesQuestion } | { readonly abort: number };

export type FromSeriesThread =
  | { readonly id: number; readonly progress: SeriesProgress }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly failure: { readonly isOfStorage: boolean; readonly message: string } };

/** Megabytes of objects; the tables' chunks lie beside them. */
const maxHeapMb = 512;
/** A log is read through, and nearly all of it thrown away at once. */
const youngHeapMb = 48;

interface Pending {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: SeriesOptions['onProgress'];
}

export class SeriesThread implements SeriesReader {
  readonly #file: string;
  readonly #cacheFolder: string;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #nAsked = 0;

  /** @param file absolute, `series.cjs` */
  constructor(file: string, cacheFolder: string) {
    this.#file = file;
    this.#cacheFolder = cacheFolder;
  }

  snapshot(run: RunPlace, options: SeriesOptions): Promise<SeriesSnapshot> {
    return this.#ask({ type: 'snapshot', run }, options) as Promise<SeriesSnapshot>;
  }

  read(runs: readonly RunPlace[], query: SeriesQuery, options: SeriesOptions): Promise<Uint8Array> {
    return this.#ask({ type: 'read', runs, query }, options) as Promise<Uint8Array>;
  }

  outcomes(runs: readonly RunPlace[], options: SeriesOptions): Promise<Uint8Array> {
    return this.#ask({ type: 'outcomes', runs }, options) as Promise<Uint8Array>;
  }

  async forget(run: RunPlace): Promise<void> {
    if (this.#worker) await this.#ask({ type: 'forget', run }, {});
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    await this.#ask({ type: 'close' }, {}).catch(() => {});
    await worker.terminate();
  }

  #ask(question: SeriesQuestion, { signal, onProgress }: SeriesOptions): Promise<unknown> {
    const worker = (this.#worker ??= this.#begin());
    const id = ++this.#nAsked;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const abort = (): void => {
      worker.postMessage({ abort: id } satisfies ToSeriesThread);
      this.#pending.delete(id);
      reject(signal?.reason as Error);
    };
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    signal?.addEventListener('abort', abort);
    this.#pending.set(id, { resolve, reject, onProgress });
    worker.postMessage({ id, question } satisfies ToSeriesThread);
    return promise.finally(() => {
      signal?.removeEventListener('abort', abort);
    });
  }

  #begin(): Worker {
    const worker = new Worker(this.#file, {
      execArgv: [],
      workerData: { cacheFolder: this.#cacheFolder },
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb, maxYoungGenerationSizeMb: youngHeapMb },
    });
    worker.unref();
    worker.on('message', (message: FromSeriesThread) => {
      const pending = this.#pending.get(message.id);
      if (!pending) return;
      if ('progress' in message) {
        pending.onProgress?.(message.progress);
        return;
      }
      this.#pending.delete(message.id);
      if ('answer' in message) pending.resolve(message.answer);
      else {
        const { isOfStorage, message: text } = message.failure;
        pending.reject(isOfStorage ? new StorageError(text) : new Error(text));
      }
    });
    const end = (error: Error): void => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      for (const { reject } of this.#pending.values()) reject(error);
      this.#pending.clear();
    };
    worker.on('error', end);
    worker.on('exit', () => {
      end(new Error('the thread that reads series has ended'));
    });
    return worker;
  }
}
