// A sweep as it is: its cells, the runs that they have, and who works on it. Only looks.
import path from 'node:path';
import { atOnce, type Turns } from '../experiment/turns.ts';
import { isResumable, type RunSummary } from '../protocol/run.ts';
import type { SweepCell, SweepSummary } from '../protocol/sweep.ts';
import type { LifeWatch } from '../run/lifeWatch.ts';
import { isRunFolder, startingProgress } from '../run/runFolder.ts';
import { damagedRun, glance, judged } from '../run/runGlance.ts';
import { CellOrder } from './cellOrder.ts';
import { owedEvaluations } from './owedEvaluations.ts';
import { cellsOf, readSweepOrigin, runsFolderOf } from './sweepFolder.ts';
import type { CellSet, StoredCell } from './sweepFolder.ts';
import { sweepLogOf } from './sweepLog.ts';
import type { SweepLogState } from './sweepLog.ts';

export interface SweepState {
  readonly set: CellSet & { readonly number: number };
  readonly log: SweepLogState;
  readonly summary: SweepSummary;
}

/** @throws StorageError where the sweep can't be read; of a run that can't, the cell tells */
export function sweepState(folder: string, watch: LifeWatch): SweepState {
  return atOnce(sweepStateOf(folder, watch));
}

/** As `sweepState`, a cell at a time. @throws StorageError */
export function* sweepStateOf(folder: string, watch: LifeWatch): Turns<SweepState> {
  const origin = readSweepOrigin(folder);
  const set = yield* cellsOf(folder);
  const log = yield* sweepLogOf(folder);
  const status = statusOf(log, watch);
  const runsFolder = runsFolderOf(folder);
  const states = new Map<StoredCell, SweepCell>();
  for (const cell of set.cells) {
    yield;
    states.set(cell, cellState(cell, runOf(cell, log, runsFolder), watch));
  }
  const cells = cellStates(new CellOrder(set.cells), (cell) => states.get(cell)!);
  const place = status !== 'resting' && log.owner ? `process ${String(log.owner.pid)} on ${log.owner.host}` : null;
  return { set, log, summary: { id: path.basename(folder), folder, ...origin, status, place, cells } };
}

/** One whose process is gone rests. */
export function statusOf(log: SweepLogState, watch: LifeWatch): SweepSummary['status'] {
  return log.number >= 0 && log.status !== 'resting' && watch.judge(log.owner, log.sign) !== 'dead'
    ? log.status
    : 'resting';
}

/** With parts of what is finished as that is, for they need not be done any more; and wholes that say what they wait for. */
export function cellStates(order: CellOrder, stateOf: (cell: StoredCell) => SweepCell): SweepCell[] {
  const states = new Map(order.cells.map((cell) => [cell, stateOf(cell)]));
  const known = (cell: StoredCell) => states.get(cell)!;
  return order.cells.map((cell) => {
    const { status, message, runId } = known(cell);
    const nParts = order.partsOf(cell).length;
    if (nParts > 0 && status === 'waiting')
      return { ...known(cell), message: message ?? `It begins when its ${String(nParts)} parts have finished.` };
    if (!order.isDone(cell, known)) return known(cell);
    const { name, values, identity } = cell;
    return { ...known(order.wholeOf(cell)!), name, values, identity, isPart: true, runId };
  });
}

/** The folder of the run that a cell has, whether it is still there or not; null where it never had one. */
export function runOf(
  { identity }: Pick<StoredCell, 'identity'>,
  log: Pick<SweepLogState, 'runs'>,
  runsFolder: string,
): string | null {
  const runId = log.runs.get(identity);
  // No name from a disk leads out of the runs' folder.
  return runId === undefined || path.basename(runId) !== runId || runId.startsWith('.')
    ? null
    : path.join(runsFolder, runId);
}

export function cellState(cell: StoredCell, runFolder: string | null, watch: LifeWatch): SweepCell {
  const { name, values, identity, plan } = cell;
  const run = runFolder === null ? null : lookAt(runFolder, cell, watch);
  const { steps } = run ?? startingProgress({ plan, createdMs: 0 });
  return {
    ...{
      name,
      values,
      identity,
      ...(plan.part && { isPart: true as const }),
      runId: run?.id ?? null,
      status: run?.status ?? 'waiting',
      message: run?.message ?? null,
    },
    ...{ step: run?.step ?? 0, steps },
    ...{ cleanAccuracy: run?.cleanAccuracy ?? null, robustAccuracy: run?.robustAccuracy ?? null },
  };
}

/** Whether a cell whose run nobody works on is to be begun, or taken up. */
export function isToDo(
  status: SweepCell['status'],
  { isFailedAgain = false }: { readonly isFailedAgain?: boolean },
): boolean {
  return status === 'failed' ? isFailedAgain : isResumable({ status });
}

/** Null where it was deleted. One that owes the cell attacks has come to its end, and not to the cell's. */
function lookAt(runFolder: string, cell: StoredCell, watch: LifeWatch): RunSummary | null {
  if (!isRunFolder(runFolder)) return null;
  try {
    const seen = glance(runFolder);
    const { summary } = judged(seen, watch);
    const isPaid = owedEvaluations({ ...seen, summary }, cell).length === 0;
    return isPaid ? summary : { ...summary, ...owing(summary) };
  } catch (error) {
    return damagedRun(runFolder, error as Error);
  }
}

/** What went wrong with an attack a run tells, and rests as before. */
function owing({ message }: RunSummary): Pick<RunSummary, 'status' | 'message'> {
  if (message !== null) return { status: 'failed', message };
  return {
    status: 'waiting',
    message: 'It is trained; attacks that its experiment has got since are still to be made.',
  };
}
