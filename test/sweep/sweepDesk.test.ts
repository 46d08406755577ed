// The sweeps of a server: started, found again, asked of, reported, ended with it.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderBytes } from '../../server/run/folderBytes.ts';
import { readHead } from '../../server/run/logFile.ts';
import { listRunFolders } from '../../server/run/runFolder.ts';
import { glance } from '../../server/run/runGlance.ts';
import { SweepDesk } from '../../server/sweep/sweepDesk.ts';
import { stepBytesOf } from '../../server/trainer/planMemory.ts';
import { newestCells, readCells } from '../../server/sweep/sweepFolder.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';
import { cellSet, scriptedCells, trainerFile, trainHere } from './scriptedSweep.ts';

const file = '/project/a.kaf.yaml';

function deskOf(runsFolder: string, change: Partial<ConstructorParameters<typeof SweepDesk>[0]> = {}) {
  let wake = Promise.withResolvers<void>();
  const desk = new SweepDesk({
    ...{ runsFolder, trainerFile, fork: trainHere, log: () => {}, now: () => 1, every: () => () => {} },
    onRuns: () => {
      wake.resolve();
      wake = Promise.withResolvers();
    },
    ...change,
  });
  const until = async (isSo: () => boolean | Promise<boolean>) => {
    for (let { promise } = wake; !(await isSo()); { promise } = wake) await promise;
  };
  return { desk, until };
}

