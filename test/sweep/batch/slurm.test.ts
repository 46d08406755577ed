// Slurm's commands as they are called, and what they write as it is read, with commands that stand in for them.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { rangesText } from '../../../server/sweep/batch/slurm.ts';
import { slurmSettingsSchema } from '../../../server/sweep/batch/slurmSettings.ts';
import { readSacct, readSqueue } from '../../../server/sweep/batch/slurmText.ts';
import { temporaryFolder } from '../../run/scriptedRun.ts';
import { standIn } from './standIn.ts';

const job = { name: 'kafscope-a-0f', id: '12' };

describe('a sweep is submitted', () => {
  const submission = (folder: string, change: object = {}) => ({
    ...{ name: job.name, folder, scriptFile: path.join(folder, 'jobs-0.sh'), excludedNodes: [], after: [] },
    ...{ command: ['/node', 'a b', '$(touch x)', 'q"\'\n;'], indices: [0, 1, 2, 5], ...change },
  });

  it('as one array, every value an argument of its own, the user’s options before ours', async () => {
    const { slurm, says, asked } = standIn();
    says('sbatch', '12\n');
    const folder = path.join(temporaryFolder(), 'a "b"\n100%A');
    fs.mkdirSync(folder);
    const settings = slurmSettingsSchema.parse({
      ...{
        partition: 'main',
        account: 'a b',
        qos: 'q',
        time: '1-0',
        memory: '16G',
        gpus: 'a100:1',
        cpus: 2,
        atOnce: 3,
      },
      ...{ options: ['--constraint=avx2', '-x n9'], signalSeconds: 90 },
    });
    expect(await slurm.submit(submission(folder, { excludedNodes: ['n1', 'n2'], after: ['7', '9'] }), settings)).toBe(
      '12',
    );
    expect(asked('sbatch')).toEqual([
      [
        ...['--constraint=avx2', '-x n9', '--partition=main', '--account=a b', '--qos=q', '--time=1-0', '--mem=16G'],
        ...[
          '--gres=gpu:a100:1',
          '--exclude=n1,n2',
          '--dependency=afterany:7:9',
          '--nodes=1',
          '--ntasks=1',
          '--cpus-per-task=2',
          '--array=0-2,5%3',
        ],
        ...['--job-name=kafscope-a-0f', `--chdir=${folder}`],
        ...[
          `--output=${folder.replace('%', '%%')}/slurm-%A_%a.log`,
          '--open-mode=append',
          '--input=/dev/null',
          '--requeue',
        ],
        ...['--signal=B:USR2@90', '--parsable', '--export=KAFSCOPE_NOTHING', path.join(folder, 'jobs-0.sh')],
        ...['/node', 'a b', '$(touch x)', 'q"\'\n;'],
      ],
    ]);
  });

  it('by a script in which nothing of the user’s stands but their setup', async () => {
    const { slurm, says } = standIn();
    says('sbatch', '12;cluster\n');
    const folder = temporaryFolder();
    const settings = slurmSettingsSchema.parse({ setup: ['module load "node/24"', 'set -- other arguments'] });
    expect(await slurm.submit(submission(folder), settings)).toBe('12');
    const script = fs.readFileSync(path.join(folder, 'jobs-0.sh'), 'utf8');
    expect(script).toBe(
      '#!/bin/bash -l\nkafscope_work=("$@")\nset --\nmodule load "node/24"\nset -- other arguments\nexec "${kafscope_work[@]}" "$SLURM_ARRAY_TASK_ID"\n',
    );
  });

  it('or is refused, in Slurm’s words', async () => {
    const { slurm, fails, says } = standIn();
    const settings = slurmSettingsSchema.parse({});
    const refused = slurm.submit(submission(temporaryFolder()), settings);
    says('sbatch', '');
    await expect(refused).rejects.toThrow('sbatch did not tell the number of the job');
    fails(
      'sbatch',
      'sbatch: error: invalid partition specified: x\nsbatch: error: Batch job submission failed: Invalid partition name specified\n',
    );
    await expect(slurm.submit(submission(temporaryFolder()), settings)).rejects.toThrow(
      /^sbatch: invalid partition specified: x Batch job submission failed: Invalid partition name specified$/,
    );
    await expect(slurm.submit(submission('/a\\b'), settings)).rejects.toThrow('a backslash is in its name');
  });

  it('with the numbers of its elements as ranges', () => {
    expect([[], [7], [0, 1], [0, 2, 3, 4, 9]].map(rangesText)).toEqual(['', '7', '0-1', '0,2-4,9']);
  });
});

