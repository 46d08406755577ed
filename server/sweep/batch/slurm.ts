// Slurm as a scheduler: by its own commands, each given its arguments one by one and without a shell. What was observed of them stands in
// docs/sweeps.md and in the tests, which run a real one.
import { execFile, type ExecFileException } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SchedulerError, type Scheduler, type Submission } from './scheduler.ts';
import { slurmSettingsSchema, type SlurmSettings } from './slurmSettings.ts';
import { readSacct, readSqueue, sacctFields, squeueFormat } from './slurmText.ts';

export interface SlurmHost {
  readonly env: NodeJS.ProcessEnv;
  readonly user?: string;
}

/** A controller that does not answer is given up after so long; Slurm's commands try for about as long themselves. */
const patienceMs = 60_000;

const maxOutputBytes = 64 * 1024 * 1024;

export function makeSlurm({ env, user = os.userInfo().username }: SlurmHost): Scheduler<SlurmSettings> {
  const ask = (command: string, args: readonly string[]) => run(command, args, env);
  return {
    name: 'slurm',
    title: 'Slurm',
    settings: slurmSettingsSchema,
    isHere: () => isOnPath('sbatch', env),
    isInJob: () => env['SLURM_JOB_ID'] !== undefined,

    async submit(submission, settings) {
      const { folder, scriptFile, command } = submission;
      if (folder.includes('\\'))
        throw new SchedulerError(
          `Slurm can write no output into ${folder}, for a backslash is in its name. Use --out FOLDER.`,
        );
      writeScript(scriptFile, settings.setup);
      const said = await ask('sbatch', [...submitOptions(submission, settings), scriptFile, ...command]);
      // `1234`, or `1234;cluster`
      const id = /^(\d+)(;.*)?$/m.exec(said)?.[1];
      if (id === undefined) throw new SchedulerError(`sbatch did not tell the number of the job, but: ${said.trim()}`);
      return id;
    },

    async look() {
      return readSqueue(await ask('squeue', ['-h', '-r', '-t', 'all', `--user=${user}`, '-o', squeueFormat]));
    },

    async lookBack(ids) {
      try {
        return readSacct(await ask('sacct', ['-n', '-X', '-P', `--jobs=${ids.join()}`, `--format=${sacctFields}`]));
      } catch {
        return []; // a cluster without records: the runs' folders tell
      }
    },

    async cancel(job, indices) {
      const elements = indices.map((index) => `${job.id}_${String(index)}`);
      if (elements.length > 0) await ask('scancel', [`--user=${user}`, `--name=${job.name}`, ...elements]);
    },

    async exclude({ id }, nodes) {
      await ask('scontrol', ['update', `JobId=${id}`, `ExcNodeList=${nodes.join()}`]);
    },

    async putBack() {
      const { SLURM_ARRAY_JOB_ID: job, SLURM_ARRAY_TASK_ID: index } = env;
      if (job === undefined || index === undefined)
        throw new SchedulerError('This is no element of an array of Slurm.');
      // By the array's number and the element's: the job's own number names every element where it is the last one's.
      await ask('scontrol', ['requeue', `${job}_${index}`]);
    },

    processors: () => Number(env['SLURM_CPUS_PER_TASK']) || null,
    outputFile: (jobId, index) => `slurm-${jobId}_${String(index)}.log`,
  };
}

/** Later options go before earlier ones, so ours come last. */
function submitOptions({ name, folder, indices, excludedNodes, after }: Submission, settings: SlurmSettings): string[] {
  const { partition, account, qos, time, cpus, memory, gpus, atOnce, signalSeconds, options } = settings;
  const limit = atOnce === undefined ? '' : `%${String(atOnce)}`;
  return [
    ...options,
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(account === undefined ? [] : [`--account=${account}`]),
    ...(qos === undefined ? [] : [`--qos=${qos}`]),
    ...(time === undefined ? [] : [`--time=${time}`]),
    ...(memory === undefined ? [] : [`--mem=${memory}`]),
    ...(gpus === undefined ? [] : [`--gres=gpu:${gpus}`]),
    ...(excludedNodes.length === 0 ? [] : [`--exclude=${excludedNodes.join()}`]),
    ...(after.length === 0 ? [] : [`--dependency=afterany:${after.join(':')}`]),
    ...['--nodes=1', '--ntasks=1', `--cpus-per-task=${String(cpus)}`],
    ...[`--array=${rangesText(indices)}${limit}`, `--job-name=${name}`, `--chdir=${folder}`],
    // In Slurm's pattern of a file a percent sign is doubled to mean itself.
    ...[`--output=${folder.replaceAll('%', '%%')}/slurm-%A_%a.log`, '--open-mode=append', '--input=/dev/null'],
    ...['--requeue', `--signal=B:USR2@${String(signalSeconds)}`, '--parsable'],
    // Of the environment here, which an editor may have made odd, nothing goes along; home, user and path come anyway.
    '--export=KAFSCOPE_NOTHING',
  ];
}

/** `0-3,7,9-10` of ascending numbers. */
export function rangesText(indices: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const index of indices) {
    const last = ranges.at(-1);
    if (last && last[1] === index - 1) last[1] = index;
    else ranges.push([index, index]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${String(from)}-${String(to)}`)).join();
}

/** The same for every sweep, but for the user's own lines: what they do to the arguments does not touch ours. */
function writeScript(file: string, setup: readonly string[]): void {
  const lines = [
    '#!/bin/bash -l',
    'kafscope_work=("$@")',
    'set --',
    ...setup,
    // In place of the shell, so that signals reach it.
    'exec "${kafscope_work[@]}" "$SLURM_ARRAY_TASK_ID"',
  ];
  fs.writeFileSync(file, `${lines.join('\n')}\n`, { flag: 'wx', mode: 0o644 });
}

/** @returns what it wrote @throws SchedulerError with what it said */
function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  // The user's own defaults for what is shown would change what is read here.
  const names = Object.keys(env).filter((name) => !/^(SQUEUE|SACCT|SCANCEL)_/.test(name));
  const clean = Object.fromEntries(names.map((name) => [name, env[name]]));
  const options = { env: clean, timeout: patienceMs, maxBuffer: maxOutputBytes, encoding: 'utf8' } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, options, (error, output, errors) => {
      if (!error) resolve(output);
      else reject(new SchedulerError(failureText(command, error, errors.trim()), { cause: error }));
    });
    child.stdin?.end();
  });
}

function failureText(command: string, error: ExecFileException, said: string): string {
  if (error.code === 'ENOENT')
    return `There is no ${command} on this host. Sweeps are given to Slurm where it is, as on a login node.`;
  if (error.killed === true) return `Slurm did not answer ${command} within a minute. Try again later.`;
  return `${command}: ${said.replace(/^[a-z]+: (error: )?/gm, '').replaceAll('\n', ' ') || error.message}`;
}

function isOnPath(command: string, { PATH = '' }: NodeJS.ProcessEnv): boolean {
  return PATH.split(path.delimiter).some((folder) => folder !== '' && fs.existsSync(path.join(folder, command)));
}
