// A run's rows as they count, read from logs made by hand: what later logs make void, pages, what is found again without reading a
// log from its beginning, and damage.
import fs from 'node:fs';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RunRecord } from '../../server/protocol/records.ts';
import { logFile } from '../../server/run/logFile.ts';
import * as logs from '../../server/run/logFile.ts';
import { encodeFrame } from '../../server/run/logFrames.ts';
import { OldRun } from '../../server/run/oldRun.ts';
import { thisProcess } from '../../server/run/owner.ts';
import { originFile, progressOf } from '../../server/run/runFolder.ts';
import { glance } from '../../server/run/runGlance.ts';
import { RunHistory } from '../../server/run/runHistory.ts';
import type { StoredRow, Voids } from '../../server/run/stored.ts';
import { makeOldRun } from './makeOldRun.ts';
import { createScriptedRun, everyRow, temporaryFolder } from './scriptedRun.ts';
import { scriptedPlan } from './scriptedTrainer.ts';

vi.mock('../../server/run/logFile.ts', { spy: true });

afterEach(() => {
  vi.clearAllMocks();
});

const step = (seq: number, at = seq): StoredRow => ({
  ...{ seq, timeMs: seq, step: at },
  record: { type: 'step', step: at, epoch: 1, loss: 1, accuracy: 0.5, learningRate: 0.1 } satisfies RunRecord,
});
/** 40 kB. */
const shapes = (seq: number): StoredRow => ({
  ...{ seq, timeMs: seq, step: seq },
  record: { type: 'shapes', step: seq, alphas: [new Float32Array(10_000)] },
});

function run(): string {
  return createScriptedRun(scriptedPlan('steps')).folder;
}

interface Written {
  readonly firstSeq?: number;
  readonly voids?: Voids | null;
}

/** A frame for each group of rows. */
function log(folder: string, number: number, groups: readonly (readonly StoredRow[])[], written: Written = {}): void {
  const { firstSeq = groups[0]?.[0]?.seq ?? 1, voids = null } = written;
  const head = {
    ...{ format: 'kafscope log' as const, version: 1, number, owner: thisProcess(), work: 'train' as const },
    ...{ startedMs: 1, firstSeq, voids, restStatus: null },
  };
  new logs.LogWriter(
    folder,
    head,
    groups.map((rows) => encodeFrame('rows', rows)),
  ).close();
}

function state(folder: string, seq: number): Buffer {
  return encodeFrame('state', { progress: progressOf(glance(folder).summary), seq, evaluations: 0 });
}

function history(folder: string): RunHistory {
  const made = new RunHistory(folder);
  onTestFinished(() => {
    made.close();
  });
  return made;
}

const seqsAfter = (read: RunHistory, cursor: number) => read.rows(cursor, everyRow).map(({ seq }) => seq);

describe('the history of a run', () => {
  it('without a log is empty', () => {
    const read = history(run());
    expect([read.newest, read.head, read.lastSeq(), read.rows(0, everyRow)]).toEqual([-1, null, 0, []]);
  });

  it('is that of its own form where it has an origin, whatever lies beside it', () => {
    const folder = run();
    fs.writeFileSync(`${folder}/run.db`, 'no database');
    expect(history(folder).origin.plan.name).toBe('steps');
    fs.rmSync(originFile(folder));
    fs.rmSync(`${folder}/run.db`);
    expect(() => new RunHistory(folder)).toThrow(/origin\.json/);
  });

  it('grows with the logs that are begun, and says whether one makes void what was read', () => {
    const folder = run();
    log(folder, 0, [[step(1), step(2)]]);
    const read = history(folder);
    expect([read.newest, read.head?.number]).toEqual([0, 0]);
    expect(read.refresh()).toBe(false);
    log(folder, 1, [[step(3)]]);
    expect(read.refresh()).toBe(false);
    log(folder, 2, [[step(4, 2)]], { voids: { step: 1, seq: 1 } });
    expect(read.refresh()).toBe(true);
    expect(read.refresh()).toBe(false);
    expect([read.newest, read.head?.number]).toEqual([2, 2]);
    expect(seqsAfter(read, 0)).toEqual([1, 4]);
  });

  it('passes over a log that has no head yet, and reads it once it has', () => {
    const folder = run();
    log(folder, 0, [[step(1)]]);
    log(folder, 1, [[step(2)]]);
    log(folder, 2, [[step(3)]]);
    const whole = fs.readFileSync(logFile(folder, 1));
    fs.writeFileSync(logFile(folder, 1), '');
    const read = history(folder);
    expect([read.newest, read.head?.number]).toEqual([2, 2]);
    expect(seqsAfter(read, 0)).toEqual([1, 3]);
    fs.writeFileSync(logFile(folder, 1), whole);
    expect(seqsAfter(read, 0)).toEqual([1, 2, 3]);
    // A log that is gone between two others is passed over, too.
    fs.rmSync(logFile(folder, 1));
    const without = history(folder);
    expect(seqsAfter(without, 0)).toEqual([1, 3]);
    fs.writeFileSync(logFile(folder, 2), '');
    expect(history(folder).head?.number).toBe(0);
    expect(history(folder).lastSeq()).toBe(1);
  });

  it('reads each head once', () => {
    const folder = run();
    log(folder, 0, [[step(1)]]);
    const read = history(folder);
    vi.clearAllMocks();
    read.refresh();
    read.refresh();
    expect(logs.readHead).not.toHaveBeenCalled();
  });

  it('ends with the last row behind the newest state, or with what that says, or before its first', () => {
    const folder = run();
    log(folder, 0, [[step(1)], [step(2), step(3)]]);
    const read = history(folder);
    expect(read.lastSeq()).toBe(3);
    fs.appendFileSync(logFile(folder, 0), state(folder, 7));
    expect(read.lastSeq()).toBe(7);
    fs.appendFileSync(logFile(folder, 0), encodeFrame('rows', [step(8)]));
    expect(read.lastSeq()).toBe(8);
    fs.appendFileSync(logFile(folder, 0), encodeFrame('rows', 'no rows'));
    expect(read.lastSeq()).toBe(8);
    log(folder, 1, [], { firstSeq: 12 });
    expect(read.lastSeq()).toBe(11);
    fs.appendFileSync(logFile(folder, 1), encodeFrame('state', 'no state'));
    expect(read.lastSeq()).toBe(11);
  });
});

