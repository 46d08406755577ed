// kill −9 of whoever works on a sweep, at different moments: begun again it does what is left, each cell in one run, and the runs have
// the records of runs that were never cut off.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { LifeWatch } from '../../server/run/lifeWatch.ts';
import { listRunFolders } from '../../server/run/runFolder.ts';
import { runsFolderOf } from '../../server/sweep/sweepFolder.ts';
import { sweepState } from '../../server/sweep/sweepState.ts';
import { createScriptedRun, readRows, startScriptedRun } from '../run/scriptedRun.ts';
import { makeScriptedSweep, scriptedCells } from './scriptedSweep.ts';

/** Ends with the process, killed at its `nth` word if it says so many. */
async function workUntil(folder: string, nth: number): Promise<void> {
  const child = fork(path.join(import.meta.dirname, 'scriptedQueueMain.ts'), [folder], { execArgv: [] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let words = 0;
  child.on('message', () => {
    if (++words === nth) child.kill('SIGKILL');
  });
  await once(child, 'exit');
}

it('a sweep that is killed again and again ends as one that never was', async () => {
  const cells = scriptedCells(['steps', 'steps', 'steps']);
  const folder = makeScriptedSweep(cells);
  for (const nth of [1, 2, 4, 1, Infinity]) await workUntil(folder, nth);
  const { summary } = sweepState(folder, new LifeWatch());
  expect(summary.cells.map(({ status }) => status)).toEqual(['finished', 'finished', 'finished']);
  const runs = listRunFolders(runsFolderOf(folder));
  expect(runs).toHaveLength(3);
  // Where its process loses whoever began it, a run keeps a checkpoint.
  const records = (run: string) =>
    readRows(run)
      .map(({ record }) => record)
      .filter(({ type }) => type !== 'checkpointed');
  for (const cell of cells) {
    const runId = summary.cells.find(({ identity }) => identity === cell.identity)!.runId!;
    const whole = createScriptedRun(cell.plan);
    await startScriptedRun(whole.folder).ended;
    expect(records(path.join(runsFolderOf(folder), runId))).toEqual(records(whole.folder));
  }
});
