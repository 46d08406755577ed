// Evaluations that a sweep's experiment gets after its cells have run: the weights go through them, and nothing is trained anew.
import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { EvaluationPlan } from '../../server/protocol/plan.ts';
import { LifeWatch } from '../../server/run/lifeWatch.ts';
import { readHead } from '../../server/run/logFile.ts';
import { glance } from '../../server/run/runGlance.ts';
import { listRunFolders } from '../../server/run/runFolder.ts';
import { runsFolderOf, writeCells } from '../../server/sweep/sweepFolder.ts';
import { sweepResults } from '../../server/sweep/sweepResults.ts';
import { sweepState } from '../../server/sweep/sweepState.ts';
import { attackPlan } from '../attack/plans.ts';
import { completeEvaluation } from '../../server/protocol/evaluationPlan.ts';
import { createScriptedRun, readRows, startScriptedRun } from '../run/scriptedRun.ts';
import { scriptedEvaluation } from '../run/scriptedTrainer.ts';
import { cellSet, makeScriptedSweep, scriptedCells, work } from './scriptedSweep.ts';

const other = attackPlan('pgd', { steps: 3, restarts: 1, samples: 10, batchSize: 5 });
const cellsWith = (...evaluation: EvaluationPlan[]) => scriptedCells(['steps', 'steps'], { evaluation });
const cellsOf = (folder: string) => sweepState(folder, new LifeWatch()).summary.cells;
const runsOf = (folder: string) => listRunFolders(runsFolderOf(folder));
const recordsOf = (run: string, type: string) => readRows(run).filter(({ record }) => record.type === type);
const logs = (run: string) => fs.readdirSync(run).filter((name) => name.startsWith('log-')).length;

async function runAll(folder: string): Promise<void> {
  expect((await work(folder).queue.ended).end).toBe('done');
}

describe('an evaluation that is added to a sweep', () => {
  it('is made of the weights that there are: no step is taken again, and what was evaluated is not again', async () => {
    const folder = makeScriptedSweep(cellsWith(scriptedEvaluation));
    await runAll(folder);
    const before = cellsOf(folder).map(({ runId }) => runId);
    writeCells(folder, cellSet(cellsWith(scriptedEvaluation, other)));
    expect(cellsOf(folder).map(({ status }) => status)).toEqual(['waiting', 'waiting']);
    await runAll(folder);
    expect(cellsOf(folder).map(({ status, runId }) => [status, runId])).toEqual(before.map((id) => ['finished', id]));
    expect(runsOf(folder)).toHaveLength(2);
    for (const run of runsOf(folder)) {
      expect(recordsOf(run, 'step')).toHaveLength(12);
      expect(recordsOf(run, 'evaluationStarted').map(({ record }) => 'plan' in record && record.plan)).toEqual([
        scriptedEvaluation,
        other,
      ]);
    }
    expect(sweepResults(folder).results[0]!.figures).toHaveLength(2);
  });

  it('leaves records as those of a run that had it from the start', async () => {
    const [added, whole] = [makeScriptedSweep(cellsWith()), makeScriptedSweep(cellsWith(other))];
    await runAll(added);
    writeCells(added, cellSet(cellsWith(other)));
    await runAll(added);
    await runAll(whole);
    const seen = (folder: string) =>
      runsOf(folder)
        .map((run) => readRows(run).map(({ record }) => ({ ...record, file: undefined })))
        .map((rows) => rows.filter(({ type }) => type !== 'checkpointed'));
    expect(seen(added)).toEqual(seen(whole));
  });

  it('is not made again when the sweep is started once more, and one that was made by hand counts', async () => {
    const folder = makeScriptedSweep(cellsWith());
    await runAll(folder);
    const [first] = runsOf(folder);
    const checkpoint = glance(first!).summary.checkpoints.at(-1)!.file;
    await startScriptedRun(first!, { type: 'evaluate', incarnation: 1, checkpoint, evaluation: other }).ended;
    writeCells(folder, cellSet(cellsWith(other)));
    await runAll(folder);
    expect(runsOf(folder).map(logs)).toEqual([2, 2]);
    await runAll(folder);
    expect(runsOf(folder).map(logs)).toEqual([2, 2]);
  });

  it('comes after the training of a run that was cut off, which goes on', async () => {
    const cells = cellsWith(other).slice(0, 1);
    const folder = makeScriptedSweep(cells);
    const cut = createScriptedRun({ ...cells[0]!.plan, evaluation: [] }, runsFolderOf(folder));
    const { control, ended } = startScriptedRun(cut.folder);
    control.interrupt('The machine went down.');
    expect((await ended).status).toBe('interrupted');
    await runAll(folder);
    expect(cellsOf(folder)).toMatchObject([{ status: 'finished', runId: cut.id, step: 12 }]);
    expect(recordsOf(cut.folder, 'evaluationFinished')).toHaveLength(1);
  });

  it('fails without harm to the run: the cell says why, and is tried again when asked', async () => {
    const transfer = completeEvaluation('transfer', { from: 'no-such-run' }, { trainedEpsilon: null, testSamples: 10 });
    const folder = makeScriptedSweep(cellsWith());
    await runAll(folder);
    writeCells(folder, cellSet(cellsWith(transfer)));
    await runAll(folder);
    const [cell] = cellsOf(folder);
    expect(cell!.status).toBe('failed');
    expect(cell!.message).toContain('no-such-run');
    const before = runsOf(folder).map(logs);
    await runAll(folder);
    expect(runsOf(folder).map(logs)).toEqual(before);
    await work(folder, { isFailedAgain: true }).queue.ended;
    expect(runsOf(folder).map(logs)).toEqual(before.map((count) => count + 1));
  });

  it('of two cells with one training is made on the same run, one after the other', async () => {
    const folder = makeScriptedSweep(cellsWith().slice(0, 1));
    await runAll(folder);
    const [a, b] = [cellsWith(scriptedEvaluation)[0]!, { ...cellsWith(other)[0]!, name: 'b' }];
    writeCells(folder, cellSet([a, b]));
    await runAll(folder);
    expect(runsOf(folder)).toHaveLength(1);
    expect(cellsOf(folder).map(({ status }) => status)).toEqual(['finished', 'finished']);
    expect(recordsOf(runsOf(folder)[0]!, 'evaluationFinished')).toHaveLength(2);
  });

  it('takes no run whose training differs, and for a certificate or a detector one that begins from those weights', async () => {
    const density = completeEvaluation('density', {}, { trainedEpsilon: null, testSamples: 10 });
    const folder = makeScriptedSweep(cellsWith().slice(0, 1));
    await runAll(folder);
    writeCells(folder, cellSet(scriptedCells(['steps'], { evaluation: [density] })));
    await runAll(folder);
    expect(runsOf(folder)).toHaveLength(2);
    const begun = runsOf(folder).find((run) => glance(run).origin.plan.evaluation.length > 0)!;
    expect(readHead(begun, 0)!.work).toBe('note');
    expect(recordsOf(begun, 'step')).toHaveLength(12);
    expect(recordsOf(begun, 'evaluationFinished')).toHaveLength(1);
    const threads = scriptedCells(['steps'], { evaluation: [other], runtime: 'wasm' });
    writeCells(folder, cellSet(threads));
    await runAll(folder);
    expect(runsOf(folder)).toHaveLength(3);
  });
});
