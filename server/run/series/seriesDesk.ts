// Answers by runs' series, in whatever thread it is used: keeps the runs used last open, reads what their logs have since, and lets others have
// their turn between two megabytes.
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { encode } from '../../protocol/codec.ts';
import { outcomeOf, type RunOutcome } from '../../protocol/outcomes.ts';
import type { SeriesProgress, SeriesQuery } from '../../protocol/series.ts';
import type { LogMark } from '../runHistory.ts';
import { StorageError, storageError } from '../storageError.ts';
import { CacheFolder } from './cacheFolder.ts';
import { readSeries, type ReadableRun } from './readSeries.ts';
import { RunSeries, seriesFolderName, type RunPlace } from './runSeries.ts';

export interface SeriesOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: SeriesProgress) => void) | undefined;
}

/** A snapshot as codec.ts encodes it, whose `run` says nothing, and the place in the log behind which a reader may go on. */
export interface SeriesSnapshot {
  readonly bytes: Uint8Array;
  readonly mark: LogMark | null;
  /** Of the logs that it was made of. */
  readonly logs: readonly string[];
}

export interface SeriesReader {
  /** @throws StorageError */
  snapshot(run: RunPlace, options: SeriesOptions): Promise<SeriesSnapshot>;
  /** A `SeriesResult` as codec.ts encodes it; a run that can't be read says why in it. */
  read(runs: readonly RunPlace[], query: SeriesQuery, options: SeriesOptions): Promise<Uint8Array>;
  /** An `OutcomesResult` as codec.ts encodes it; a run that can't be read says why in it. */
  outcomes(runs: readonly RunPlace[], options: SeriesOptions): Promise<Uint8Array>;
  /** The run was deleted. */
  forget(run: RunPlace): Promise<void>;
  close(): Promise<void>;
}

interface OpenSeries {
  readonly series: RunSeries;
  readonly folder: CacheFolder;
}

/** The one unused for longest is closed first. */
const maxOpen = 8;

export class SeriesDesk implements SeriesReader {
  readonly #cacheFolder: string;
  readonly #open = new Map<string, OpenSeries>();
  /** By run, what is being done with it: one thing at a time. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(cacheFolder: string) {
    this.#cacheFolder = cacheFolder;
  }

  snapshot(run: RunPlace, options: SeriesOptions): Promise<SeriesSnapshot> {
    return this.#alone(run, async () => {
      const { series } = await this.#upToDate(run, options);
      return { bytes: encode(series.snapshot), mark: series.mark, logs: series.logs };
    });
  }

  async read(runs: readonly RunPlace[], query: SeriesQuery, options: SeriesOptions): Promise<Uint8Array> {
    const cursors: { cursor: number; failure: string | null }[] = [];
    for (const run of runs) {
      cursors.push(
        await this.#orWhyNot<(typeof cursors)[number]>(
          () =>
            this.#alone(run, async () => ({
              cursor: (await this.#upToDate(run, options)).series.snapshot.cursor,
              failure: null,
            })),
          (failure) => ({ cursor: 0, failure }),
        ),
      );
    }
    // Of many runs the first may have been closed meanwhile: it is opened again, without a look at what is new.
    const readable = runs.map((run, index): ReadableRun => {
      const { cursor, failure } = cursors[index]!;
      const tables = failure === null ? this.#use(run).series.tables : null;
      return { runId: run.id, cursor, failure, tables };
    });
    const result = encode(readSeries(readable, query));
    this.#closeUnused();
    return result;
  }

  async outcomes(places: readonly RunPlace[], options: SeriesOptions): Promise<Uint8Array> {
    const runs: RunOutcome[] = [];
    for (const run of places) {
      runs.push(
        await this.#orWhyNot(
          () => this.#alone(run, async () => outcomeOf(run.id, (await this.#upToDate(run, options)).series.snapshot)),
          (failure) => ({ runId: run.id, failure, evaluations: [], shift: null }),
        ),
      );
    }
    return encode({ runs });
  }

  forget(run: RunPlace): Promise<void> {
    return this.#alone(run, () => {
      this.#release(seriesFolderName(run), { isWanted: false });
      fs.rmSync(path.join(this.#cacheFolder, seriesFolderName(run)), { recursive: true, force: true });
      return Promise.resolve();
    });
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#busy.values());
    for (const name of [...this.#open.keys()]) this.#release(name, { isWanted: true });
  }

  /** Of several runs one that can't be read leaves the others as they are. */
  async #orWhyNot<T>(read: () => Promise<T>, failed: (why: string) => T): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      return failed(error.message);
    }
  }

  async #alone<T>(run: RunPlace, work: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(run.id) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#busy.set(run.id, mine);
    try {
      return await mine;
    } finally {
      if (this.#busy.get(run.id) === mine) this.#busy.delete(run.id);
      this.#closeUnused();
    }
  }

  async #upToDate(run: RunPlace, { signal, onProgress }: SeriesOptions): Promise<OpenSeries> {
    signal?.throwIfAborted();
    const open = this.#use(run);
    try {
      for (const { doneBytes, totalBytes } of open.series.catchUp()) {
        onProgress?.({ runId: run.id, doneBytes, totalBytes });
        await nextTurn();
        signal?.throwIfAborted();
      }
    } catch (error) {
      if (signal?.aborted) throw error;
      // What is in the tables by now nobody knows: the next one who asks begins anew.
      this.#release(seriesFolderName(run), { isWanted: false });
      throw error instanceof StorageError ? error : storageError(this.#cacheFolder, error, 'open the run again');
    }
    return open;
  }

  #use(run: RunPlace): OpenSeries {
    const name = seriesFolderName(run);
    let open = this.#open.get(name);
    if (!open) {
      const folder = CacheFolder.take(this.#cacheFolder, name);
      try {
        open = { folder, series: new RunSeries(run, folder.path) };
      } catch (error) {
        folder.release({ isWanted: false });
        throw error instanceof StorageError ? error : storageError(this.#cacheFolder, error, 'open the run again');
      }
    }
    this.#open.delete(name);
    this.#open.set(name, open);
    return open;
  }

  #closeUnused(): void {
    const busy = new Set(this.#busy.keys());
    for (const [name, { series }] of this.#open) {
      if (this.#open.size <= maxOpen) return;
      if (!busy.has(series.runId)) this.#release(name, { isWanted: true });
    }
  }

  #release(name: string, { isWanted }: { isWanted: boolean }): void {
    const open = this.#open.get(name);
    if (!open) return;
    this.#open.delete(name);
    try {
      if (isWanted) open.series.keep();
    } catch {
      // A full disk: it is made again.
    }
    open.series.close();
    open.folder.release({ isWanted });
  }
}