describe('what squeue and sacct write', () => {
  it('is read by element, with reasons in words', () => {
    const text = [
      '12_0|RUNNING|None|n1|1-02:03:04|kafscope-a-0f',
      '12_1|PENDING|JobArrayTaskLimit||0:00|kafscope-a-0f',
      '12_2|PENDING|ReqNodeNotAvail, UnavailableNodes:n1||0:00|a|b',
      '12_3|PENDING|None||0:00|x',
      '12_4|PENDING|SomethingNew||0:00|x',
      '12_5|FAILED|NonZeroExitCode|n2|0:01|x',
      '12_6|OUT_OF_MEMORY|OutOfMemory|n2|3:01|x',
      '12_7|FAILED|JobLaunchFailure|n2|0:00|x',
      '12_8|CANCELLED|None||0:00|x',
      '12_9|COMPLETING|None|n3|0:09|x',
      '12_10|TIMEOUT|TimeLimit|n3|0:09|x',
      '13|RUNNING|None|n1|0:09|not an array',
      '12_11|UNHEARD_OF|None|n1|0:09|x',
      '',
    ].join('\n');
    const read = readSqueue(text);
    expect(read[0]).toEqual({
      ...{
        jobId: '12',
        jobName: 'kafscope-a-0f',
        index: 0,
        state: 'working',
        reason: null,
        node: 'n1',
        seconds: 93_784,
      },
    });
    expect(read[2]).toMatchObject({ jobName: 'a|b', node: null });
    expect(read.map(({ index, state, reason }) => [index, state, reason])).toEqual([
      [0, 'working', null],
      [1, 'waiting', 'as many as may run at once do (JobArrayTaskLimit)'],
      [2, 'waiting', 'nodes that it needs are down, taken or reserved (ReqNodeNotAvail, UnavailableNodes:n1)'],
      [3, 'waiting', 'Slurm has not looked at it yet'],
      [4, 'waiting', 'SomethingNew'],
      [5, 'failed', 'it ended with an error'],
      [6, 'failed', 'it used more memory than it had asked for; set memory higher'],
      [7, 'failed', 'its node could not start it'],
      [8, 'cancelled', null],
      [9, 'ending', null],
      [10, 'out of time', null],
    ]);
    expect(
      readSacct('12_3|CANCELLED by 1000|None assigned|0|x\n12_4|NODE_FAIL|n1|75|x\n12_[5-9]|PENDING||0|x\n'),
    ).toEqual([
      { ...{ jobId: '12', jobName: 'x', index: 3, state: 'cancelled', reason: null, node: null, seconds: 0 } },
      { ...{ jobId: '12', jobName: 'x', index: 4, state: 'out of time', reason: null, node: 'n1', seconds: 75 } },
    ]);
  });

  it('is asked for whole, whatever the user has set as defaults', async () => {
    const { slurm, says, asked } = standIn({ SQUEUE_FORMAT: '%j' });
    says('squeue', '12_0|RUNNING|None|n1|0:04|x\n');
    expect(await slurm.look()).toHaveLength(1);
    expect(asked('squeue')).toEqual([['-h', '-r', '-t', 'all', '--user=ada', '-o', '%i|%T|%r|%N|%M|%j']]);
  });

  it('fails in a sentence, but for records that a cluster does not keep', async () => {
    const { slurm, fails, asked } = standIn();
    fails('squeue', 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n');
    await expect(slurm.look()).rejects.toThrow('squeue: slurm_load_jobs error: Unable to contact slurm controller');
    fails('sacct', 'Slurm accounting storage is disabled\n');
    expect(await slurm.lookBack(['12', '13'])).toEqual([]);
    expect(asked('sacct')[0]).toContain('--jobs=12,13');
    const none = standIn({ PATH: temporaryFolder() }).slurm;
    expect(none.isHere()).toBe(false);
    await expect(none.look()).rejects.toThrow('There is no squeue on this host.');
  });
});

describe('elements', () => {
  it('are taken back by job, element, name and user', async () => {
    const { slurm, asked } = standIn();
    await slurm.cancel(job, []);
    await slurm.cancel(job, [0, 7]);
    expect(asked('scancel')).toEqual([['--user=ada', '--name=kafscope-a-0f', '12_0', '12_7']]);
  });

  it('put themselves back, and no other', async () => {
    const env = { SLURM_JOB_ID: '15', SLURM_ARRAY_JOB_ID: '12', SLURM_ARRAY_TASK_ID: '3', SLURM_CPUS_PER_TASK: '2' };
    const { slurm, asked } = standIn(env);
    await slurm.putBack();
    await slurm.exclude(job, ['n1', 'n2']);
    expect(asked('scontrol')).toEqual([
      ['requeue', '12_3'],
      ['update', 'JobId=12', 'ExcNodeList=n1,n2'],
    ]);
    expect([slurm.isInJob(), slurm.processors()]).toEqual([true, 2]);
    const outside = standIn().slurm;
    expect([outside.isInJob(), outside.isHere(), outside.processors()]).toEqual([false, true, null]);
    await expect(outside.putBack()).rejects.toThrow('no element of an array');
  });
});
