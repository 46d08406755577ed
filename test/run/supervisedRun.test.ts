// What a supervisor learns of a run from its folder alone: whose its newest work is, and whether others have come or gone.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GoneTrainer } from '../../server/run/forkTrainer.ts';
import { logFile } from '../../server/run/logFile.ts';
import { thisProcess } from '../../server/run/owner.ts';
import { hasOtherFolders, isOthers, type Entry } from '../../server/run/supervisedRun.ts';
import { begin } from './handMadeLog.ts';
import { createScriptedRun, fromStart, temporaryFolder } from './scriptedRun.ts';
import { scriptedPlan } from './scriptedTrainer.ts';

const ours = { ...thisProcess(), pid: 7 };
const gone: GoneTrainer = {
  ...{ pid: 7, end: null, status: 'failed', text: 'ended with code 1', refusal: null, lastWords: '' },
};
const refused = { ...gone, refusal: 'The disk is full.' };

describe('the newest work on a run', () => {
  it('is that of our trainer where its log says so, or where there is none', () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    expect(isOthers(folder, fromStart, gone)).toBe(false);
    begin(folder, 0, { owner: ours });
    expect([isOthers(folder, fromStart, gone), isOthers(folder, null, gone)]).toEqual([false, false]);
    expect(isOthers(folder, fromStart, { ...gone, pid: 8 })).toBe(true);
    expect(isOthers(folder, { ...fromStart, incarnation: 1 }, { ...gone, pid: 8 })).toBe(false);
  });

  it('is another’s in a later log, whatever that holds', () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    begin(folder, 0, { owner: ours });
    // A process of another machine with the same number, then one that has not said who it is.
    begin(folder, 1, { owner: ours });
    expect(isOthers(folder, fromStart, gone)).toBe(true);
    fs.writeFileSync(logFile(folder, 2), '');
    expect(isOthers(folder, fromStart, refused)).toBe(true);
  });

  it('in a log without a head is our trainer’s where its disk refused it', () => {
    const { folder } = createScriptedRun(scriptedPlan('steps'));
    fs.writeFileSync(logFile(folder, 0), '');
    expect([isOthers(folder, fromStart, refused), isOthers(folder, fromStart, gone)]).toEqual([false, true]);
  });
});

describe('a folder of runs', () => {
  const known = (...runs: { id: string }[]) => new Map(runs.map(({ id }) => [id, {} as Entry]));

  it('has others where a run came or went, not where anything else did', () => {
    const runsFolder = temporaryFolder();
    const [one, two] = [1, 2].map(() => createScriptedRun(scriptedPlan('steps'), runsFolder)) as [
      ReturnType<typeof createScriptedRun>,
      ReturnType<typeof createScriptedRun>,
    ];
    fs.mkdirSync(path.join(runsFolder, 'no-run'));
    expect(hasOtherFolders(runsFolder, known(one, two))).toBe(false);
    expect(hasOtherFolders(runsFolder, known(one))).toBe(true);
    fs.rmSync(one.folder, { recursive: true });
    expect(hasOtherFolders(runsFolder, known(one, two))).toBe(true);
  });

  it('that is gone has none', () => {
    expect(hasOtherFolders(path.join(temporaryFolder(), 'none'), known({ id: 'a' }))).toBe(false);
  });
});
