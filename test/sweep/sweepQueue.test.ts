// The queue that works on a sweep, with trainers that compute nothing.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { planIdentity } from '../../server/experiment/planIdentity.ts';
import { forkTrainer } from '../../server/run/forkTrainer.ts';
import { LifeWatch } from '../../server/run/lifeWatch.ts';
import { SupersededError } from '../../server/run/logFile.ts';
import { listRunFolders } from '../../server/run/runFolder.ts';
import type { ToTrainer } from '../../server/run/trainerMessages.ts';
import { sharesOf } from '../../server/sweep/atOnce.ts';
import { runsFolderOf, writeAsk, writeCells } from '../../server/sweep/sweepFolder.ts';
import { TakenGpus } from '../../server/run/takenGpus.ts';
import { SweepQueue } from '../../server/sweep/sweepQueue.ts';
import { SweepLog } from '../../server/sweep/sweepLog.ts';
import { sweepState } from '../../server/sweep/sweepState.ts';
import { createScriptedRun, readRows, startScriptedRun } from '../run/scriptedRun.ts';
import { scriptedPlan } from '../run/scriptedTrainer.ts';
import { cellSet, makeScriptedSweep, scriptedCells, trainerFile, trainHere, work } from './scriptedSweep.ts';

const statuses = (folder: string) => sweepState(folder, new LifeWatch()).summary.cells.map(({ status }) => status);
const nRuns = (folder: string) => listRunFolders(runsFolderOf(folder)).length;

