// One run's `run.db`: plan, summary, rows and checkpoints in SQLite. The trainer process alone writes it while a run is live;
// the server reads it beside that. What a row means is not known here.
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { decode, encode } from '../protocol/codec.ts';
import type { Plan } from '../protocol/plan.ts';
import type { Row, RunRecord } from '../protocol/records.ts';
import type { CheckpointSummary, RunStatus, RunSummary } from '../protocol/run.ts';

/** Written once, when the run is created. */
export interface RunOrigin {
  readonly id: string;
  readonly plan: Plan;
  readonly createdMs: number;
  /** One line for lists. */
  readonly description: string;
  /** The experiment as it was given, before defaults. */
  readonly experimentText: string;
  readonly experimentFile: string | null;
  /** Versions of Kafscope and Node that made the run. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What is overwritten as the run goes on. */
export interface RunState {
  readonly summary: RunSummary;
  /** Status to fall back to when an evaluation of a run at rest is cut off; null while the run itself is at work. */
  readonly restStatus: RunStatus | null;
  /** Evaluations begun so far; they are numbered from 1. */
  readonly evaluations: number;
  /** The process that writes this run, while it lives. */
  readonly pid: number | null;
  readonly heartbeatMs: number;
}

/** A row ready to be stored; `step` is what a resume cuts by. */
export interface StoredRow extends Row {
  readonly step: number;
}

/** The run's folder can't be written or read: a full disk, a missing permission, a damaged or a too new database. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
}

type Journal = 'write-ahead' | 'rollback';

const schemaVersion = 1;
const applicationId = 0x4b414653; // "KAFS"
const busyTimeoutMs = 5000;

export class RunDatabase {
  /** False where the file system refused write-ahead logging; then each commit waits for the disk. */
  readonly isWriteAhead: boolean;
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(file: string, database: DatabaseSync, isWriteAhead: boolean) {
    this.#file = file;
    this.#database = database;
    this.isWriteAhead = isWriteAhead;
  }

  /** @throws StorageError where the file exists or can't be written. */
  static create(file: string, origin: RunOrigin, state: RunState): RunDatabase {
    return guard(file, () => {
      const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
      try {
        const isWriteAhead = chooseJournal(database, 'write-ahead');
        database.exec(`
          BEGIN;
          PRAGMA application_id = ${String(applicationId)};
          PRAGMA user_version = ${String(schemaVersion)};
          CREATE TABLE run (one INTEGER PRIMARY KEY CHECK (one = 1), origin BLOB NOT NULL, state BLOB NOT NULL);
          CREATE TABLE rows (seq INTEGER PRIMARY KEY, timeMs REAL NOT NULL, step INTEGER NOT NULL, type TEXT NOT NULL, payload BLOB NOT NULL);
          CREATE TABLE checkpoints (file TEXT PRIMARY KEY, step INTEGER NOT NULL, epoch INTEGER NOT NULL);
        `);
        database.prepare('INSERT INTO run VALUES (1, ?, ?)').run(encode(origin), encode(state));
        database.exec('COMMIT');
        return new RunDatabase(file, database, isWriteAhead);
      } catch (error) {
        database.close();
        throw error;
      }
    });
  }

  /** @throws StorageError where it is missing, damaged, not a run, or of a newer Kafscope. */
  static open(file: string, access: 'read' | 'write', wanted: Journal = 'write-ahead'): RunDatabase {
    return guard(file, () => {
      const database = new DatabaseSync(file, { readOnly: access === 'read', timeout: busyTimeoutMs });
      try {
        const id = Number(database.prepare('PRAGMA application_id').get()?.application_id);
        const version = Number(database.prepare('PRAGMA user_version').get()?.user_version);
        if (id !== applicationId) throw new StorageError(`${file} is not a run of Kafscope.`);
        if (version > schemaVersion) {
          throw new StorageError(
            `${file} was written by a newer Kafscope (schema ${String(version)}). Update Kafscope.`,
          );
        }
        return new RunDatabase(file, database, access === 'write' ? chooseJournal(database, wanted) : true);
      } catch (error) {
        database.close();
        throw error;
      }
    });
  }

  readOrigin(): RunOrigin {
    return this.#readOne('SELECT origin AS value FROM run') as RunOrigin;
  }

  readState(): RunState {
    return this.#readOne('SELECT state AS value FROM run') as RunState;
  }

