// What an experiment compiles to, as the cells of a sweep.
import { describePlan } from '../experiment/describePlan.ts';
import { planIdentity } from '../experiment/planIdentity.ts';
import type { Cell } from '../experiment/readCells.ts';
import type { Turns } from '../experiment/turns.ts';
import { readCells, type CellSet, type StoredCell } from './sweepFolder.ts';

export function* storedCells(cells: readonly Cell[]): Turns<StoredCell[]> {
  const stored: StoredCell[] = [];
  for (const { name, values, plan } of cells) {
    stored.push({ name, values, identity: planIdentity(plan), description: describePlan(plan), plan });
    yield;
  }
  return stored;
}

/** Whether the sweep has these cells already, by the same names. */
export function hasSameCells(folder: string, set: CellSet): boolean {
  try {
    const { cells } = readCells(folder);
    const same = (index: number) =>
      cells[index]?.identity === set.cells[index]?.identity && cells[index]?.name === set.cells[index]?.name;
    return cells.length === set.cells.length && cells.every((_, index) => same(index));
  } catch {
    return false; // it was cut off before it had any
  }
}