describe('rows after a cursor', () => {
  it('are those that count, in order, with no more than a row has', () => {
    const folder = run();
    log(folder, 0, [
      [step(1), step(2)],
      [step(3), step(4)],
    ]);
    log(folder, 1, [[step(5, 3)]], { voids: { step: 2, seq: 2 } });
    log(folder, 2, [[step(6, 4)], [step(7, 5)]]);
    log(folder, 3, [[step(8, 5)]], { voids: { step: 4, seq: 6 } });
    const read = history(folder);
    expect([0, 1, 2, 4, 5, 6, 7, 8].map((cursor) => seqsAfter(read, cursor))).toEqual([
      [1, 2, 5, 6, 8],
      [2, 5, 6, 8],
      [5, 6, 8],
      [5, 6, 8],
      [6, 8],
      [8],
      [8],
      [],
    ]);
    const visited: number[] = [];
    read.forEachRow(2, ({ seq }) => visited.push(seq));
    expect(visited).toEqual([5, 6, 8]);
    expect(read.rows(0, everyRow)[0]).toEqual({ seq: 1, timeMs: 1, record: step(1).record });
  });

  it('that go back in a hostile log are passed over', () => {
    const folder = run();
    log(folder, 0, [[step(1), step(3), step(2), step(3), step(4)]]);
    expect(seqsAfter(history(folder), 0)).toEqual([1, 3, 4]);
  });

  it('come in pages of so many rows, or of so many bytes', () => {
    const folder = run();
    log(folder, 0, [[step(1), step(2), step(3)], [step(4)]]);
    const read = history(folder);
    const page = (maxRows: number, maxBytes: number) => read.rows(0, { maxRows, maxBytes }).map(({ seq }) => seq);
    expect([1, 2, 3, 4, 5].map((count) => page(count, Infinity).length)).toEqual([1, 2, 3, 4, 4]);
    const frame = encodeFrame('rows', [step(1), step(2), step(3)]).length;
    // A row has a third of its frame.
    expect(page(9, frame / 3)).toEqual([1]);
    expect(page(9, frame / 3 + 1)).toEqual([1, 2]);
    expect(page(9, frame + 1)).toEqual([1, 2, 3, 4]);
    expect(page(9, 0)).toEqual([1]);
  });

  it('end with their page, in whatever log that is', () => {
    const folder = run();
    log(folder, 0, [[step(1)], [step(2)]]);
    log(folder, 1, [[step(3)]]);
    log(folder, 2, [[step(4)]]);
    const read = history(folder);
    const page = (maxRows: number) => read.rows(0, { maxRows, maxBytes: Infinity }).map(({ seq }) => seq);
    expect([1, 2, 3, 4].map(page)).toEqual([[1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]);
  });

  it('of the older form come first, less what the logs behind them make void', () => {
    const old = [1, 2, 3, 4].map((seq) => ({ ...step(seq), seq }));
    const folder = makeOldRun(temporaryFolder(), { plan: scriptedPlan('steps'), rows: old, summary: {} });
    const read = new RunHistory(folder);
    const closed = vi.spyOn(OldRun.prototype, 'close');
    expect(read.lastSeq()).toBe(4);
    expect([0, 3].map((cursor) => seqsAfter(read, cursor))).toEqual([[1, 2, 3, 4], [4]]);
    log(folder, 0, [[step(5, 4)]], { voids: { step: 3, seq: 3 } });
    expect(seqsAfter(read, 0)).toEqual([1, 2, 3, 5]);
    log(folder, 1, [[step(6, 3)]], { voids: { step: 2, seq: 2 } });
    expect(seqsAfter(read, 0)).toEqual([1, 2, 6]);
    const page = (maxRows: number) => read.rows(0, { maxRows, maxBytes: Infinity }).map(({ seq }) => seq);
    expect([1, 2, 3].map(page)).toEqual([[1], [1, 2], [1, 2, 6]]);
    expect(read.rows(0, { maxRows: 9, maxBytes: 0 })).toHaveLength(1);
    expect(closed).not.toHaveBeenCalled();
    read.close();
    expect(closed).toHaveBeenCalledOnce();
    vi.restoreAllMocks();
  });

  it('are read from the log that holds them, not from the first', () => {
    const folder = run();
    log(folder, 0, [[step(1)], [step(2)]]);
    log(folder, 1, [[step(3)], [step(4)]]);
    log(folder, 2, [[step(5)]]);
    const read = history(folder);
    const logsReadAfter = (cursor: number) => {
      vi.clearAllMocks();
      read.rows(cursor, everyRow);
      return [...new Set(vi.mocked(logs.readPassage).mock.calls.map(([file]) => file.at(-1)))].join('');
    };
    expect([0, 1, 2, 3, 4, 5].map(logsReadAfter)).toEqual(['012', '012', '12', '12', '2', '2']);
  });

  it('are found again near where they lie, once they were read', () => {
    const folder = run();
    const rows = Array.from({ length: 40 }, (_, index) => shapes(index + 1));
    log(
      folder,
      0,
      rows.map((row) => [row]),
    );
    const read = history(folder);
    expect(seqsAfter(read, 0)).toEqual(rows.map(({ seq }) => seq));
    const frame = encodeFrame('rows', [shapes(1)]).length;
    const firstPositionAfter = (cursor: number) => {
      vi.clearAllMocks();
      expect(seqsAfter(read, cursor)[0]).toBe(cursor === 40 ? undefined : cursor + 1);
      return vi.mocked(logs.readPassage).mock.calls[0]![1] / frame;
    };
    // Marks lie 256 KiB apart or a frame more: behind every seventh frame of 40 kB.
    const places = [0, 6, 7, 8, 14, 20, 39, 40].map(firstPositionAfter);
    expect(places.map(Math.floor)).toEqual([0, 0, 7, 7, 14, 14, 35, 35]);
    // What was marked once is not marked again.
    const before = places.at(-1);
    seqsAfter(read, 0);
    expect(firstPositionAfter(40)).toBe(before);
  });
});

describe('damage', () => {
  it('is counted once, by file and bytes, and what is whole around it is read', () => {
    const folder = run();
    log(folder, 0, [[step(1)], [step(2)], [step(3)]]);
    const file = logFile(folder, 0);
    const bytes = fs.readFileSync(file);
    const frame = encodeFrame('rows', [step(2)]).length;
    bytes[bytes.length - frame - 1]! ^= 1;
    const [bad, badState, whole] = [
      encodeFrame('rows', [{ seq: 0 }]),
      encodeFrame('state', { seq: -1 }),
      encodeFrame('rows', [step(4)]),
    ];
    fs.writeFileSync(file, Buffer.concat([bytes, state(folder, 3), bad, badState, whole]));
    const read = history(folder);
    expect(read.damages).toEqual([]);
    for (let turn = 0; turn < 2; turn++) {
      expect(seqsAfter(read, 0)).toEqual([1, 3, 4]);
      expect(read.damages.map((damage) => damage.bytes).sort((a, b) => a - b)).toEqual(
        [frame, bad.length, badState.length].sort((a, b) => a - b),
      );
      expect(new Set(read.damages.map((damage) => damage.file))).toEqual(new Set([file]));
    }
  });

  it('is counted where it is a single byte', () => {
    const folder = run();
    log(folder, 0, [[step(1)]]);
    const file = logFile(folder, 0);
    fs.appendFileSync(file, Buffer.concat([Buffer.of(0), encodeFrame('rows', [step(2)])]));
    const read = history(folder);
    expect(seqsAfter(read, 0)).toEqual([1, 2]);
    expect(read.damages).toEqual([{ file, bytes: 1 }]);
  });
});