  /** Rows after the cursor in order: at most so many, and no further one once so many bytes are reached. */
  readRows(afterSeq: number, limit: { maxRows: number; maxBytes: number }): Row[] {
    return guard(this.#file, () => {
      const rows: Row[] = [];
      let bytes = 0;
      const found = this.#statement('SELECT seq, timeMs, payload FROM rows WHERE seq > ? ORDER BY seq LIMIT ?');
      for (const row of found.iterate(afterSeq, limit.maxRows)) {
        const payload = row.payload as Uint8Array;
        rows.push({ seq: Number(row.seq), timeMs: Number(row.timeMs), record: decode(payload) as RunRecord });
        bytes += payload.byteLength;
        if (bytes >= limit.maxBytes) break;
      }
      return rows;
    });
  }

  lastSeq(): number {
    return guard(this.#file, () => Number(this.#statement('SELECT max(seq) AS seq FROM rows').get()?.seq ?? 0));
  }

  readCheckpoints(): CheckpointSummary[] {
    return guard(this.#file, () =>
      this.#statement('SELECT file, step, epoch FROM checkpoints ORDER BY step')
        .all()
        .map((row) => ({ file: String(row.file), step: Number(row.step), epoch: Number(row.epoch) })),
    );
  }

  /** All or nothing. @throws StorageError; then nothing of it is stored. */
  commit(rows: readonly StoredRow[], checkpoints: readonly CheckpointSummary[], state: RunState): void {
    this.#transact(() => {
      const insert = this.#statement('INSERT INTO rows VALUES (?, ?, ?, ?, ?)');
      for (const row of rows) insert.run(row.seq, row.timeMs, row.step, row.record.type, encode(row.record));
      for (const { file, step, epoch } of checkpoints) {
        this.#statement('INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?)').run(file, step, epoch);
      }
      this.#statement('UPDATE run SET state = ?').run(encode(state));
    });
  }

  /**
   * Drops rows and checkpoints of later steps, as a resume from the checkpoint of `step` needs, and a test made of that step
   * after the checkpoint. Returns the checkpoint files dropped.
   */
  cutAfter(step: number): string[] {
    return this.#transact(() => {
      const checkpointed = "SELECT max(seq) FROM rows WHERE type = 'checkpointed' AND step = ?1";
      this.#statement(
        `DELETE FROM rows WHERE step > ?1 OR (step = ?1 AND type = 'test' AND seq > (${checkpointed}))`,
      ).run(step);
      const dropped = this.#statement('SELECT file FROM checkpoints WHERE step > ?').all(step);
      this.#statement('DELETE FROM checkpoints WHERE step > ?').run(step);
      return dropped.map((row) => String(row.file));
    });
  }

  /** Refuses to grow beyond so many bytes, as a full disk would. */
  limitSize(bytes: number): void {
    const pageBytes = Number(this.#database.prepare('PRAGMA page_size').get()?.page_size);
    this.#database.exec(`PRAGMA max_page_count = ${String(Math.ceil(bytes / pageBytes))}`);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #readOne(sql: string): unknown {
    return guard(this.#file, () => {
      const row = this.#statement(sql).get();
      if (!row) throw new StorageError(`${this.#file} holds no run.`);
      return decode(row.value as Uint8Array);
    });
  }

  #transact<Result>(work: () => Result): Result {
    return guard(this.#file, () => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        this.#database.exec('COMMIT');
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }
}

/** Makes any error of the disk a sentence that says what to do. */
export function storageError(file: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const { code, errcode, message } = error as NodeJS.ErrnoException & { errcode?: number };
  const isFull =
    code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG' || (errcode !== undefined && (errcode & 255) === 13);
  const isForbidden =
    code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || (errcode !== undefined && (errcode & 255) === 8);
  const sentence = isFull
    ? `The disk is full: ${file} can't be written. Free some space, then resume the run.`
    : isForbidden
      ? `${file} can't be written: permission denied. Allow writing there, or choose another folder for runs.`
      : `${file}: ${message}`;
  return new StorageError(sentence, { cause: error });
}

function guard<Result>(file: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw storageError(file, error);
  }
}

/** Write-ahead logging where the file system has shared memory; a network disk gets a rollback journal. */
function chooseJournal(database: DatabaseSync, wanted: Journal): boolean {
  const mode = wanted === 'write-ahead' ? database.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode : 'delete';
  if (mode === 'wal') {
    database.exec('PRAGMA synchronous = NORMAL');
    return true;
  }
  database.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL');
  return false;
}
