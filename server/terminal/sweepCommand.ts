// `kafscope sweep`: works on the cells of an experiment's matrix in processes of its own, says how a sweep stands, and leaves word for
// one that works elsewhere.
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseNumber } from '../experiment/parseNumber.ts';
import { cellGroup, countCells, type SweepAsk, type SweepCell, type SweepSummary } from '../protocol/sweep.ts';
import { LifeWatch } from '../run/lifeWatch.ts';
import { sharesOf, type Shares } from '../sweep/atOnce.ts';
import { hasSameCells, storedCells } from '../sweep/storedCells.ts';
import { isSweep, makeSweep, sweepOf, sweepsFolder, writeAsk, writeCells } from '../sweep/sweepFolder.ts';
import type { CellSet } from '../sweep/sweepFolder.ts';
import { SweepQueue } from '../sweep/sweepQueue.ts';
import { sweepState, type SweepState } from '../sweep/sweepState.ts';
import { compileFile } from './compileFile.ts';
import { onInterrupt } from './interrupt.ts';
import { SweepReport } from './sweepReport.ts';
import { cellLine, countsText } from './sweepText.ts';
import { exitCodes, UsageError } from './terminal.ts';
import type { Terminal } from './terminal.ts';

export interface SweepCommand {
  /** An experiment's file; a sweep's folder, or its name in the runs' folder. */
  readonly target: string;
  readonly overrides: Readonly<Record<string, unknown>>;
  /** Numbers as typed. */
  readonly atOnce: string | null;
  readonly threads: string | null;
  readonly isFailedAgain: boolean;
  /** Absolute. */
  readonly runsFolder: string;
}

export interface SweepContext {
  readonly terminal: Terminal;
  readonly trainerFile: string;
  readonly version: string;
}

/** @throws UsageError | StorageError @returns the exit code */
export async function sweepCommand(command: SweepCommand, context: SweepContext): Promise<number> {
  const { terminal } = context;
  const folder = beginSweep(command, context);
  if (folder === null) return exitCodes.usage;
  const { summary, set } = await settled(folder, terminal);
  terminal.event({ type: 'sweep', id: summary.id, folder, cells: summary.cells.length, ...countCells(summary.cells) });
  if (summary.status !== 'resting') {
    terminal.line(`${summary.id} is at work (${summary.place ?? 'elsewhere'}): it takes up what is new by itself.`);
    terminal.event({ type: 'done', end: 'elsewhere', ...countCells(summary.cells) });
    return exitCodes.done;
  }
  const shares = sharesOf(
    set.cells.map(({ plan }) => plan),
    { cores: os.availableParallelism(), freeBytes: process.availableMemory() },
    askedShares(command),
  );
  return work(folder, shares, command.isFailedAgain, context);
}

async function work(
  folder: string,
  shares: Shares,
  isFailedAgain: boolean,
  { terminal, trainerFile }: SweepContext,
): Promise<number> {
  const report = new SweepReport(terminal, () => performance.now());
  const queue = new SweepQueue(folder, {
    ...{ trainerFile, ...shares, isFailedAgain },
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

/** Writes the cells down where they are new. Null where the experiment has a mistake, which is told. */
function beginSweep(command: SweepCommand, { terminal, version }: SweepContext): string | null {
  const named = namedSweep(command);
  if (named !== undefined) return named;
  const known = sweepOf(command.runsFolder, path.resolve(command.target));
  const compiled = compileFile(command.target, command.overrides, terminal);
  if (!compiled) return null;
  const set: CellSet = {
    experimentText: compiled.text,
    versions: { kafscope: version, node: process.versions.node },
    cells: storedCells(compiled.cells),
  };
  const origin = { name: compiled.name, experimentFile: compiled.file, createdMs: Date.now() };
  const folder = known ?? makeSweep(command.runsFolder, origin);
  if (known === null || !hasSameCells(folder, set)) writeCells(folder, set);
  return folder;
}

function askedShares({ atOnce, threads }: SweepCommand): Partial<Shares> {
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

/** By its folder, or by its name among the runs. */
function namedSweep({ target, runsFolder }: Pick<SweepCommand, 'target' | 'runsFolder'>): string | undefined {
  return [path.resolve(target), path.join(sweepsFolder(runsFolder), target)].find(isSweep);
}

/** By its folder, its name, or its experiment's file. */
export function findSweep(command: Pick<SweepCommand, 'target' | 'runsFolder'>): string | null {
  return namedSweep(command) ?? sweepOf(command.runsFolder, path.resolve(command.target));
}

/** @throws UsageError where there is none */
function existingSweep(command: Pick<SweepCommand, 'target' | 'runsFolder'>): string {
  const folder = findSweep(command);
  if (folder !== null) return folder;
  const { target, runsFolder } = command;
  throw new UsageError(`There is no sweep of ${target} in ${runsFolder}. Start it: kafscope sweep FILE.`);
}

/** `kafscope sweep --status` @returns the exit code @throws UsageError | StorageError */
export async function sweepStatusCommand(
  command: Pick<SweepCommand, 'target' | 'runsFolder'>,
  terminal: Terminal,
): Promise<number> {
  const { summary } = await settled(existingSweep(command), terminal);
  const { id, folder, status, place, cells } = summary;
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
  if (summary.status === 'resting') throw new UsageError(`${summary.id} is not at work, so nobody would hear.`);
  writeAsk(folder, ask);
  const what = { pause: 'pause', 'go-on': 'go on', stop: 'stop', again: 'try what failed again' }[ask];
  terminal.line(`${summary.id} (${summary.place ?? 'elsewhere'}) will ${what} within seconds.`);
  terminal.event({ type: 'done', asked: ask, id: summary.id });
  return exitCodes.done;
}

const lookAgainMs = 1000;

/** Where only a heartbeat can tell whether it is at work elsewhere, waits until it has. */
async function settled(folder: string, terminal: Terminal): Promise<SweepState> {
  const watch = new LifeWatch();
  for (let hasTold = false; ; await delay(lookAgainMs)) {
    const state = sweepState(folder, watch);
    const { log, summary } = state;
    if (summary.status === 'resting' || watch.judge(log.owner, log.sign) !== 'unheard') return state;
    if (!hasTold) {
      const seconds = String(Math.ceil(watch.remainingMs(log.sign) / 1000));
      terminal.error(
        `${summary.id} was at work elsewhere (${summary.place ?? 'unknown'}). Waiting up to ${seconds} s to see whether it still is …`,
      );
    }
    hasTold = true;
  }
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
