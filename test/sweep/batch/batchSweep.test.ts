// A sweep at a scheduler, with commands that stand in for Slurm's: which cells are given, how they are told, what is taken back.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { atOnce } from '../../../server/experiment/turns.ts';
import { listRunFolders } from '../../../server/run/runFolder.ts';
import { BatchSweep } from '../../../server/sweep/batch/batchSweep.ts';
import { Controller } from '../../../server/sweep/batch/controller.ts';
import { readJobs, writeJob } from '../../../server/sweep/batch/jobsFile.ts';
import { slurmSettingsSchema } from '../../../server/sweep/batch/slurmSettings.ts';
import { storedCells } from '../../../server/sweep/storedCells.ts';
import { asksAfter, runsFolderOf, writeCells } from '../../../server/sweep/sweepFolder.ts';
import { newestLog } from '../../../server/run/logFile.ts';
import { scriptedEvaluation } from '../../run/scriptedTrainer.ts';
import { cellSet, makeScriptedSweep, scriptedCells, work } from '../scriptedSweep.ts';
import { standIn } from './standIn.ts';

const settings = slurmSettingsSchema.parse({});
const submitOptions = { settings, isFailedAgain: false, program: ['/node', '/cli.cjs'], nowMs: 1 };

function batch(folder: string) {
  const host = standIn();
  let nowMs = 0;
  const controller = new Controller(host.slurm, { env: host.env, now: () => nowMs, boot: 'boot' });
  const sweep = new BatchSweep(folder, { controller });
  host.says('sbatch', '12\n');
  return {
    ...{ host, sweep },
    /** What squeue says of the newest job from now on, a line an element, and that its last answer is old. */
    squeue: (...lines: readonly string[]) => {
      nowMs += 20_000;
      const name = readJobs(folder).at(-1)?.name ?? 'none';
      host.says('squeue', lines.map((line) => `${line}|${name}\n`).join(''));
    },
  };
}

const statuses = async (sweep: BatchSweep) => (await sweep.look()).cells.map(({ status }) => status);
const arrayOf = (calls: readonly (readonly string[])[]) =>
  calls.map((call) => call.find((one) => one.startsWith('--array=')));

