// Evaluations that a sweep cuts by test images: cells of their own, behind one training, and what puts them together.
import { describe, expect, it } from 'vitest';
import { planIdentity } from '../../server/experiment/planIdentity.ts';
import { LifeWatch } from '../../server/run/lifeWatch.ts';
import { readHead } from '../../server/run/logFile.ts';
import { listRunFolders, readOrigin } from '../../server/run/runFolder.ts';
import { CellOrder } from '../../server/sweep/cellOrder.ts';
import { storedCells } from '../../server/sweep/storedCells.ts';
import { readCells, runsFolderOf, writeCells, type StoredCell } from '../../server/sweep/sweepFolder.ts';
import { sweepResults } from '../../server/sweep/sweepResults.ts';
import { sweepState } from '../../server/sweep/sweepState.ts';
import { atOnce } from '../../server/experiment/turns.ts';
import { readRows } from '../run/scriptedRun.ts';
import type { RunStatus } from '../../server/protocol/run.ts';
import { scriptedEvaluation, type Script } from '../run/scriptedTrainer.ts';
import { cellSet, makeScriptedSweep, scriptedCells, work } from './scriptedSweep.ts';

function cutCells(scripts: readonly Script[], parts: number): StoredCell[] {
  const cells = scriptedCells(scripts, { evaluation: [scriptedEvaluation], ...(parts > 1 && { parts }) });
  return atOnce(storedCells(cells));
}

const cellsOf = (folder: string) => sweepState(folder, new LifeWatch()).summary.cells;
const statuses = (folder: string) => cellsOf(folder).map(({ status }) => status);
const steps = (run: string) => readRows(run).filter(({ record }) => record.type === 'step').length;

