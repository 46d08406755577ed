// `kafscope sweep`: works on the cells of an experiment's matrix in processes of its own, says how a sweep stands, and leaves word for
// one that works elsewhere.
import os from 'node:os';
import path from 'node:path';
import { parseNumber } from '../experiment/parseNumber.ts';
import { cellGroup, countCells, type SweepAsk, type SweepCell, type SweepSummary } from '../protocol/sweep.ts';
import type { DeviceListResult } from '../protocol/messages.ts';
import { mayBeOnDevice, placesOf, processorAlone } from '../run/machinePlaces.ts';
import { listRuntimes } from '../run/runtime/machineRuntimes.ts';
import { sharesOf, type Shares } from '../sweep/atOnce.ts';
import { writeAsk } from '../sweep/sweepFolder.ts';
import { SweepQueue, type QueueOptions } from '../sweep/sweepQueue.ts';
import { onInterrupt } from './interrupt.ts';
import { beginSweep, existingSweep, settled, type SweepCommand, type SweepContext } from './sweepAt.ts';
import { lastScheduler, lookAtScheduler, stopAtScheduler } from './sweepOnCommand.ts';
import { SweepReport } from './sweepReport.ts';
import { cellLine, countsText } from './sweepText.ts';
import { exitCodes, UsageError } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** @throws UsageError | StorageError @returns the exit code */
export async function sweepCommand(command: SweepCommand, context: SweepContext): Promise<number> {
  const { terminal } = context;
  const folder = beginSweep(command, context);
  if (folder === null) return exitCodes.usage;
  const { summary: here, set } = await settled(folder, terminal);
  const summary = await lookAtScheduler(folder, here, terminal);
  terminal.event({ type: 'sweep', id: summary.id, folder, cells: summary.cells.length, ...countCells(summary.cells) });
  if (summary.status !== 'resting') {
    if (summary.scheduler !== undefined)
      throw new UsageError(
        `${summary.id} is at work (${String(summary.place)}). Stop it first: kafscope sweep ${summary.id} --stop`,
      );
    terminal.line(`${summary.id} is at work (${summary.place ?? 'elsewhere'}): it takes up what is new by itself.`);
    terminal.event({ type: 'done', end: 'elsewhere', ...countCells(summary.cells) });
    return exitCodes.done;
  }
  const plans = set.cells.map(({ plan }) => plan);
  const places = plans.some(mayBeOnDevice) ? placesOf(await devicesHere(context)) : processorAlone;
  const machine = { cores: os.availableParallelism(), freeBytes: process.availableMemory(), places };
  const shares = sharesOf(plans, machine, askedShares(command));
  return work(folder, { ...shares, places, isFailedAgain: command.isFailedAgain }, context);
}

function devicesHere({ terminal, trainerFile }: SweepContext): Promise<DeviceListResult> {
  const log = (line: string) => {
    terminal.event({ type: 'log', line });
  };
  return listRuntimes({ assetsFolder: path.dirname(trainerFile), log, isAnew: false });
}

async function work(
  folder: string,
  shares: Shares & Pick<QueueOptions, 'places' | 'isFailedAgain'>,
  { terminal, trainerFile }: SweepContext,
): Promise<number> {
  const report = new SweepReport(terminal, () => performance.now());
  const queue = new SweepQueue(folder, {
    ...{ trainerFile, ...shares },
    log: (line) => {
      report.log(line);
    },
    onCell: (cell) => {
      report.changed(cell, queue.cells());
    },
  });
  const cells = queue.cells();
  report.begin(cells);
  terminal.line(`${path.basename(folder)} · ${String(cells.length)} cells · ${sharesText(shares)}`);
  terminal.line(`in ${folder}`);
  const release = onInterrupt(terminal, () => {
    queue.interrupt('Interrupted from the terminal. Start the sweep again to go on from the last checkpoints.');
  });
  const { end, message } = await queue.ended;
  release();
  const counts = countCells(queue.cells());
  terminal.event({ type: 'done', end, message, ...counts });
  terminal.line(countsText(counts));
  if (message) terminal.error(message);
  for (const cell of queue.cells().filter(({ status }) => cellGroup(status) === 'failed')) tellFailure(cell, terminal);
  if (end === 'interrupted' || end === 'stopped') return exitCodes.interrupted;
  return end === 'done' && counts.finished === queue.cells().length ? exitCodes.done : exitCodes.failed;
}

function askedShares({ atOnce, threads }: SweepCommand): Partial<Pick<Shares, 'atOnce' | 'threads'>> {
  const count = (option: string, text: string) => {
    const value = parseNumber(text);
    if (value === undefined || !Number.isInteger(value) || value < 1 || value > 256)
      throw new UsageError(`${option} ${text}: expected an integer in [1, 256].`);
    return value;
  };
  return {
    ...(atOnce !== null && { atOnce: count('--at-once', atOnce) }),
    ...(threads !== null && { threads: count('--threads', threads) }),
  };
}

/** `kafscope sweep --status` @returns the exit code @throws UsageError | StorageError */
export async function sweepStatusCommand(
  command: Pick<SweepCommand, 'target' | 'runsFolder'>,
  terminal: Terminal,
): Promise<number> {
  const sweep = existingSweep(command);
  const { summary: here } = await settled(sweep, terminal);
  const { id, folder, status, place, cells } = await lookAtScheduler(sweep, here, terminal);
  for (const cell of cells) terminal.event({ type: 'cell', ...cell });
  terminal.event({ type: 'done', id, folder, status, place, ...countCells(cells) });
  terminal.line(`${id} · ${status}${place ? ` (${place})` : ''} · ${countsText(countCells(cells))}`);
  for (const cell of failedFirst(cells)) terminal.line(cellLine(cell));
  return exitCodes.done;
}

/** Leaves word for whoever works on the sweep. @returns the exit code @throws UsageError | StorageError */
export async function sweepAskCommand(
  command: Pick<SweepCommand, 'target' | 'runsFolder'>,
  ask: SweepAsk,
  terminal: Terminal,
): Promise<number> {
  const folder = existingSweep(command);
  const { summary } = await settled(folder, terminal);
  if (summary.status === 'resting' && lastScheduler(folder) !== null) {
    if (ask === 'stop') return stopAtScheduler(folder, terminal);
    throw new UsageError(`${summary.id} was given to a cluster, which pauses nothing. --stop takes it back.`);
  }
  if (summary.status === 'resting') throw new UsageError(`${summary.id} is not at work, so nobody would hear.`);
  writeAsk(folder, ask);
  const what = { pause: 'pause', 'go-on': 'go on', stop: 'stop', again: 'try what failed again' }[ask];
  terminal.line(`${summary.id} (${summary.place ?? 'elsewhere'}) will ${what} within seconds.`);
  terminal.event({ type: 'done', asked: ask, id: summary.id });
  return exitCodes.done;
}

function sharesText({ atOnce, threads }: Shares): string {
  return `${String(atOnce)} at once, ${String(threads)} ${threads === 1 ? 'thread' : 'threads'} each`;
}

function failedFirst(cells: SweepSummary['cells']): SweepCell[] {
  const order = ['failed', 'working', 'left', 'finished'];
  return cells.toSorted((a, b) => order.indexOf(cellGroup(a.status)) - order.indexOf(cellGroup(b.status)));
}

function tellFailure(cell: SweepCell, terminal: Terminal): void {
  terminal.error(`${cell.name}: ${cell.status}${cell.message === null ? '' : `: ${cell.message}`}`);
}
