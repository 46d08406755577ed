// Reads runs for clients while their trainers write: rows after a cursor, and snapshots that grow with the log instead of
// being folded anew.
import { applyRow, emptySnapshot } from '../protocol/snapshot.ts';
import type { RunSnapshot } from '../protocol/snapshot.ts';
import type { Row } from '../protocol/records.ts';
import type { RunSummary } from '../protocol/run.ts';
import { RunDatabase } from './runDatabase.ts';
import { databaseFile } from './runFolder.ts';

interface OpenRun {
  readonly database: RunDatabase;
  snapshot: RunSnapshot | null;
}

const pageLimit = { maxRows: 5000, maxBytes: 4 * 1024 * 1024 };

/** Runs whose databases and snapshots are kept; the one unused for longest goes first. */
const maxOpenRuns = 6;

export class RunReader {
  readonly #open = new Map<string, OpenRun>();

  /** One message's worth of rows after the cursor. @throws StorageError */
  rows(run: RunSummary, cursor: number): Row[] {
    return this.#use(run).database.readRows(cursor, pageLimit);
  }

  /** @throws StorageError */
  lastSeq(run: RunSummary): number {
    return this.#use(run).database.lastSeq();
  }

  /** The fold of all rows so far. It goes on growing: encode it before the next call. @throws StorageError */
  snapshot(run: RunSummary): RunSnapshot {
    const open = this.#use(run);
    const snapshot = (open.snapshot ??= emptySnapshot(run, open.database.readOrigin().plan));
    snapshot.run = run;
    forEachRow(open.database, snapshot.cursor, (row) => {
      applyRow(snapshot, row);
    });
    return snapshot;
  }

  /** For a run that is deleted or whose log was cut. */
  forget(runId: string): void {
    this.#open.get(runId)?.database.close();
    this.#open.delete(runId);
  }

  close(): void {
    for (const id of [...this.#open.keys()]) this.forget(id);
  }

  #use(run: RunSummary): OpenRun {
    const open = this.#open.get(run.id) ?? {
      database: RunDatabase.open(databaseFile(run.folder), 'read'),
      snapshot: null,
    };
    this.#open.delete(run.id);
    this.#open.set(run.id, open);
    for (const id of this.#open.keys()) {
      if (this.#open.size <= maxOpenRuns) break;
      this.forget(id);
    }
    return open;
  }
}

export function forEachRow(database: RunDatabase, afterSeq: number, visit: (row: Row) => void): void {
  for (let cursor = afterSeq; ;) {
    const rows = database.readRows(cursor, pageLimit);
    const last = rows.at(-1);
    if (!last) return;
    rows.forEach(visit);
    cursor = last.seq;
  }
}
