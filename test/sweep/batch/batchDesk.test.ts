// What a server does with sweeps at a cluster's scheduler, with commands that stand in for Slurm's.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { BatchDesk } from '../../../server/sweep/batch/batchDesk.ts';
import { commandLine } from '../../../server/sweep/batch/commandLine.ts';
import { readJobs } from '../../../server/sweep/batch/jobsFile.ts';
import { sweepState } from '../../../server/sweep/sweepState.ts';
import { LifeWatch } from '../../../server/run/lifeWatch.ts';
import { runsFolderOf } from '../../../server/sweep/sweepFolder.ts';
import { temporaryFolder } from '../../run/scriptedRun.ts';
import { makeScriptedSweep, scriptedCells } from '../scriptedSweep.ts';
import { standIn } from './standIn.ts';

function deskOf(settings: string | null, given: Readonly<Record<string, unknown>> = {}) {
  const folder = makeScriptedSweep(scriptedCells(['steps', 'steps']));
  const config = temporaryFolder();
  fs.mkdirSync(path.join(config, 'kafscope'));
  if (settings !== null) fs.writeFileSync(path.join(config, 'kafscope/slurm.yaml'), settings);
  const host = standIn({ XDG_CONFIG_HOME: config });
  const lines: string[] = [];
  const desk = new BatchDesk({
    ...{ runsFolder: runsFolderOf(folder), assetsFolder: '/assets', env: host.env, given, now: () => 1 },
    log: (line) => lines.push(line),
  });
  host.says('sbatch', '12\n');
  const summary = () => sweepState(folder, new LifeWatch()).summary;
  const squeue = (...elements: readonly string[]) => {
    const name = readJobs(folder).at(-1)?.name ?? '';
    host.says('squeue', elements.map((one) => `${one}|${name}\n`).join(''));
  };
  return { folder, host, desk, lines, summary, squeue };
}

describe('a server on a host of a cluster', () => {
  it('offers the scheduler where the user has told of it, and computes there only where that is said', () => {
    const on = (settings: string | null, given = {}) =>
      deskOf(settings, given)
        .desk.places()
        .map(({ on: name, fault }) => [name, fault === null]);
    expect(on(null)).toEqual([['here', true]]);
    expect(on('partition: main\n')).toEqual([
      ['here', false],
      ['slurm', true],
    ]);
    expect(on(null, { partition: 'main' })).toEqual([
      ['here', false],
      ['slurm', true],
    ]);
    expect(on('computesHere: true\n')).toEqual([
      ['here', true],
      ['slurm', true],
    ]);
  });

  it('gives it a sweep, tells how that stands, and takes it back', async () => {
    const { folder, host, desk, summary, squeue } = deskOf('partition: main\n', { account: 'ada' });
    expect(await desk.ask('scripted', 'stop')).toBeNull();
    expect(desk.over(summary())).toEqual(summary());
    await desk.requireRest(folder);
    await desk.submit(folder, 'slurm');
    expect(host.asked('sbatch')[0]).toEqual(
      expect.arrayContaining(['--partition=main', '--account=ada', ...commandLine('/assets')]),
    );
    squeue('12_0|RUNNING|None|n1|0:05', '12_1|PENDING|Priority||0:00');
    const fresh = new BatchDesk({
      ...{
        runsFolder: runsFolderOf(folder),
        assetsFolder: '/assets',
        env: { ...host.env, XDG_CACHE_HOME: temporaryFolder() },
      },
      ...{ now: () => 1, log: () => {} },
    });
    // What it says is not waited for: it comes with a later list.
    expect(fresh.over(summary())).toMatchObject({ status: 'resting', scheduler: 'slurm' });
    await expect(fresh.requireRest(folder)).rejects.toThrow('scripted is at work (Slurm job 12). Stop it first.');
    expect(fresh.over(summary())).toMatchObject({
      status: 'working',
      place: 'Slurm job 12',
      cells: [{}, { status: 'queued' }],
    });
    await expect(fresh.ask('scripted', 'pause')).rejects.toThrow('which pauses nothing');
    await fresh.ask('scripted', 'stop');
    expect(host.asked('scancel').map((call) => call.slice(2))).toEqual([['12_0', '12_1']]);
    squeue('12_0|CANCELLED|None|n1|0:05', '12_1|CANCELLED|None||0:00');
    await fresh.requireRest(folder);
    await fresh.ask('scripted', 'go-on');
    expect(readJobs(folder)).toHaveLength(2);
  });

  it('tells what the user must mend', async () => {
    const { folder, host, desk, lines, summary } = deskOf('cpus: none\n');
    await expect(desk.submit(folder, 'slurm')).rejects.toThrow(
      'slurm.yaml:1:7: cpus: expected an integer from 1 to 1024',
    );
    await expect(desk.submit(folder, 'pbs')).rejects.toThrow('There is no scheduler pbs.');
    expect([lines, host.asked('sbatch'), summary().status]).toEqual([[], [], 'resting']);
  });
});
