// `kafscope sweep` at a cluster's scheduler: gives it the cells, tells how they stand there, takes them back. Nothing here computes.
import path from 'node:path';
import { cellGroup, countCells, type SweepSummary } from '../protocol/sweep.ts';
import { LifeWatch } from '../run/lifeWatch.ts';
import { RunStateError } from '../run/runStateError.ts';
import { BatchSweep } from '../sweep/batch/batchSweep.ts';
import { commandLine } from '../sweep/batch/commandLine.ts';
import { Controller } from '../sweep/batch/controller.ts';
import { readJobs } from '../sweep/batch/jobsFile.ts';
import { SchedulerError } from '../sweep/batch/scheduler.ts';
import { schedulerNamed, schedulerNames } from '../sweep/batch/schedulers.ts';
import { readSettings, settingsFile, SettingsError } from '../sweep/batch/settingsFile.ts';
import { beginSweep, type SweepCommand, type SweepContext } from './sweepAt.ts';
import { exitCodes, UsageError, type Terminal } from './terminal.ts';

/** Where the sweep was worked on last: a scheduler's name, or null for processes of its own. @throws StorageError */
export function lastScheduler(folder: string): string | null {
  const name = readJobs(folder).at(-1)?.scheduler;
  return name !== undefined && schedulerNames.includes(name) ? name : null;
}

function batchSweep(folder: string, scheduler: string): BatchSweep {
  return new BatchSweep(folder, { controller: new Controller(schedulerNamed(scheduler)), watch: new LifeWatch() });
}

/** @throws UsageError | StorageError @returns the exit code */
export async function sweepOnCommand(
  command: SweepCommand,
  on: string,
  { terminal, trainerFile, version }: SweepContext,
): Promise<number> {
  if (command.atOnce !== null || command.threads !== null)
    throw new UsageError(
      `--at-once and --threads are said in ${settingsFile(schedulerNamed(on))}, as atOnce and cpus.`,
    );
  const scheduler = schedulerNamed(on);
  if (!scheduler.isHere())
    throw new UsageError(`${scheduler.title} is not on this host. Give it the sweep where it is, as on a login node.`);
  return orUsage(async () => {
    const settings = readSettings(scheduler);
    const folder = beginSweep(command, { terminal, trainerFile, version });
    if (folder === null) return exitCodes.usage;
    const sweep = batchSweep(folder, on);
    const program = commandLine(path.dirname(trainerFile));
    const { isFailedAgain } = command;
    const { ids, nCells, excludedNodes } = await sweep.submit({ settings, isFailedAgain, program, nowMs: Date.now() });
    for (const node of excludedNodes) terminal.error(`${node} is left out: three cells failed on it at once.`);
    terminal.event({ type: 'submitted', scheduler: on, jobs: ids, cells: nCells, excludedNodes });
    if (ids.length === 0) terminal.line(`Nothing is left to be given to ${scheduler.title}.`);
    else
      terminal.line(
        `${scheduler.title} ${ids.length === 1 ? 'job' : 'jobs'} ${ids.join(', ')}: ${String(nCells)} ${nCells === 1 ? 'cell' : 'cells'} of ${path.basename(folder)}`,
      );
    terminal.line(`in ${folder}`);
    terminal.line(`how it stands: kafscope sweep ${path.basename(folder)} --status`);
    terminal.event({ type: 'done', end: 'submitted', ...countCells((await sweep.look()).cells) });
    return exitCodes.done;
  });
}

/** The sweep with what its scheduler says; a scheduler that does not answer is told of. @throws StorageError */
export async function lookAtScheduler(
  folder: string,
  summary: SweepSummary,
  terminal: Terminal,
): Promise<SweepSummary> {
  const name = lastScheduler(folder);
  if (name === null || summary.status !== 'resting') return summary;
  const sweep = batchSweep(folder, name);
  try {
    const looked = await sweep.look();
    if (looked.cells.some(({ status }) => cellGroup(status) === 'failed')) {
      const bad = await sweep.excludeBadNodes();
      for (const node of bad) terminal.error(`${node} is left out from now on: three cells failed on it at once.`);
    }
    return looked;
  } catch (error) {
    if (!(error instanceof SchedulerError)) throw error;
    terminal.error(`${error.message} What follows is what the runs' folders say.`);
    return summary;
  }
}

/** @returns the exit code @throws UsageError | StorageError */
export async function stopAtScheduler(folder: string, terminal: Terminal): Promise<number> {
  const name = lastScheduler(folder)!;
  return orUsage(async () => {
    const nCancelled = await batchSweep(folder, name).stop();
    const { title } = schedulerNamed(name);
    terminal.line(
      nCancelled === 0
        ? `${title} has nothing of ${path.basename(folder)} any more.`
        : `${title} takes back ${String(nCancelled)} of ${path.basename(folder)}; those at work keep a checkpoint.`,
    );
    terminal.event({ type: 'done', asked: 'stop', id: path.basename(folder), cancelled: nCancelled });
    return exitCodes.done;
  });
}

/** What the user, their settings or the cluster must mend. */
async function orUsage<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SettingsError || error instanceof SchedulerError || error instanceof RunStateError)
      throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
