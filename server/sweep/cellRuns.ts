// Which runs the cells of a sweep have: those that lie among the runs already, whoever made them, else new ones. What is decided is noted
// in the sweep's log.
import { atOnce } from '../experiment/turns.ts';
import type { RunSummary } from '../protocol/run.ts';
import type { LifeWatch } from '../run/lifeWatch.ts';
import { SupersededError } from '../run/logFile.ts';
import { createRun, isRunFolder } from '../run/runFolder.ts';
import { findRuns } from './findRuns.ts';
import { readSweepOrigin, runsFolderOf, type CellSet, type StoredCell } from './sweepFolder.ts';
import { readSweepLog, SweepLog } from './sweepLog.ts';
import { runOf } from './sweepState.ts';

/** @throws StorageError */
export function makeCellRun(
  folder: string,
  set: CellSet,
  { plan, description }: StoredCell,
  nowMs: number,
): RunSummary {
  const { experimentText, versions } = set;
  const { experimentFile } = readSweepOrigin(folder);
  return createRun(runsFolderOf(folder), { plan, description, experimentText, experimentFile, versions }, nowMs);
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
    const found = atOnce(findRuns(runsFolderOf(folder), cells, watch));
    for (const cell of cells) {
      log.checkOwnership();
      const runId = found.get(cell.identity) ?? makeCellRun(folder, set, cell, nowMs).id;
      log.append({ type: 'run', identity: cell.identity, runId });
    }
  } finally {
    log.close();
  }
}