describe('a server’s sweeps', () => {
  it('run to their end, and are gone on with by the same file', async () => {
    const runsFolder = temporaryFolder();
    const { desk, until } = deskOf(runsFolder);
    const cells = scriptedCells(['steps', 'steps']);
    const started = await desk.start(cellSet(cells.slice(0, 1)), { name: 'A', file });
    expect(started).toMatchObject({ id: 'a', name: 'A', experimentFile: file, status: 'working' });
    expect(desk.isBusy).toBe(true);
    await until(() => !desk.isBusy);
    await desk.start(cellSet(cells), { name: 'A', file });
    await until(() => !desk.isBusy);
    const [sweep, ...others] = await desk.list();
    expect(others).toEqual([]);
    expect(sweep!.cells.map(({ status }) => status)).toEqual(['finished', 'finished']);
    expect(listRunFolders(runsFolder)).toHaveLength(2);
    await desk.start(cellSet(cells), { name: 'A', file });
    expect(newestCells(sweep!.folder)).toBe(1);
    expect(readCells(sweep!.folder).cells).toHaveLength(2);
    await until(() => !desk.isBusy);
  });

  it('ask once which devices there are, where a cell may work on one, and do without where nobody can tell', async () => {
    let asked = 0;
    const lines: string[] = [];
    const listDevices = () => {
      if (++asked === 1) return Promise.reject(new Error('no trial'));
      return Promise.resolve({ chosen: 'wasm' as const, devices: [] });
    };
    const { desk, until } = deskOf(temporaryFolder(), { listDevices, log: (line) => lines.push(line) });
    const run = async (runtime: 'cpu' | 'auto', seed: number) => {
      await desk.start(cellSet(scriptedCells(['steps'], { runtime, seed })), { name: 'A', file });
      await until(() => !desk.isBusy);
    };
    await run('cpu', 1);
    expect(asked).toBe(0);
    await run('auto', 2);
    expect(lines).toEqual(['the devices can’t be listed, so one cell at a time is trained on one: no trial']);
    await run('auto', 3);
    await run('auto', 4);
    expect(asked).toBe(2);
    expect((await desk.list())[0]!.cells.map(({ status }) => status)).toEqual(['finished']);
  });

  it('pause, go on and stop as asked, and go on once more when they rest', async () => {
    const { desk, until } = deskOf(temporaryFolder());
    await desk.start(cellSet(scriptedCells(['endless'])), { name: 'A', file });
    const status = async () => (await desk.list())[0]!.cells[0]!.status;
    await until(async () => (await status()) === 'training');
    expect((await desk.ask('a', 'pause')).status).toBe('paused');
    await until(async () => (await status()) === 'paused');
    expect((await desk.ask('a', 'go-on')).status).toBe('working');
    await desk.ask('a', 'stop');
    await until(() => !desk.isBusy);
    expect(await status()).toBe('interrupted');
    await expect(desk.ask('a', 'stop')).rejects.toThrow('not at work');
    await expect(desk.ask('../a', 'stop')).rejects.toThrow('There is no sweep');
    expect((await desk.ask('a', 'go-on')).status).toBe('working');
    await until(async () => (await status()) === 'training');
    await desk.close('The test ends');
    expect((await desk.list())[0]).toMatchObject({ status: 'resting', cells: [{ status: 'interrupted' }] });
  });

  it('try failed cells once more when they rest, and say what their runs have on the disk', async () => {
    const runsFolder = temporaryFolder();
    const { desk, until } = deskOf(runsFolder);
    await desk.start(cellSet(scriptedCells(['throws', 'steps'])), { name: 'A', file });
    await until(() => !desk.isBusy);
    const logs = () =>
      listRunFolders(runsFolder).map((run) => fs.readdirSync(run).filter((name) => name.startsWith('log-')).length);
    expect(logs().sort()).toEqual([1, 1]);
    await desk.ask('a', 'go-on');
    await until(() => !desk.isBusy);
    expect(logs().sort()).toEqual([1, 1]);
    await desk.ask('a', 'again');
    await until(() => !desk.isBusy);
    expect(logs().sort()).toEqual([1, 2]);
    const before = await desk.size('a');
    expect(before).toBeGreaterThan(0);
    fs.writeFileSync(path.join(listRunFolders(runsFolder)[0]!, 'checkpoints', 'more'), Buffer.alloc(1000));
    expect(await desk.size('a')).toBe(before + 1000);
    await expect(desk.size('b')).rejects.toThrow('There is no sweep b.');
  });

  it('are estimated by runs of like plans that went through without a break, less what is done', async () => {
    const runsFolder = temporaryFolder();
    const { desk, until } = deskOf(runsFolder);
    const cells = scriptedCells(['steps', 'steps', 'steps']);
    const estimate = () =>
      desk.estimate(
        cells,
        listRunFolders(runsFolder).map((run) => glance(run).summary),
        { file },
      );
    expect(await estimate()).toMatchObject({ nCells: 3, nLeft: 3, ms: null, bytes: null });
    await desk.start(cellSet(cells.slice(0, 1)), { name: 'A', file });
    await until(() => !desk.isBusy);
    const { nLeft, ms, bytes, atOnce } = await estimate();
    expect(nLeft).toBe(2);
    const run = listRunFolders(runsFolder)[0]!;
    expect(bytes).toBe(2 * (await folderBytes(run)));
    const took = glance(run).summary.updatedMs - readHead(run, 0)!.startedMs;
    expect(took).toBeGreaterThan(0);
    expect(ms).toBe((2 * took) / Math.min(2, atOnce));
    expect(await desk.estimate(cells.slice(0, 1), [], { file })).toMatchObject({
      nCells: 1,
      nLeft: 0,
      ms: 0,
      bytes: 0,
    });
    const other = cells.map((cell) => ({ ...cell, description: 'another network' }));
    const runs = listRunFolders(runsFolder).map((folder) => glance(folder).summary);
    expect(await desk.estimate(other, runs, { file: null })).toMatchObject({ nLeft: 3, ms: null });
    const resumed = runs.map((summary) => ({ ...summary, incarnation: 1 }));
    expect(await desk.estimate(cells, resumed, { file: null })).toMatchObject({ nLeft: 3, ms: null });
    expect(await desk.estimate(cells, runs, 'one at a time')).toMatchObject({
      ...{ nLeft: 3, atOnce: 1, ms: 3 * took, stepBytes: stepBytesOf(cells[0]!.plan, os.availableParallelism()) },
    });
  });

  it('of a file without a path are new each time', async () => {
    const { desk, until } = deskOf(temporaryFolder());
    const [first, second] = scriptedCells(['steps', 'steps']);
    await desk.start(cellSet([first!]), { name: 'A', file: null });
    await desk.start(cellSet([second!]), { name: 'A', file: null });
    await until(() => !desk.isBusy);
    expect((await desk.list()).map(({ id }) => id)).toEqual(['a', 'a-2']);
  });
});