describe('a sweep is given to a scheduler', () => {
  it('as one array of the cells that are to be done, each with its run', async () => {
    const cells = scriptedCells(['steps', 'steps', 'steps']);
    const folder = makeScriptedSweep(cells.slice(0, 1));
    await work(folder).queue.ended;
    writeCells(folder, cellSet(cells));
    const { host, sweep } = batch(folder);
    expect(sweep.isUsed).toBe(false);
    expect(await sweep.submit(submitOptions)).toEqual({ ids: ['12'], nCells: 2, excludedNodes: [] });
    expect(sweep.isUsed).toBe(true);
    expect(arrayOf(host.asked('sbatch'))).toEqual(['--array=1-2']);
    const [{ name, id, cells: ofSet } = { name: '' }] = readJobs(folder);
    expect([id, ofSet]).toEqual(['12', 1]);
    expect(host.asked('sbatch')[0]).toContain(`--job-name=${name}`);
    expect(host.asked('sbatch')[0]!.slice(-10)).toEqual([
      ...[path.join(folder, 'jobs-0.sh'), '/node', '/cli.cjs', 'work', '.', '--of', '1', '--job', 'slurm', '--cell'],
    ]);
    const { cells: told } = await sweep.look();
    expect(told.every(({ runId }) => runId !== null)).toBe(true);
    expect(listRunFolders(runsFolderOf(folder))).toHaveLength(3);
  });

  it('but not what it has, and failed cells only when that is asked, as a new array', async () => {
    const folder = makeScriptedSweep(scriptedCells(['throws', 'throws', 'steps', 'steps']));
    await work(folder).queue.ended;
    writeCells(folder, cellSet(scriptedCells(['throws', 'throws', 'steps', 'steps', 'steps'])));
    const { host, sweep, squeue } = batch(folder);
    await sweep.submit(submitOptions);
    squeue('12_4|PENDING|Priority||0:00');
    expect(await sweep.submit(submitOptions)).toMatchObject({ ids: [], nCells: 0 });
    expect(await sweep.submit({ ...submitOptions, isFailedAgain: true })).toMatchObject({ nCells: 2 });
    expect(arrayOf(host.asked('sbatch'))).toEqual(['--array=4', '--array=0-1']);
    squeue('12_0|PENDING|Priority||0:00', '12_1|RUNNING|None|n1|0:10');
    expect(await statuses(sweep)).toEqual(['queued', 'preparing', 'finished', 'finished', 'waiting']);
  });

  it('and, where an evaluation is cut, as arrays that wait for each other: one training, the other parts, the whole', async () => {
    const cells = atOnce(storedCells(scriptedCells(['steps'], { evaluation: [scriptedEvaluation], parts: 3 })));
    const folder = makeScriptedSweep(cells);
    const { host, sweep } = batch(folder);
    expect(await sweep.submit(submitOptions)).toMatchObject({ ids: ['12', '12', '12'], nCells: 4 });
    expect(arrayOf(host.asked('sbatch'))).toEqual(['--array=0', '--array=1-2', '--array=3']);
    const behind = host.asked('sbatch').map((call) => call.find((one) => one.startsWith('--dependency=')));
    expect(behind).toEqual([undefined, '--dependency=afterany:12', '--dependency=afterany:12:12']);
    // Those that begin from what others leave get their runs when that is there.
    expect(listRunFolders(runsFolderOf(folder))).toHaveLength(1);
  });

  it('and found again by its name where who gave it was cut off', async () => {
    const cells = scriptedCells(['steps']);
    const folder = makeScriptedSweep(cells);
    const elements = [{ index: 0, identity: cells[0]!.identity }];
    writeJob(folder, { scheduler: 'slurm', cells: 0, elements, excludedNodes: [] });
    const { host, sweep, squeue } = batch(folder);
    squeue('31_0|PENDING|Priority||0:00');
    expect(await sweep.submit(submitOptions)).toMatchObject({ ids: [] });
    await sweep.stop();
    expect(host.asked('scancel')).toEqual([['--user=ada', `--name=${readJobs(folder)[0]!.name}`, '31_0']]);
  });

  it('not where processes work on it, and not twice where it refuses', async () => {
    const folder = makeScriptedSweep(scriptedCells(['endless']));
    const working = work(folder);
    await working.until(({ status }) => status === 'training');
    const { host, sweep } = batch(folder);
    await expect(sweep.submit(submitOptions)).rejects.toThrow('scripted is at work');
    working.queue.stop();
    await working.queue.ended;
    host.fails('sbatch', 'sbatch: error: no\n');
    await expect(sweep.submit(submitOptions)).rejects.toThrow('sbatch: no');
    expect(readJobs(folder).map(({ id }) => id)).toEqual([null]);
    expect(await statuses(sweep)).toEqual(['interrupted']);
  });
});

