// What an experiment compiles to, as the cells of a sweep.
import { describePlan } from '../experiment/describePlan.ts';
import { planIdentity } from '../experiment/planIdentity.ts';
import type { Plan } from '../protocol/plan.ts';
import type { Cell } from '../experiment/readCells.ts';
import type { Turns } from '../experiment/turns.ts';
import { readCells, type CellSet, type StoredCell } from './sweepFolder.ts';

/** Before each whose evaluation is cut, its parts. */
export function* storedCells(cells: readonly Cell[]): Turns<StoredCell[]> {
  const stored: StoredCell[] = [];
  for (const { name, values, plan } of cells) {
    const [description, whole] = [describePlan(plan), planIdentity(plan)];
    for (const part of partsOf(plan)) {
      const [own, at] = [{ ...plan, part }, `${String(part.index + 1)}/${String(part.of)}`];
      const named = { name: `${name} · part ${at}`, values: { ...values, part: at }, whole };
      stored.push({ ...named, identity: planIdentity(own), description: `${description} · part ${at}`, plan: own });
    }
    stored.push({ name, values, identity: whole, description, plan });
    yield;
  }
  return stored;
}

function partsOf({ parts: of = 1 }: Plan): NonNullable<Plan['part']>[] {
  return of === 1 ? [] : Array.from({ length: of }, (_, index) => ({ index, of }));
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
