import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { storedRowSchema } from '../../server/run/stored.ts';
import { storedRows } from '../../server/run/storedRows.ts';

const schema = z.array(storedRowSchema);
const record = { type: 'step', step: 7, epoch: 1, loss: 0.5, accuracy: 0.25, learningRate: 0.1 };
const step = { seq: 3, timeMs: 12.5, step: 7, record };

/** Each number made something else, each key left out, and one too many. */
function spoilt(whole: Record<string, unknown>): Record<string, unknown>[] {
  const wrong = [-1, 0, 1.5, Number.NaN, Infinity, 2 ** 53, '7', null, undefined, {}, []];
  return [
    ...Object.keys(whole).flatMap((key) => wrong.map((value) => ({ ...whole, [key]: value }))),
    ...Object.keys(whole).map((key) => Object.fromEntries(Object.entries(whole).filter(([each]) => each !== key))),
    { ...whole, other: 1 },
  ];
}

describe('rows as they are stored', () => {
  it('are what the schemas make of them, whatever a step is made of', () => {
    const rows = [
      ...spoilt(step),
      ...spoilt(record).map((each) => ({ ...step, record: each })),
      { ...step, record: { ...record, type: 'norms' } },
      ...[null, undefined, 7, 'row', [], () => step],
    ];
    for (const row of rows)
      expect(storedRows([row]), JSON.stringify(row)).toEqual(schema.safeParse([row]).data ?? null);
    expect(rows.filter((row) => storedRows([row]) !== null).length).toBeGreaterThan(20);
  });

  it('of steps are given as they are', () => {
    const [row] = storedRows([step, { ...step, seq: 4 }])!;
    expect(row).toBe(step);
    const first = { ...step, step: 0, record: { ...record, step: 0, epoch: 0 } };
    expect(storedRows([first])![0]).toBe(first);
  });

  it('are none where one of them is none, or where there is no list', () => {
    expect(storedRows([step, { ...step, seq: 0 }])).toBeNull();
    for (const payload of [null, {}, 'rows', 7]) expect(storedRows(payload)).toBeNull();
    expect(storedRows([])).toEqual([]);
  });
});