describe('a sweep at a scheduler', () => {
  it('is told with reasons, and the last lines of what failed before its run began', async () => {
    const folder = makeScriptedSweep(scriptedCells(['steps', 'steps', 'steps', 'steps', 'steps']));
    const { sweep, squeue } = batch(folder);
    await sweep.submit(submitOptions);
    squeue(
      '12_0|PENDING|JobArrayTaskLimit||0:00',
      '12_1|RUNNING|None|n2|0:10',
      '12_2|FAILED|NonZeroExitCode|n1|0:00',
      '12_3|CANCELLED|None||0:00',
      '12_4|COMPLETED|None|n1|0:20',
    );
    fs.writeFileSync(path.join(folder, 'slurm-12_2.log'), 'one\ntwo\n\nthree\nmodule: not found\n');
    const { status, place, scheduler, cells } = await sweep.look();
    expect({ status, place, scheduler }).toEqual({ status: 'working', place: 'Slurm job 12', scheduler: 'slurm' });
    expect(cells.map(({ status: of, job }) => [of, job])).toEqual([
      ['queued', { place: 'Slurm 12_0', waits: 'as many as may run at once do (JobArrayTaskLimit)' }],
      ['preparing', { place: 'Slurm 12_1 on n2', waits: null }],
      ['failed', { place: 'Slurm 12_2', waits: null }],
      ['waiting', undefined],
      ['waiting', undefined],
    ]);
    expect(cells[2]!.message).toBe(
      'Slurm 12_2: it ended with an error on n1. Its last lines: two\nthree\nmodule: not found',
    );
    expect(sweep.known()).toEqual(await sweep.look());
    squeue('12_2|FAILED|NonZeroExitCode|n1|0:00');
    expect(await sweep.look()).toMatchObject({ status: 'resting', place: null });
  });

  it('is not taken for a job of the same number and another name', async () => {
    const folder = makeScriptedSweep(scriptedCells(['steps']));
    const { host, sweep, squeue } = batch(folder);
    await sweep.submit(submitOptions);
    squeue();
    host.says('squeue', '12_0|RUNNING|None|n1|0:10|another\n');
    expect(await sweep.stop()).toBe(0);
    expect(host.asked('scancel')).toEqual([]);
    // Nor one of its name with another number, as another cluster may have.
    squeue('77_0|RUNNING|None|n1|0:10');
    expect(await sweep.stop()).toBe(0);
    expect(await statuses(sweep)).toEqual(['waiting']);
  });

  it('is taken back as a whole, and those at work are told not to put themselves back', async () => {
    const folder = makeScriptedSweep(scriptedCells(['steps', 'steps', 'steps', 'steps']));
    const { host, sweep, squeue } = batch(folder);
    await sweep.submit(submitOptions);
    squeue(
      '12_0|COMPLETED|None|n1|0:10',
      '12_1|COMPLETING|None|n1|0:10',
      '12_2|RUNNING|None|n1|0:10',
      '12_3|PENDING|Priority||0:00',
    );
    expect(await sweep.stop()).toBe(3);
    expect(host.asked('scancel')[0]!.slice(2)).toEqual(['12_1', '12_2', '12_3']);
    expect(asksAfter(folder, -1).map(({ ask }) => ask)).toEqual(['stop']);
  });

  it('keeps off a node on which three cells failed at once', async () => {
    const folder = makeScriptedSweep(scriptedCells(['steps', 'steps', 'steps', 'steps', 'steps']));
    const { host, sweep, squeue } = batch(folder);
    await sweep.submit(submitOptions);
    const failed = ['12_0|FAILED|None|n1|0:01', '12_1|FAILED|None|n1|0:00', '12_2|FAILED|None|n2|0:00'];
    squeue(...failed, '12_3|FAILED|None|n1|5:00', '12_4|PENDING|Priority||0:00');
    expect(await sweep.excludeBadNodes()).toEqual([]);
    squeue(...failed, '12_3|FAILED|None|n1|0:02', '12_4|PENDING|Priority||0:00');
    expect(await sweep.excludeBadNodes()).toEqual(['n1']);
    expect(await sweep.excludeBadNodes()).toEqual(['n1']);
    expect(host.asked('scontrol')).toEqual([['update', 'JobId=12', 'ExcNodeList=n1']]);
    await sweep.submit({ ...submitOptions, isFailedAgain: true });
    expect(host.asked('sbatch').at(-1)).toContain('--exclude=n1');
    expect(readJobs(folder).at(-1)!.excludedNodes).toEqual(['n1']);
  });

  it('asks nothing where nothing of it was given', async () => {
    const folder = makeScriptedSweep(scriptedCells(['steps']));
    const { host, sweep } = batch(folder);
    expect(await statuses(sweep)).toEqual(['waiting']);
    expect(host.asked('squeue')).toEqual([]);
    expect(newestLog(folder)).toBe(-1);
  });
});
