// Which runs the cells of a sweep have: those that lie among the runs already, whoever made them, else new ones, which begin from the weights
// of their training where another run has them. What is decided is noted in the sweep's log.
import path from 'node:path';
import { atOnce } from '../experiment/turns.ts';
import type { RunSummary } from '../protocol/run.ts';
import type { LifeWatch } from '../run/lifeWatch.ts';
import { SupersededError } from '../run/logFile.ts';
import { forkRun } from '../run/forkRun.ts';
import { createRun, isRunFolder } from '../run/runFolder.ts';
import { StorageError } from '../run/storageError.ts';
import { beginningAmong, findRuns } from './findRuns.ts';
import { readSweepOrigin, runsFolderOf, type CellSet, type StoredCell } from './sweepFolder.ts';
import { readSweepLog, SweepLog } from './sweepLog.ts';
import { runOf } from './sweepState.ts';

/** @param trained folders of runs of the same training @throws StorageError */
export function makeCellRun(
  folder: string,
  set: CellSet,
  { plan, description }: StoredCell,
  { trained, watch, nowMs }: GivingOptions & { readonly trained: readonly string[] },
): RunSummary {
  const { experimentText, versions } = set;
  const { experimentFile } = readSweepOrigin(folder);
  const runsFolder = runsFolderOf(folder);
  const run = { plan, description, experimentText, experimentFile, versions };
  try {
    const beginning = beginningAmong(trained, watch);
    if (beginning) return forkRun(beginning.folder, beginning.file, nowMs, run);
  } catch (error) {
    // A run or its checkpoint is damaged, or rows are gone: the cell is trained by itself.
    if (!(error instanceof StorageError)) throw error;
  }
  return createRun(runsFolder, run, nowMs);
}

export interface GivingOptions {
  readonly watch: LifeWatch;
  readonly nowMs: number;
}

/** Others that do the same at once go before; each of them does it but once. */
const maxAttempts = 1000;

/**
 * Gives each of the cells the run that it lacks. Only where nobody works on the sweep: its log is taken for the moment.
 * @throws StorageError
 */
export function giveRuns(folder: string, set: CellSet, cells: readonly StoredCell[], options: GivingOptions): void {
  for (let attempt = 1; ; attempt++) {
    const { runs, number } = readSweepLog(folder);
    const runsFolder = runsFolderOf(folder);
    const without = cells.filter((cell) => {
      const run = runOf(cell, { runs }, runsFolder);
      return run === null || !isRunFolder(run);
    });
    if (without.length === 0) return;
    try {
      noteRuns(folder, number + 1, { set, cells: without }, options);
      return;
    } catch (error) {
      if (!(error instanceof SupersededError) || attempt >= maxAttempts) throw error;
    }
  }
}

function noteRuns(
  folder: string,
  number: number,
  { set, cells }: { readonly set: CellSet; readonly cells: readonly StoredCell[] },
  { watch, nowMs }: GivingOptions,
): void {
  const log = new SweepLog(folder, number, { nowMs, beat: () => () => {} });
  try {
    log.append({ type: 'status', status: 'resting' });
    const runsFolder = runsFolderOf(folder);
    const found = atOnce(findRuns(runsFolder, cells, watch));
    for (const cell of cells) {
      log.checkOwnership();
      const trained = (found.trained.get(cell.identity) ?? []).map((id) => path.join(runsFolder, id));
      const runId = found.own.get(cell.identity) ?? makeCellRun(folder, set, cell, { trained, watch, nowMs }).id;
      log.append({ type: 'run', identity: cell.identity, runId });
    }
  } finally {
    log.close();
  }
}
