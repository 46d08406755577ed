// The worker threads of the wasm runtime: each has its own instance of the kernels on the one shared memory. The thread that
// asks for a job works along and blocks until it is done; between jobs the others sleep.
import { once } from 'node:events';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { LaterModule } from '../kernelTable.ts';
import { makeJobBoard, maxCalls, runJob, type Job, type JobBoard, type RunCall } from './job.ts';

/** What a thread gets to begin with. */
export interface ThreadData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly board: JobBoard;
  /** 1 … count − 1. */
  readonly index: number;
}

/** The bundle of `kernelThreadMain.ts` in the assets folder. */
const threadFile = 'kernelThread.cjs';

export class ThreadPool {
  /** Threads that compute, the calling one included. */
  readonly count: number;
  readonly #workers: readonly Worker[];
  readonly #board: JobBoard;
  readonly #run: RunCall;
  #failure: Error | null = null;

  private constructor(workers: readonly Worker[], board: JobBoard, run: RunCall) {
    this.count = workers.length + 1;
    this.#workers = workers;
    this.#board = board;
    this.#run = run;
    for (const worker of workers) {
      worker.on('error', (error: Error) => (this.#failure ??= error));
      // The pool keeps no process alive.
      worker.unref();
    }
  }

  /**
   * @param count threads, from 1
   * @param run how this thread runs a call; the others run it on their own instance of `module`
   * @throws Error where a thread does not start
   */
  static async open(
    assetsFolder: string,
    count: number,
    { module, memory, run }: Pick<ThreadData, 'module' | 'memory'> & { readonly run: RunCall },
  ): Promise<ThreadPool> {
    const board = makeJobBoard();
    const file = path.join(assetsFolder, threadFile);
    const workers = Array.from({ length: count - 1 }, (_, other) => {
      const workerData: ThreadData = { module, memory, board, index: other + 1 };
      return new Worker(file, { workerData, execArgv: [], env: {} });
    });
    try {
      // Its first message says that it is ready; `once` rejects on an error.
      await Promise.all(workers.map((worker) => once(worker, 'message')));
    } catch (error) {
      await Promise.all(workers.map((worker) => worker.terminate()));
      throw error;
    }
    return new ThreadPool(workers, board, run);
  }

  /** Runs every call once, in any order and on any thread, and returns when all have ended. @throws Error where one failed */
  run(job: Job): void {
    const { kernel, calls, scratch } = job;
    if (this.count === 1 || calls.length < 2) {
      for (const call of calls) this.#run(kernel, call);
      return;
    }
    if (this.#failure) throw new Error('a thread of the runtime wasm has ended', { cause: this.#failure });
    const most = maxCalls(calls[0]!.length);
    for (let first = 0; first < calls.length; first += most) {
      runJob(this.#board, { kernel, calls: calls.slice(first, first + most), scratch }, this.#run);
    }
  }

  /** Gives a module to the other threads, which link it when a job first needs it; this thread's own table is the caller's. */
  share(later: LaterModule): void {
    for (const worker of this.#workers) worker.postMessage(later);
  }

  /** Ends the threads; the pool must not be used afterwards. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
