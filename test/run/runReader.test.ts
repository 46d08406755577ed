// Runs that are read again and again: what is kept of them, and for how long, and that long ones hold nobody up.
import fs from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RunSummary } from '../../server/protocol/run.ts';
import { encodeFrame } from '../../server/run/logFrames.ts';
import { RunHistory } from '../../server/run/runHistory.ts';
import { RunReader } from '../../server/run/runReader.ts';
import { SeriesDesk } from '../../server/run/series/seriesDesk.ts';
import { makeLongRun } from '../bench/longRun.ts';
import { begin } from './handMadeLog.ts';
import { scriptedPlan } from './scriptedTrainer.ts';
import { createScriptedRun, readRows, startScriptedRun, temporaryFolder, trainScripted } from './scriptedRun.ts';

function reading() {
  const reader = new RunReader();
  const closed: string[] = [];
  const { close } = RunHistory.prototype;
  vi.spyOn(RunHistory.prototype, 'close').mockImplementation(function (this: RunHistory) {
    closed.push(this.folder);
    close.call(this);
  });
  onTestFinished(() => {
    reader.close();
    vi.restoreAllMocks();
  });
  return { reader, closed };
}

describe('a reader of runs', () => {
  it('gives rows after a cursor, and the number of the last', async () => {
    const { reader } = reading();
    const run = await trainScripted(scriptedPlan('steps'));
    const rows = readRows(run.folder);
    expect(reader.rows(run, 0)).toEqual(rows);
    expect(reader.rows(run, 5)).toEqual(rows.slice(5));
    expect(reader.lastSeq(run)).toBe(rows.length);
  });

  it('lets a snapshot grow with the log, and makes another where what it was made of is void', async () => {
    const { reader } = reading();
    const run = createScriptedRun(scriptedPlan('steps'));
    const first = await reader.snapshot(() => run);
    expect(first).toMatchObject({ run, cursor: 0 });
    const ended = await startScriptedRun(run.folder).ended;
    const nRows = readRows(run.folder).length;
    const read = vi.spyOn(RunHistory.prototype, 'pages');
    const grown = await reader.snapshot(() => ended);
    expect(grown).toBe(first);
    expect(grown.run).toBe(ended);
    expect(grown.cursor).toBe(nRows);
    expect(grown.steps.step).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    await reader.snapshot(() => ended);
    expect(read.mock.calls.map(([from]) => from)).toEqual([0, grown.cursor]);
    vi.spyOn(RunHistory.prototype, 'refresh').mockReturnValueOnce(true);
    const anew = await reader.snapshot(() => ended);
    expect(anew).not.toBe(first);
    expect(anew).toEqual(first);
  });

  it('goes on with what a desk of series has read of a long log, and reads it itself where the desk fails', async () => {
    const runsFolder = temporaryFolder();
    const run = makeLongRun(runsFolder, { nSteps: 6000, nTensors: 200, normsEvery: 2 });
    const desk = new SeriesDesk(temporaryFolder());
    const alone = new RunReader();
    const whole = await alone.snapshot(() => run);
    const read = vi.spyOn(RunHistory.prototype, 'pages');
    const made = await desk.snapshot({ id: run.id, folder: run.folder }, {});
    expect(read.mock.calls).toEqual([[0]]);
    const asked = { snapshot: vi.fn(() => Promise.resolve(made)) };
    const helped = new RunReader(asked);
    expect(await helped.snapshot(() => run)).toEqual(whole);
    expect(read.mock.calls).toEqual([[0], [whole.cursor]]);
    expect(helped.rows(run, whole.cursor)).toEqual([]);
    await helped.snapshot(() => run);
    expect(asked.snapshot).toHaveBeenCalledTimes(1);
    const failing = new RunReader({ snapshot: () => Promise.reject(new Error('no thread')) });
    expect(await failing.snapshot(() => run)).toEqual(whole);
    const ofOthers = new RunReader({ snapshot: () => Promise.resolve({ ...made, logs: ['0 of another run'] }) });
    expect(await ofOthers.snapshot(() => run)).toEqual(whole);
    expect(read.mock.calls.slice(-2)).toEqual([[0], [0]]);
    for (const reader of [alone, helped, failing, ofOthers]) reader.close();
    await desk.close();
    vi.restoreAllMocks();
  });

  it('keeps the six that were used last', async () => {
    const { reader, closed } = reading();
    const runsFolder = temporaryFolder();
    const runs = Array.from({ length: 8 }, () => createScriptedRun(scriptedPlan('steps'), runsFolder));
    for (const run of runs.slice(0, 6)) reader.lastSeq(run);
    reader.lastSeq(runs[0]!);
    expect(closed).toEqual([]);
    reader.lastSeq(runs[6]!);
    reader.lastSeq(runs[7]!);
    expect(closed).toEqual([runs[1]!.folder, runs[2]!.folder]);
    const snapshot = await reader.snapshot(() => runs[0]!);
    reader.forget(runs[0]!.id);
    reader.forget('unknown');
    expect(closed.slice(2)).toEqual([runs[0]!.folder]);
    expect(await reader.snapshot(() => runs[0]!)).not.toBe(snapshot);
    reader.close();
    expect(closed.slice(3).sort()).toEqual([0, 3, 4, 5, 6, 7].map((index) => runs[index]!.folder).sort());
  });
});

