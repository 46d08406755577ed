// Reads runs for clients while their trainers write: rows after a cursor, and snapshots that grow with the log instead of being folded
// anew. A long log is read a page at a time, and others have their turn between two.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { decode } from '../protocol/codec.ts';
import { applyRow, emptySnapshot } from '../protocol/snapshot.ts';
import type { RunSnapshot } from '../protocol/snapshot.ts';
import type { Row } from '../protocol/records.ts';
import type { RunSummary } from '../protocol/run.ts';
import { RunHistory } from './runHistory.ts';
import type { SeriesOptions, SeriesReader } from './series/seriesDesk.ts';

interface OpenRun {
  readonly history: RunHistory;
  snapshot: RunSnapshot | null;
}

const pageLimit = { maxRows: 5000, maxBytes: 4 * 1024 * 1024 };

/** Of a longer log the desk of series has most of the snapshot already, or reads it in a thread of its own. */
const longLogBytes = 8 * 1024 * 1024;

/** Runs whose histories and snapshots are kept; the one unused for longest goes first. */
const maxOpenRuns = 6;

export class RunReader {
  readonly #series: Pick<SeriesReader, 'snapshot'> | null;
  readonly #open = new Map<string, OpenRun>();
  /** Ids of runs that are read on at the next turn, once for each who waits: these are not let go. */
  readonly #awaited: string[] = [];

  /** @param series reads long logs; without it they are read here */
  constructor(series: Pick<SeriesReader, 'snapshot'> | null = null) {
    this.#series = series;
  }

  /** One message's worth of rows after the cursor. @throws StorageError */
  rows(run: RunSummary, cursor: number): Row[] {
    return this.#use(run).history.rows(cursor, pageLimit);
  }

  /** @throws StorageError */
  lastSeq(run: RunSummary): number {
    return this.#use(run).history.lastSeq();
  }

  /**
   * The fold of all rows so far. It goes on growing: encode it before the next turn.
   * @param current the run's summary as it is by then @throws StorageError, and what `current` throws
   */
  async snapshot(current: () => RunSummary, options: SeriesOptions = {}): Promise<RunSnapshot> {
    await this.#takeOver(current, options);
    const { signal } = options;
    let snapshot: RunSnapshot | null = null;
    let pages: ReturnType<RunHistory['pages']> | null = null;
    return this.#turnByTurn(current, signal, (open, run) => {
      open.snapshot ??= emptySnapshot(run, open.history.origin.plan);
      // It is another one where what was read is void by now.
      if (open.snapshot !== snapshot) pages = open.history.pages(open.snapshot.cursor);
      snapshot = open.snapshot;
      const page = pages!.next();
      for (const { row } of page.value ?? []) applyRow(snapshot, row);
      snapshot.run = run;
      return page.done ? snapshot : null;
    });
  }

  /** Reads up to a cursor, so that the rows after it are found at once. @throws StorageError, and what `current` throws */
  async seek(current: () => RunSummary, cursor: number, signal?: AbortSignal): Promise<void> {
    let pages: ReturnType<RunHistory['pages']> | null = null;
    await this.#turnByTurn(current, signal, ({ history }) => {
      pages ??= history.pages(history.markBefore(cursor));
      const page = pages.next();
      return page.done || (page.value.at(-1)?.row.seq ?? 0) >= cursor ? history : null;
    });
  }

  /** For a run that is deleted. */
  forget(runId: string): void {
    this.#open.get(runId)?.history.close();
    this.#open.delete(runId);
  }

  close(): void {
    for (const id of [...this.#open.keys()]) this.forget(id);
  }

  /** What the desk of series has of a long run's snapshot is gone on with. Where it fails, the log is read here. */
  async #takeOver(current: () => RunSummary, options: SeriesOptions): Promise<void> {
    if (!this.#series) return;
    const { id, folder } = current();
    const { snapshot, history } = this.#use(current());
    if (snapshot || history.sizeBytes < longLogBytes) return;
    let made;
    try {
      made = await this.#series.snapshot({ id, folder }, options);
    } catch {
      options.signal?.throwIfAborted();
      return;
    }
    const open = this.#use(current());
    const isOfSameLogs = JSON.stringify(made.logs) === JSON.stringify(open.history.identities);
    if (open.snapshot || !isOfSameLogs) return;
    open.snapshot = decode(made.bytes) as RunSnapshot;
    if (made.mark) open.history.adopt(made.mark);
  }

  /** Asks for a result at every turn until it is there. */
  async #turnByTurn<T>(
    current: () => RunSummary,
    signal: AbortSignal | undefined,
    read: (open: OpenRun, run: RunSummary) => T | null,
  ): Promise<T> {
    const { id } = current();
    this.#awaited.push(id);
    try {
      for (;;) {
        const run = current();
        const result = read(this.#use(run), run);
        if (result !== null) return result;
        await nextTurn();
        signal?.throwIfAborted();
      }
    } finally {
      this.#awaited.splice(this.#awaited.indexOf(id), 1);
    }
  }

  /** What later work has made void is forgotten. */
  #use(run: RunSummary): OpenRun {
    const open = this.#open.get(run.id) ?? { history: new RunHistory(run.folder), snapshot: null };
    try {
      if (open.history.refresh()) open.snapshot = null;
    } catch (error) {
      open.snapshot = null; // what was made void before it failed would not be told again
      throw error;
    }
    this.#open.delete(run.id);
    this.#open.set(run.id, open);
    for (const id of this.#open.keys()) {
      if (this.#open.size <= maxOpenRuns) break;
      if (!this.#awaited.includes(id)) this.forget(id);
    }
    return open;
  }
}