describe('a sweep', () => {
  it('runs each cell to its end, so many at once and no more', async () => {
    const folder = makeScriptedSweep(scriptedCells(['steps', 'steps', 'steps', 'steps', 'steps']));
    const { queue, told } = work(folder);
    expect(await queue.ended).toEqual({ end: 'done', message: null });
    expect(statuses(folder)).toEqual(['finished', 'finished', 'finished', 'finished', 'finished']);
    const live = new Set<string>();
    let most = 0;
    for (const { identity, status } of told) {
      if (status === 'finished') live.delete(identity);
      else live.add(identity);
      most = Math.max(most, live.size);
    }
    expect(most).toBe(2);
    const { summary } = sweepState(folder, new LifeWatch());
    expect(summary).toMatchObject({ id: 'scripted', name: 'Scripted', status: 'resting', place: null });
    expect(summary.cells[1]).toMatchObject({ name: 'seed 1', step: 12, steps: 12, values: { seed: '1' } });
  });

  it('waits for a GPU that others of its process have, and takes it when they leave it', async () => {
    const plans = (['cuda:1', 'cpu'] as const).map((device, seed) =>
      scriptedPlan('steps', { seed, runtime: 'torch', device }),
    );
    const folder = makeScriptedSweep(
      plans.map((plan, index) => ({
        ...scriptedCells(['steps'])[0]!,
        ...{ name: String(index), plan, identity: planIdentity(plan) },
      })),
    );
    const gpus = new TakenGpus();
    const other = {};
    gpus.take('cuda:1', other);
    let begun = 0;
    const fork: typeof trainHere = (file, listener) => {
      begun++;
      return trainHere(file, listener);
    };
    const places = { chosen: 'torch', gpus: { torch: ['cuda:0', 'cuda:1'] } } as const;
    const slots = ['cuda:1', 'processor'] as const;
    const { queue, look, until } = work(folder, { atOnce: 2, slots, places, fork, gpus });
    await until(({ name, status }) => name === '1' && status === 'finished');
    look();
    expect([begun, queue.cells().map(({ status }) => status)]).toEqual([1, ['waiting', 'finished']]);
    gpus.leave('cuda:1', other);
    expect([begun, gpus.isOthers('cuda:1', other)]).toEqual([2, true]);
    expect((await queue.ended).end).toBe('done');
    expect(gpus.hasOthers(other)).toBe(false);
  });

  it('gives each GPU one cell at a time, and the processor others beside them', async () => {
    const [a, b, c, d, e] = [0, 1, 2, 3, 4].map((seed) => scriptedPlan('steps', { seed, runtime: 'auto' }));
    const plans = [a!, b!, c!, { ...d!, runtime: 'cpu' as const }, { ...e!, device: 'cuda:1' as const }];
    const cells = plans.map((plan, index) => ({ ...scriptedCells(['steps'])[0]!, name: String(index), plan }));
    const folder = makeScriptedSweep(cells.map((cell) => ({ ...cell, identity: planIdentity(cell.plan) })));
    const began: (string | undefined)[] = [];
    const waiting: (() => void)[] = [];
    const fork: typeof trainHere = (file, listener) => {
      const child = trainHere(file, listener);
      const send = (message: ToTrainer) => {
        if (message.type !== 'begin') return child.send(message);
        began.push(message.work.device);
        waiting.push(() => child.send(message));
        return true;
      };
      return { connected: true, send } as unknown as typeof child;
    };
    const places = { chosen: 'torch', gpus: { torch: ['cuda:0', 'cuda:1'] } } as const;
    const shares = sharesOf(plans, { cores: 4, freeBytes: 16e9, places });
    const { queue, until } = work(folder, { ...shares, places, fork });
    const begun = async (count: number) => {
      while (began.length < count) await delay(10);
    };
    await begun(3);
    expect(began).toEqual(['cuda:0', 'cuda:1', undefined]);
    const second = until(({ name, status }) => name === '1' && status === 'finished');
    waiting[1]!();
    await second;
    // The third, which names none, goes before the one that wants this GPU.
    await begun(4);
    expect(began).toEqual(['cuda:0', 'cuda:1', undefined, 'cuda:1']);
    for (let n = 0; n < waiting.length; n++) if (n !== 1) waiting[n]!();
    await begun(5);
    expect(began[4]).toBeUndefined();
    waiting[4]!();
    expect((await queue.ended).end).toBe('done');
  });

  it('does not run a plan twice, whoever ran it, and finds the runs of cells added later', async () => {
    const cells = scriptedCells(['steps', 'steps', 'steps']);
    const folder = makeScriptedSweep(cells.slice(0, 2));
    const own = createScriptedRun({ ...cells[1]!.plan, name: 'steps', threads: 4 }, runsFolderOf(folder));
    await startScriptedRun(own.folder).ended;
    await work(folder).queue.ended;
    expect(nRuns(folder)).toBe(2);
    expect(sweepState(folder, new LifeWatch()).summary.cells[1]!.runId).toBe(own.id);
    writeCells(folder, cellSet(cells));
    await work(folder).queue.ended;
    expect(statuses(folder)).toEqual(['finished', 'finished', 'finished']);
    expect(nRuns(folder)).toBe(3);
    expect(listRunFolders(runsFolderOf(folder)).map((run) => fs.existsSync(path.join(run, 'log-1')))).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('takes up cells that are added while it is at work', async () => {
    const cells = scriptedCells(['endless', 'steps', 'steps']);
    const folder = makeScriptedSweep(cells.slice(0, 1));
    const working = work(folder);
    await working.until(({ status }) => status === 'training');
    writeCells(folder, cellSet(cells));
    const done = working.until(({ identity, status }) => identity === cells[2]!.identity && status === 'finished');
    working.look();
    await done;
    working.queue.stop();
    expect(await working.queue.ended).toEqual({ end: 'stopped', message: null });
    expect(statuses(folder)).toEqual(['interrupted', 'finished', 'finished']);
  });

  it('makes a run anew that was deleted', async () => {
    const folder = makeScriptedSweep(scriptedCells(['steps']));
    await work(folder).queue.ended;
    fs.rmSync(listRunFolders(runsFolderOf(folder))[0]!, { recursive: true });
    expect(statuses(folder)).toEqual(['waiting']);
    await work(folder).queue.ended;
    expect(statuses(folder)).toEqual(['finished']);
  });

  it('goes on with the others where a cell fails, and tries it again only when asked', async () => {
    const folder = makeScriptedSweep(scriptedCells(['throws', 'diverges', 'steps', 'steps']));
    expect((await work(folder).queue.ended).end).toBe('done');
    const before = ['failed', 'diverged', 'finished', 'finished'];
    expect(statuses(folder)).toEqual(before);
    const { cells } = sweepState(folder, new LifeWatch()).summary;
    expect(cells[0]!.message).toBe('Out of memory. Lower training.batchSize.');
    const idle = work(folder);
    await idle.queue.ended;
    expect(idle.told).toEqual([]);
    const again = work(folder, { isFailedAgain: true });
    await again.queue.ended;
    expect(new Set(again.told.map(({ name }) => name))).toEqual(new Set(['seed 0']));
    expect(statuses(folder)).toEqual(before);
    expect(nRuns(folder)).toBe(4);
  });

  it('tries failed cells once more when that is asked of it at work, from here or elsewhere', async () => {
    const folder = makeScriptedSweep(scriptedCells(['throws', 'endless']));
    const { queue, told, look, until } = work(folder);
    const failed = () => until(({ name, status }) => name === 'seed 0' && status === 'failed');
    await failed();
    const ends = () => told.filter(({ status }) => status === 'failed').length;
    expect(ends()).toBe(1);
    const second = failed();
    queue.again();
    await second;
    const third = failed();
    writeAsk(folder, 'again');
    look();
    await third;
    look();
    expect(ends()).toBe(3);
    expect(nRuns(folder)).toBe(2);
    queue.stop();
    await queue.ended;
  });

  it('ends where three in a row fail before their first step', async () => {
    const folder = makeScriptedSweep(scriptedCells(['missing-data', 'missing-data', 'missing-data', 'missing-data']));
    const { end, message } = await work(folder, { atOnce: 1 }).queue.ended;
    expect(end).toBe('failed');
    expect(message).toBe(
      '3 cells in a row failed before their first step, so no more are begun. The last: There is no data. Download it first.',
    );
    expect(statuses(folder)).toEqual(['failed', 'failed', 'failed', 'waiting']);
  });

  it('takes a cell up again whose process was killed, but not for ever', async () => {
    const folder = makeScriptedSweep(scriptedCells(['crashes', 'steps']));
    const { queue } = work(folder, { fork: forkTrainer });
    expect((await queue.ended).end).toBe('done');
    expect(statuses(folder)).toEqual(['interrupted', 'finished']);
    const [run] = listRunFolders(runsFolderOf(folder));
    // Killed at the fifth step, resumed from the fourth, killed at the fifth: two trainings and a last word on each.
    expect(fs.readdirSync(run!).filter((name) => name.startsWith('log-'))).toHaveLength(4);
    expect(sweepState(folder, new LifeWatch()).summary.cells[0]!.message).toMatch(
      /^The trainer process was ended by SIGKILL/,
    );
  });
});

describe('a sweep at work', () => {
  it('pauses, goes on and stops when that is asked of it in its folder', async () => {
    const folder = makeScriptedSweep(scriptedCells(['endless', 'endless', 'steps']));
    const working = work(folder);
    await working.until(({ status }) => status === 'training');
    writeAsk(folder, 'pause');
    const paused = working.until(({ status }) => status === 'paused');
    working.look();
    await paused;
    expect(working.queue.isPaused).toBe(true);
    expect(sweepState(folder, new LifeWatch()).summary).toMatchObject({
      status: 'paused',
      place: expect.stringContaining(String(process.pid)) as string,
    });
    writeAsk(folder, 'go-on');
    const training = working.until(({ status }) => status === 'training');
    working.look();
    await training;
    writeAsk(folder, 'stop');
    working.look();
    expect(await working.queue.ended).toEqual({ end: 'stopped', message: null });
    expect(statuses(folder)).toEqual(['interrupted', 'interrupted', 'waiting']);
  });

  it('hears nothing that was asked before it began', async () => {
    const folder = makeScriptedSweep(scriptedCells(['steps']));
    writeAsk(folder, 'stop');
    const { queue, look } = work(folder);
    look();
    expect((await queue.ended).end).toBe('done');
  });

  it('waits for a run of another process, and takes it up where that leaves it', async () => {
    const cells = scriptedCells(['endless', 'steps']);
    const folder = makeScriptedSweep(cells);
    const run = createScriptedRun(cells[0]!.plan, runsFolderOf(folder));
    const other = startScriptedRun(run.folder);
    const working = work(folder);
    await working.until(({ name, status }) => name === 'seed 1' && status === 'finished');
    expect(statuses(folder)).toEqual([expect.stringMatching(/training|preparing/), 'finished']);
    other.control.interrupt('moved');
    await other.ended;
    const training = working.until(({ name, status }) => name === 'seed 0' && status === 'training');
    working.look();
    await training;
    working.queue.interrupt('The test is over.');
    expect(await working.queue.ended).toEqual({ end: 'interrupted', message: 'The test is over.' });
    expect(readRows(run.folder).length).toBeGreaterThan(0);
  });

  it('ends where another process takes the sweep', async () => {
    const folder = makeScriptedSweep(scriptedCells(['endless']));
    const working = work(folder);
    await working.until(({ status }) => status === 'training');
    new SweepLog(folder, 1, { nowMs: 1, beat: () => () => {} }).close();
    working.look();
    const { end, message } = await working.queue.ended;
    expect(end).toBe('interrupted');
    expect(message).toContain('Another process');
    expect(() => new SweepLog(folder, 1, { nowMs: 1 })).toThrow(SupersededError);
  });

  it('says so where its folder has no cells', () => {
    const folder = makeScriptedSweep(scriptedCells(['steps']));
    fs.rmSync(path.join(folder, 'cells-0.json'));
    expect(
      () => new SweepQueue(folder, { trainerFile, atOnce: 1, threads: 1, log: () => {}, onCell: () => {} }),
    ).toThrow('has no cells');
  });
});

it('a run is asked for with as many threads as the sweep has for each', async () => {
  const run = createScriptedRun(scriptedCells(['steps'])[0]!.plan);
  const threads: (number | null)[] = [];
  await startScriptedRun(
    run.folder,
    { type: 'train', incarnation: 0, threads: 3 },
    {
      openTrainer: (plan) => {
        threads.push(plan.threads);
        return Promise.reject(new Error('enough'));
      },
    },
  ).ended;
  expect(threads).toEqual([3]);
});
