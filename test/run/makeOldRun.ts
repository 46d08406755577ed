// Runs of the older form, as version 0.1 wrote them.
import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { encode } from '../../server/protocol/codec.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import { checkpointsFolder } from '../../server/run/runFolder.ts';

export interface OldRow {
  readonly seq: number;
  readonly step: number;
  readonly record: RunRecord | Record<string, unknown>;
}

export function makeOldRun(
  runsFolder: string,
  { plan, rows, summary }: { plan: Plan; rows: readonly OldRow[]; summary: Record<string, unknown> },
): string {
  const id = 'old-run';
  const folder = path.join(runsFolder, id);
  fs.mkdirSync(checkpointsFolder(folder), { recursive: true });
  const database = new DatabaseSync(path.join(folder, 'run.db'));
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA application_id = ${String(0x4b414653)};
    PRAGMA user_version = 1;
    CREATE TABLE run (one INTEGER PRIMARY KEY CHECK (one = 1), origin BLOB NOT NULL, state BLOB NOT NULL);
    CREATE TABLE rows (seq INTEGER PRIMARY KEY, timeMs REAL NOT NULL, step INTEGER NOT NULL, type TEXT NOT NULL, payload BLOB NOT NULL);
    CREATE TABLE checkpoints (file TEXT PRIMARY KEY, step INTEGER NOT NULL, epoch INTEGER NOT NULL);
  `);
  const origin = {
    id,
    plan,
    createdMs: 1000,
    description: 'old',
    experimentText: 'name: old',
    experimentFile: null,
    versions: {},
  };
  const state = {
    summary: { ...rest, id, folder, ...summary },
    ...{ restStatus: null, evaluations: 0, pid: null, heartbeatMs: 5000 },
  };
  database.prepare('INSERT INTO run VALUES (1, ?, ?)').run(encode(origin), encode(state));
  for (const { seq, step, record } of rows)
    database
      .prepare('INSERT INTO rows VALUES (?, ?, ?, ?, ?)')
      .run(seq, seq * 10, step, String(record.type), encode(record));
  database.close();
  return folder;
}

const rest = {
  ...{
    name: 'old',
    seed: 0,
    status: 'interrupted',
    message: 'The server went away.',
    createdMs: 1000,
    updatedMs: 2000,
  },
  ...{ step: 7, steps: 12, epoch: 2, epochs: 3, loss: 1 / 7, cleanAccuracy: 0.8, robustAccuracy: null },
  ...{ imagesPerSecond: 5, device: 'scripted', memory: null, description: 'old', experimentFile: null },
  checkpoints: [{ file: 'step-4.safetensors', step: 4, epoch: 1 }],
};
