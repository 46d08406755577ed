// Reads runs for clients while their trainers write: rows after a cursor, and snapshots that grow with the log instead of being folded
// anew.
import { applyRow, emptySnapshot } from '../protocol/snapshot.ts';
import type { RunSnapshot } from '../protocol/snapshot.ts';
import type { Row } from '../protocol/records.ts';
import type { RunSummary } from '../protocol/run.ts';
import { RunHistory } from './runHistory.ts';

interface OpenRun {
  readonly history: RunHistory;
  snapshot: RunSnapshot | null;
}

const pageLimit = { maxRows: 5000, maxBytes: 4 * 1024 * 1024 };

/** Runs whose histories and snapshots are kept; the one unused for longest goes first. */
const maxOpenRuns = 6;

export class RunReader {
  readonly #open = new Map<string, OpenRun>();

  /** One message's worth of rows after the cursor. @throws StorageError */
  rows(run: RunSummary, cursor: number): Row[] {
    return this.#use(run).history.rows(cursor, pageLimit);
  }

  /** @throws StorageError */
  lastSeq(run: RunSummary): number {
    return this.#use(run).history.lastSeq();
  }

  /** The fold of all rows so far. It goes on growing: encode it before the next call. @throws StorageError */
  snapshot(run: RunSummary): RunSnapshot {
    const open = this.#use(run);
    const snapshot = (open.snapshot ??= emptySnapshot(run, open.history.origin.plan));
    snapshot.run = run;
    open.history.forEachRow(snapshot.cursor, (row) => {
      applyRow(snapshot, row);
    });
    return snapshot;
  }

  /** For a run that is deleted. */
  forget(runId: string): void {
    this.#open.get(runId)?.history.close();
    this.#open.delete(runId);
  }

  close(): void {
    for (const id of [...this.#open.keys()]) this.forget(id);
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
      this.forget(id);
    }
    return open;
  }
}