describe('an evaluation that is cut', () => {
  it('is a cell a part before the whole, each found by what it does, the whole as if it were not cut', () => {
    const [first, second, third, whole] = cutCells(['steps'], 3);
    expect([first!.name, whole!.name]).toEqual(['seed 0 · part 1/3', 'seed 0']);
    expect([first!.values, whole!.values]).toEqual([{ seed: '0', part: '1/3' }, { seed: '0' }]);
    expect(second!.plan.part).toEqual({ index: 1, of: 3 });
    expect(new Set([first, second, third, whole].map((cell) => cell!.identity)).size).toBe(4);
    expect(whole!.identity).toBe(cutCells(['steps'], 1)[0]!.identity);
    const order = new CellOrder([first!, second!, third!, whole!]);
    expect(order.partsOf(whole!)).toEqual([first, second, third]);
    expect(order.wholeOf(second!)).toBe(whole);
  });

  it('has its turn behind what it begins from', () => {
    const cells = cutCells(['steps'], 2);
    const [first, second, whole] = cells;
    const order = new CellOrder(cells);
    const turns = (...states: readonly (readonly [status: RunStatus, step: number, runId?: string])[]) => {
      const stateOf = (cell: StoredCell) => {
        const [status, step, runId = status === 'waiting' ? null : 'r'] = states[cells.indexOf(cell)]!;
        return { status, step, steps: 12, runId };
      };
      return [first, second, whole].map((cell) => order.turnOf(cell!, stateOf));
    };
    const waiting = ['waiting', 0] as const;
    expect(turns(waiting, waiting, waiting)).toEqual(['now', 'trained', 'parts']);
    expect(turns(['training', 7], waiting, waiting)).toEqual(['now', 'trained', 'parts']);
    // Its last step is taken, its last checkpoint not written.
    expect(turns(['training', 12], waiting, waiting)).toEqual(['now', 'trained', 'parts']);
    expect(turns(['evaluating', 12], waiting, waiting)).toEqual(['now', 'now', 'parts']);
    expect(turns(['interrupted', 7], waiting, waiting)).toEqual(['now', 'trained', 'parts']);
    expect(turns(['interrupted', 12], waiting, waiting)).toEqual(['now', 'now', 'parts']);
    // One that failed does not hold up the next, which trains itself; what diverged would diverge again.
    expect(turns(['failed', 5], waiting, waiting)).toEqual(['now', 'now', 'parts']);
    expect(turns(['diverged', 5], waiting, waiting)).toEqual(['now', 'trained', 'parts']);
    expect(turns(['finished', 12], ['finished', 12], waiting)).toEqual(['now', 'now', 'now']);
    expect(turns(waiting, waiting, ['waiting', 12, 'r'])).toEqual(['now', 'now', 'parts']);
  });

  it('trains once: the other parts begin from its weights, and the whole when all of them are there', async () => {
    const folder = makeScriptedSweep(cutCells(['steps', 'steps'], 3));
    const { queue, told } = work(folder, { atOnce: 8 });
    expect((await queue.ended).end).toBe('done');
    expect(statuses(folder)).toEqual(Array<string>(8).fill('finished'));
    const begun = new Map<string, number>();
    for (const { name, status } of told) if (status === 'training') begun.set(name, (begun.get(name) ?? 0) + 1);
    const names = [...begun.keys()];
    expect(new Set(names.slice(0, 2))).toEqual(new Set(['seed 0 · part 1/3', 'seed 1 · part 1/3']));
    expect(names.indexOf('seed 0')).toBeGreaterThan(names.indexOf('seed 0 · part 3/3'));
    const logs = listRunFolders(runsFolderOf(folder));
    expect(logs).toHaveLength(8);
    for (const run of logs) expect(steps(run)).toBe(12);
    // The others begin with the rows and the weights of these two.
    expect(logs.filter((run) => readHead(run, 0)!.work !== 'note')).toHaveLength(2);
    const made = logs.filter((run) => readRows(run).some(({ record }) => record.type === 'evaluationFinished'));
    expect(made).toHaveLength(8);
  });

  it('is not made once more where the whole has been evaluated, cut or not', async () => {
    const folder = makeScriptedSweep(cutCells(['steps'], 1));
    await work(folder).queue.ended;
    writeCells(folder, cellSet(cutCells(['steps'], 3)));
    expect(statuses(folder)).toEqual(Array<string>(4).fill('finished'));
    const { told, queue } = work(folder);
    expect((await queue.ended).end).toBe('done');
    expect(told).toEqual([]);
    expect(listRunFolders(runsFolderOf(folder))).toHaveLength(1);
  });

  it('takes the weights of a run that there is, whoever trained it', async () => {
    const folder = makeScriptedSweep(scriptedCells(['steps']));
    await work(folder).queue.ended;
    const [trained] = listRunFolders(runsFolderOf(folder));
    writeCells(folder, cellSet(cutCells(['steps'], 2)));
    await work(folder).queue.ended;
    expect(statuses(folder)).toEqual(['finished', 'finished', 'finished']);
    // The whole goes into that run itself, as an attack does that an experiment gets later.
    expect(cellsOf(folder)[2]!.runId).toBe(readOrigin(trained!).id);
    expect(listRunFolders(runsFolderOf(folder))).toHaveLength(3);
  });

  it('is not begun behind a training that diverged', async () => {
    const folder = makeScriptedSweep(cutCells(['diverges'], 2));
    expect((await work(folder).queue.ended).end).toBe('done');
    expect(statuses(folder)).toEqual(['diverged', 'waiting', 'waiting']);
    expect(cellsOf(folder).at(-1)!.message).toBe('It begins when its 2 parts have finished.');
    expect(listRunFolders(runsFolderOf(folder))).toHaveLength(1);
  });

  it('is one row of the report', async () => {
    const folder = makeScriptedSweep(cutCells(['steps'], 2));
    await work(folder).queue.ended;
    const { results, nCells } = sweepResults(folder);
    expect(nCells).toBe(1);
    expect(results.map(({ name }) => name)).toEqual(['seed 0']);
    expect(readCells(folder).cells.map(({ plan }) => planIdentity(plan))).toContain(results[0]!.identity);
  });
});
