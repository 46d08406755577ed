// Runs of Kafscope 0.1, whose rows and state lie in an SQLite database `run.db`. Read as they are, never written; work that goes on
// is recorded in logs beside it.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { z } from 'zod';
import { decode } from '../protocol/codec.ts';
import { runStatuses } from '../protocol/run.ts';
import type { RunStatus } from '../protocol/run.ts';
import { originSchema, storedRowSchema, storedStateSchema } from './stored.ts';
import type { RunOrigin, StoredRow, StoredState } from './stored.ts';
import { StorageError, storageError } from './storageError.ts';

export interface OldState extends StoredState {
  readonly restStatus: RunStatus | null;
  /** Changes while its trainer lives. */
  readonly heartbeatMs: number;
}

const newestSchema = 1;
const applicationId = 0x4b414653; // "KAFS"

const stateSchema = z.object({
  summary: z.looseObject({}),
  restStatus: z.enum(runStatuses).nullable(),
  evaluations: z.int().min(0),
  heartbeatMs: z.number(),
});

export function oldRunFile(runFolder: string): string {
  return path.join(runFolder, 'run.db');
}

export class OldRun {
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** @throws StorageError where it is missing, damaged, not a run, or of a newer Kafscope. */
  constructor(runFolder: string) {
    this.#file = oldRunFile(runFolder);
    this.#database = this.#guard(() => openToRead(this.#file));
    try {
      const id = Number(this.#one('PRAGMA application_id')?.application_id);
      const version = Number(this.#one('PRAGMA user_version')?.user_version);
      if (id !== applicationId) throw new StorageError(`${this.#file} is not a run of Kafscope.`);
      if (version > newestSchema) {
        throw new StorageError(
          `${this.#file} was written by a newer Kafscope (schema ${String(version)}). Update Kafscope.`,
        );
      }
    } catch (error) {
      this.#database.close();
      throw storageError(this.#file, error);
    }
  }

  origin(): RunOrigin {
    return this.#parse(originSchema, this.#one('SELECT origin AS value FROM run')?.value, 'its origin');
  }

  state(): OldState {
    const { summary, restStatus, evaluations, heartbeatMs } = this.#parse(
      stateSchema,
      this.#one('SELECT state AS value FROM run')?.value,
      'its state',
    );
    const parsed = storedStateSchema.safeParse({ progress: summary, seq: this.lastSeq(), evaluations });
    if (!parsed.success) throw new StorageError(`${this.#file}: its state is damaged.`);
    return { ...parsed.data, restStatus, heartbeatMs };
  }

  /** Rows after the cursor in order, at most so many. */
  rows(afterSeq: number, maxRows: number): StoredRow[] {
    return this.#guard(() =>
      this.#statement('SELECT seq, timeMs, step, payload FROM rows WHERE seq > ? ORDER BY seq LIMIT ?')
        .all(afterSeq, maxRows)
        .map(({ seq, timeMs, step, payload }) => {
          const row = { seq: Number(seq), timeMs: Number(timeMs), step: Number(step), record: decodeBlob(payload) };
          const parsed = storedRowSchema.safeParse(row);
          if (!parsed.success) throw new StorageError(`${this.#file}: row ${String(row.seq)} is damaged.`);
          return parsed.data;
        }),
    );
  }

  lastSeq(): number {
    return Number(this.#one('SELECT max(seq) AS seq FROM rows')?.seq ?? 0);
  }

  close(): void {
    this.#database.close();
  }

  #one(sql: string) {
    return this.#guard(() => this.#statement(sql).get());
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }

  #parse<Type>(schema: z.ZodType<Type>, value: unknown, what: string): Type {
    const parsed = schema.safeParse(this.#guard(() => decodeBlob(value)));
    if (!parsed.success) throw new StorageError(`${this.#file}: ${what} is damaged.`);
    return parsed.data;
  }

  #guard<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw storageError(this.#file, error);
    }
  }
}

function decodeBlob(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) throw new Error('a value is missing');
  return decode(value);
}

/** A database left in write-ahead mode wants files beside it; where those can't be made, it is read as one that nobody writes. */
function openToRead(file: string): DatabaseSync {
  if (!fs.statSync(file).isFile()) throw new StorageError(`${file} is no regular file, so it is not read.`);
  const options = { readOnly: true, timeout: 5000 };
  try {
    const database = new DatabaseSync(file, options);
    try {
      database.exec('PRAGMA trusted_schema = OFF');
      database.prepare('PRAGMA user_version').get();
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    const { errcode } = error as { errcode?: number };
    const cantOpen = 14;
    const readOnly = 8;
    if (errcode === undefined || ![cantOpen, readOnly].includes(errcode & 255)) throw error;
    const address = pathToFileURL(file);
    address.searchParams.set('immutable', '1');
    return new DatabaseSync(address, options);
  }
}
