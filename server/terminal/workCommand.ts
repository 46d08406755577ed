// `kafscope work`: one cell of a sweep, trained and evaluated in this process, as the jobs of a cluster's scheduler do it. It goes on from
// the run's last checkpoint, and ends with one when the job's time or its node is taken from it.
import path from 'node:path';
import { parseNumber } from '../experiment/parseNumber.ts';
import type { Row } from '../protocol/records.ts';
import { isLive, isResumable, type RunSummary } from '../protocol/run.ts';
import { LifeWatch } from '../run/lifeWatch.ts';
import { newestLog } from '../run/logFile.ts';
import { thisProcess } from '../run/owner.ts';
import { wantingMore } from '../run/processSignals.ts';
import { glance } from '../run/runGlance.ts';
import { BatchSweep } from '../sweep/batch/batchSweep.ts';
import { Controller } from '../sweep/batch/controller.ts';
import { SchedulerError, type Scheduler } from '../sweep/batch/scheduler.ts';
import { schedulerNamed } from '../sweep/batch/schedulers.ts';
import { CellOrder } from '../sweep/cellOrder.ts';
import { giveRuns } from '../sweep/cellRuns.ts';
import { asksAfter, newestAsk, readCells, readCellSet, runsFolderOf, type StoredCell } from '../sweep/sweepFolder.ts';
import { cellTask } from '../sweep/owedEvaluations.ts';
import { readSweepLog } from '../sweep/sweepLog.ts';
import { cellState, runOf } from '../sweep/sweepState.ts';
import { lookAtRun } from './runAt.ts';
import { namedSweep, settled } from './sweepAt.ts';
import { exitCodes, UsageError, type Terminal } from './terminal.ts';
import { trainOne, type CommandContext } from './trainCommand.ts';

export interface WorkCommand {
  /** A sweep's folder, or its name in the runs' folder. */
  readonly target: string;
  readonly runsFolder: string;
  /** Numbers as typed. */
  readonly cell: string;
  /** Of the set of cells; the newest where it is null. */
  readonly of: string | null;
  readonly threads: string | null;
  /** The scheduler whose job this is; null for none. */
  readonly job: string | null;
}

/** @returns the exit code @throws UsageError | StorageError */
export async function workCommand(command: WorkCommand, context: CommandContext): Promise<number> {
  const { terminal } = context;
  const scheduler = command.job === null ? null : schedulerNamed(command.job);
  const folder = namedSweep(command);
  if (folder === undefined) throw new UsageError(`There is no sweep ${command.target} in ${command.runsFolder}.`);
  const heard = newestAsk(folder);
  const { cell, cells } = cellOf(command, folder);
  const parts = partsFor(cell, cells, folder);
  const run = await takeRun(folder, cell, terminal);
  terminal.line(`${path.basename(folder)} · ${cell.name}`);
  const task = cellTask({ ...glance(run.folder), summary: run }, cell);
  if (run.status === 'finished' && task.type === 'train') {
    terminal.line(`${run.id} is finished already.`);
    return exitCodes.done;
  }
  if (task.type === 'train' && !isResumable(run)) {
    terminal.error(`${run.id} is ${run.status}${run.message === null ? '.' : `: ${run.message}`}`);
    return exitCodes.failed;
  }
  const signals = new JobSignals(terminal);
  const progress = new Progress(run.step);
  const code = await trainOne(run, context, {
    threads: threadsOf(command, scheduler),
    task,
    parts,
    listen: (end) => signals.listen(end),
    onRows: (rows) => {
      progress.see(rows);
    },
  });
  if (scheduler && code === exitCodes.interrupted) {
    const isStopped = asksAfter(folder, heard).some(({ ask }) => ask === 'stop');
    if (signals.isTimeUp && !isStopped) await putBack(scheduler, progress, terminal);
  }
  if (scheduler && code === exitCodes.failed && !progress.isSome) await tellBadNode(folder, scheduler, terminal);
  return code;
}

/** @throws UsageError */
function cellOf({ cell, of }: WorkCommand, folder: string): { cell: StoredCell; cells: readonly StoredCell[] } {
  const { cells } = of === null ? readCells(folder) : readCellSet(folder, countOf('--of', of));
  const found = cells[countOf('--cell', cell)];
  if (found) return { cell: found, cells };
  throw new UsageError(`--cell ${cell}: expected an integer in [0, ${String(cells.length - 1)}].`);
}

/** The runs of its parts, where it has some. @throws UsageError where it begins from what other cells have not left yet */
function partsFor(cell: StoredCell, cells: readonly StoredCell[], folder: string): string[] {
  const { runs } = readSweepLog(folder);
  const watch = new LifeWatch();
  const runFolder = (one: StoredCell) => runOf(one, { runs }, runsFolderOf(folder));
  const order = new CellOrder(cells);
  const turn = order.turnOf(cell, (one) => cellState(one, runFolder(one), watch));
  if (turn === 'now') return order.partsOf(cell).map((part) => runFolder(part)!);
  const what = { trained: 'what another cell of the same training leaves', parts: 'what its parts find' };
  throw new UsageError(`${cell.name} begins from ${what[turn]}, and that is not there yet.`);
}