/** A run of so many rows, of a megabyte each. */
function longRun(nRows: number, runsFolder = temporaryFolder()): RunSummary {
  const run = createScriptedRun(scriptedPlan('steps'), runsFolder);
  const rows = Array.from({ length: nRows }, (_, index) => {
    const step = index + 1;
    const [large, none] = [new Float32Array(262_144).fill(step), new Int32Array()];
    const norms = { weights: large, gradients: new Float32Array(), nonFiniteWeights: none, nonFiniteGradients: none };
    const record = { type: 'norms', step, ...norms } as const;
    return encodeFrame('rows', [{ seq: step, timeMs: step, step, record }]);
  });
  begin(run.folder, 0, { status: 'finished', further: rows });
  return run;
}

describe('a long run', () => {
  it('is folded a megabyte at a time, and others have their turn between', async () => {
    const { reader } = reading();
    const run = longRun(5);
    let isFolded = false;
    const folded = reader.snapshot(() => run).finally(() => (isFolded = true));
    let nTurns = 0;
    for (; !isFolded; nTurns++) await nextTurn();
    expect(nTurns).toBeGreaterThanOrEqual(5);
    expect((await folded).norms.step).toEqual([1, 2, 3, 4, 5]);
  });

  it('is folded anew where what was read of it becomes void on the way', async () => {
    const { reader } = reading();
    const run = longRun(4);
    const refresh = vi.spyOn(RunHistory.prototype, 'refresh');
    let nLooks = 0;
    const folded = reader.snapshot(() => {
      if (++nLooks === 4) refresh.mockReturnValueOnce(true);
      return run;
    });
    expect((await folded).norms.step).toEqual([1, 2, 3, 4]);
  });

  it('is folded for all who ask at once, more than are kept among them', async () => {
    const { reader, closed } = reading();
    const runsFolder = temporaryFolder();
    const runs = Array.from({ length: 8 }, () => longRun(2, runsFolder));
    const asked = [...runs, runs[0]!];
    const snapshots = await Promise.all(asked.map((run) => reader.snapshot(() => run)));
    expect(snapshots.map(({ norms }) => norms.step)).toEqual(asked.map(() => [1, 2]));
    reader.lastSeq(runs[0]!);
    expect(closed).toHaveLength(2);
  });

  it('is read no further for whom it is not wanted any more, and fails where it is deleted meanwhile', async () => {
    const { reader } = reading();
    const run = longRun(3);
    const controller = new AbortController();
    const abandoned = reader.snapshot(() => run, { signal: controller.signal });
    controller.abort(new Error('gone'));
    await expect(abandoned).rejects.toThrow('gone');
    let isThere = true;
    const deleted = reader.snapshot(() => {
      if (!isThere) throw new Error('no such run');
      return run;
    });
    isThere = false;
    reader.forget(run.id);
    await expect(deleted).rejects.toThrow('no such run');
  });

  it('is read up to a cursor in turns, and the rows after it are then found without reading what stands before', async () => {
    const { reader } = reading();
    const run = longRun(6);
    let isSought = false;
    const sought = reader.seek(() => run, 5).finally(() => (isSought = true));
    let nTurns = 0;
    for (; !isSought; nTurns++) await nextTurn();
    await sought;
    expect(nTurns).toBeGreaterThanOrEqual(4);
    const read = vi.spyOn(fs, 'readSync');
    expect(reader.rows(run, 5).map(({ seq }) => seq)).toEqual([6]);
    const readBytes = read.mock.results.reduce((sum, { value }) => sum + Number(value), 0);
    expect(readBytes).toBeLessThan(3.5 * 1024 * 1024);
  });
});
