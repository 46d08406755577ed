// The rows of a frame, as the schemas have them. Steps, of which a log has a million, are looked at by hand: a schema takes longer for one than
// all that is then done with it.
import type { StepRecord } from '../protocol/records.ts';
import { storedRowSchema, type StoredRow } from './stored.ts';

/** Null where one of them is no row. */
export function storedRows(payload: unknown): StoredRow[] | null {
  if (!Array.isArray(payload)) return null;
  const rows: StoredRow[] = [];
  for (const value of payload as unknown[]) {
    const row = isStep(value) ? value : storedRowSchema.safeParse(value).data;
    if (!row) return null;
    rows.push(row);
  }
  return rows;
}

/** Whether it is one, and nothing beside it, which a schema would leave out. */
function isStep(value: unknown): value is StoredRow {
  if (typeof value !== 'object' || value === null) return false;
  const { seq, timeMs, step, record } = value as Partial<Record<keyof StoredRow, unknown>>;
  if (!isCount(seq) || seq === 0 || typeof timeMs !== 'number' || !isCount(step) || nKeys(value) !== 4) return false;
  if (typeof record !== 'object' || record === null) return false;
  const found = record as Partial<Record<keyof StepRecord, unknown>>;
  return (
    found.type === 'step' &&
    isCount(found.step) &&
    isCount(found.epoch) &&
    typeof found.loss === 'number' &&
    typeof found.accuracy === 'number' &&
    typeof found.learningRate === 'number' &&
    nKeys(record) === 6
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function nKeys(value: object): number {
  let count = 0;
  for (const _ in value) count++;
  return count;
}