function countOf(option: string, text: string, least = 0): number {
  const value = parseNumber(text);
  if (value === undefined || !Number.isInteger(value) || value < least)
    throw new UsageError(`${option} ${text}: expected an integer, ${String(least)} or more.`);
  return value;
}

function threadsOf({ threads }: WorkCommand, scheduler: Scheduler | null): number | undefined {
  // Without cgroups a job sees every core of its node.
  return threads === null ? (scheduler?.processors() ?? undefined) : countOf('--threads', threads, 1);
}

/** The cell's run, which nobody else works on. @throws UsageError where someone does; StorageError */
async function takeRun(folder: string, cell: StoredCell, terminal: Terminal): Promise<RunSummary> {
  const known = runOf(cell, readSweepLog(folder), runsFolderOf(folder));
  if (known === null || newestLogOf(known) === null) {
    const { set, summary } = await settled(folder, terminal);
    if (summary.status !== 'resting')
      throw new UsageError(
        `${summary.id} is at work (${summary.place ?? 'elsewhere'}), which takes up every cell by itself.`,
      );
    giveRuns(folder, set, [cell], { watch: new LifeWatch(), nowMs: Date.now() });
  }
  const runFolder = runOf(cell, readSweepLog(folder), runsFolderOf(folder))!;
  const seen = glance(runFolder);
  const { job } = thisProcess();
  // The scheduler has given this job anew: what its former process, on a node that is thought dead, may still write counts no more.
  if (isLive(seen.summary.status) && job !== null && seen.owner?.job === job)
    return { ...seen.summary, status: 'interrupted' };
  const { summary, place } = await lookAtRun(runFolder, terminal);
  if (isLive(summary.status))
    throw new UsageError(
      `${summary.id} is at work${place === null ? '' : ` (${place})`}. Follow it there, or stop it.`,
    );
  return summary;
}

/** Null where there is no such folder. */
function newestLogOf(runFolder: string): number | null {
  try {
    return newestLog(runFolder);
  } catch {
    return null;
  }
}

/** What a job is told. However often: only the scheduler ends it before its checkpoint is written. */
class JobSignals {
  readonly #terminal: Terminal;
  #isTimeUp = false;
  #isEnded = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Whether it is to go on later, and only its time here is over. */
  get isTimeUp(): boolean {
    return this.#isTimeUp && !this.#isEnded;
  }

  listen(end: () => void): () => void {
    const handle = (signal: NodeJS.Signals) => {
      const isMore = signal === wantingMore;
      if (isMore) this.#isTimeUp = true;
      // Whoever cancels it, or needs its node at once, sends these; a scheduler that preempts puts it back by itself.
      else this.#isEnded = true;
      this.#terminal.error(`${signal}: ending with a checkpoint${isMore ? ', wanting more' : ''}.`);
      end();
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', wantingMore] as const;
    for (const signal of signals) process.on(signal, handle);
    // Put back, it is told to end: that must not cut off its last lines.
    return () => {
      for (const signal of ['SIGINT', 'SIGHUP'] as const) process.off(signal, handle);
    };
  }
}

/** Whether this process has brought the run further, so that another like it would, too. */
class Progress {
  readonly #fromStep: number;
  #isSome = false;

  constructor(fromStep: number) {
    this.#fromStep = fromStep;
  }

  get isSome(): boolean {
    return this.#isSome;
  }

  see(rows: readonly Row[]): void {
    for (const { record } of rows) {
      if (record.type === 'step' && record.step > this.#fromStep) this.#isSome = true;
      // A batch of an evaluation is done.
      if (record.type === 'attackProgress' && record.outcomes) this.#isSome = true;
    }
  }
}

async function putBack(scheduler: Scheduler, progress: Progress, terminal: Terminal): Promise<void> {
  if (!progress.isSome) {
    terminal.error(
      `Its time was over before it came further than before, so it is not put back: it would go on so for ever. Ask ${scheduler.title} for more time, or let an epoch be shorter.`,
    );
    return;
  }
  try {
    await scheduler.putBack();
    terminal.line(`put back: ${scheduler.title} starts it again, and it goes on from its last checkpoint`);
  } catch (error) {
    if (!(error instanceof SchedulerError)) throw error;
    terminal.error(`It could not be put back: ${error.message} Give the sweep to ${scheduler.title} again to go on.`);
  }
}

/** It may be the third on this node: then others are spared it. */
async function tellBadNode(folder: string, scheduler: Scheduler, terminal: Terminal): Promise<void> {
  try {
    await new BatchSweep(folder, { controller: new Controller(scheduler) }).excludeBadNodes();
  } catch (error) {
    if (!(error instanceof SchedulerError)) throw error;
    terminal.error(error.message);
  }
}
