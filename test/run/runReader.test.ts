// Runs that are read again and again: what is kept of them, and for how long.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RunHistory } from '../../server/run/runHistory.ts';
import { RunReader } from '../../server/run/runReader.ts';
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
    const first = reader.snapshot(run);
    expect(first).toMatchObject({ run, cursor: 0 });
    const ended = await startScriptedRun(run.folder).ended;
    const read = vi.spyOn(RunHistory.prototype, 'forEachRow');
    const grown = reader.snapshot(ended);
    expect(grown).toBe(first);
    expect(grown.run).toBe(ended);
    expect(grown.cursor).toBe(readRows(run.folder).length);
    expect(grown.steps.step).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    reader.snapshot(ended);
    expect(read.mock.calls.map(([from]) => from)).toEqual([0, grown.cursor]);
    vi.spyOn(RunHistory.prototype, 'refresh').mockReturnValueOnce(true);
    const anew = reader.snapshot(ended);
    expect(anew).not.toBe(first);
    expect(anew).toEqual(first);
  });

  it('keeps the six that were used last', () => {
    const { reader, closed } = reading();
    const runsFolder = temporaryFolder();
    const runs = Array.from({ length: 8 }, () => createScriptedRun(scriptedPlan('steps'), runsFolder));
    for (const run of runs.slice(0, 6)) reader.lastSeq(run);
    reader.lastSeq(runs[0]!);
    expect(closed).toEqual([]);
    reader.lastSeq(runs[6]!);
    reader.lastSeq(runs[7]!);
    expect(closed).toEqual([runs[1]!.folder, runs[2]!.folder]);
    const snapshot = reader.snapshot(runs[0]!);
    reader.forget(runs[0]!.id);
    reader.forget('unknown');
    expect(closed.slice(2)).toEqual([runs[0]!.folder]);
    expect(reader.snapshot(runs[0]!)).not.toBe(snapshot);
    reader.close();
    expect(closed.slice(3).sort()).toEqual([0, 3, 4, 5, 6, 7].map((index) => runs[index]!.folder).sort());
  });
});
