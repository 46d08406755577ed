// A last word on a run: a log of its own.
import { describe, expect, it, vi } from 'vitest';
import { readHead, readPassage, logFile } from '../../server/run/logFile.ts';
import { noteEnd } from '../../server/run/noteRun.ts';
import { glance } from '../../server/run/runGlance.ts';
import { RunHistory } from '../../server/run/runHistory.ts';
import { readRows, trainScripted } from './scriptedRun.ts';
import { scriptedPlan } from './scriptedTrainer.ts';

describe('a note', () => {
  it('says how the run ended, behind all that it had, and that nothing was trained', async () => {
    const { folder, step, checkpoints } = await trainScripted(scriptedPlan('steps'));
    const rows = readRows(folder);
    const closed = vi.spyOn(RunHistory.prototype, 'close');
    const ended = noteEnd(folder, { status: 'failed', message: 'It died.' }, { incarnation: 1, nowMs: 77 });
    expect(closed).toHaveBeenCalledOnce();
    vi.restoreAllMocks();
    expect(ended).toMatchObject({ status: 'failed', message: 'It died.', incarnation: 1, updatedMs: 77, step });
    expect(glance(folder).summary).toEqual(ended);
    expect(ended.checkpoints).toEqual(checkpoints);
    expect(readHead(folder, 1)).toMatchObject({
      ...{ work: 'note', owner: { pid: process.pid }, startedMs: 77, firstSeq: rows.length + 1 },
      ...{ voids: null, restStatus: null },
    });
    expect(readPassage(logFile(folder, 1), 0).frames.map(({ kind }) => kind)).toEqual(['head', 'state']);
    expect(readRows(folder)).toEqual(rows);
  });
});
