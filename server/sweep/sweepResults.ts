// What the finished runs of a sweep have come to.
import { LifeWatch } from '../run/lifeWatch.ts';
import { readOrigin } from '../run/runFolder.ts';
import { glance } from '../run/runGlance.ts';
import { runsFolderOf } from './sweepFolder.ts';
import { runOf, sweepState } from './sweepState.ts';
import type { CellResult } from './sweepTable.ts';

export interface SweepResults {
  readonly name: string;
  readonly results: readonly CellResult[];
  /** Of all cells. */
  readonly nCells: number;
}

/** @throws StorageError */
export function sweepResults(folder: string): SweepResults {
  const { summary, log } = sweepState(folder, new LifeWatch());
  // What parts find their wholes have.
  const cells = summary.cells.filter(({ isPart }) => !isPart);
  const results = cells.flatMap((cell): CellResult[] => {
    const runFolder = runOf(cell, log, runsFolderOf(folder));
    if (cell.status !== 'finished' || runFolder === null) return [];
    const { name, values, identity } = cell;
    const { id, seed, cleanAccuracy, figures = [], device } = glance(runFolder).summary;
    const version = readOrigin(runFolder).versions['kafscope'] ?? 'unknown';
    return [{ ...{ name, values, identity, runId: id, seed, clean: cleanAccuracy }, figures, device, version }];
  });
  return { name: summary.name, results, nCells: cells.length };
}
