// The cells of a sweep as a table: its columns, the order of its rows, their texts. Pure.
import { formatDuration } from '../../server/protocol/duration.ts';
import { statusText, type RunStatus, type RunSummary } from '../../server/protocol/run.ts';
import { cellGroup, type SweepCell, type SweepCounts } from '../../server/protocol/sweep.ts';
import { bestOf } from '../compare/best.ts';
import { sortableText, sortByValue } from '../compare/sortByValue.ts';
import { formatCount, formatPercent } from '../text/numbers.ts';
import { tookMs } from './sweepTime.ts';

export interface CellColumn {
  /** `status`, `value/<path>`, … */
  readonly key: string;
  readonly title: string;
  /** Empty where the cell has none. */
  readonly text: (cell: SweepCell, run: RunSummary | undefined) => string;
  /** What rows are sorted by; NaN or an empty text for none. */
  readonly value: (cell: SweepCell, run: RunSummary | undefined) => number | string;
  /** Whether it is a figure of which more is better. */
  readonly isAccuracy?: boolean;
}

/** What to look at first, first. */
const groupOrder: Readonly<Record<keyof SweepCounts, number>> = { failed: 0, working: 1, finished: 2, left: 3 };

/** Without a choice failed cells come first, then those at work, those that are done, and what is left, each as in the matrix. */
export const statusColumn: CellColumn = {
  ...{ key: 'status', title: 'status' },
  text: (cell) => cellStatusText(cell),
  value: ({ status }) => groupOrder[cellGroup(status)],
};

export const nameColumn: CellColumn = {
  ...{ key: 'name', title: 'cell', text: ({ name }) => name, value: ({ name }) => name },
};

/** Besides status and name: the axes where there are several, then how far each is and what it has come to. */
export function cellColumns(cells: readonly SweepCell[]): CellColumn[] {
  const paths = [...new Set(cells.flatMap(({ values }) => Object.keys(values)))];
  const varied = paths.filter((path) => new Set(cells.map(({ values }) => values[path])).size > 1);
  const column = (
    key: string,
    title: string,
    value: CellColumn['value'],
    text: (value: number, cell: SweepCell) => string,
  ): CellColumn => ({
    ...{ key, title, value },
    text: (cell, run) => {
      const found = value(cell, run);
      return typeof found === 'string' ? found : Number.isNaN(found) ? '' : text(found, cell);
    },
  });
  const accuracy = (name: string, of: (cell: SweepCell) => number | null): CellColumn => ({
    ...column(
      name,
      name,
      (cell) => of(cell) ?? Number.NaN,
      (value) => formatPercent(value),
    ),
    isAccuracy: true,
  });
  return [
    ...varied.map((path) =>
      column(
        `value/${path}`,
        path.split('.').at(-1)!,
        ({ values }) => sortableText(values[path] ?? ''),
        (_, { values }) => values[path]!,
      ),
    ),
    column(
      ...(['progress', 'progress'] as const),
      ({ step, steps, runId }) => (runId === null || steps === 0 ? Number.NaN : step / steps),
      (share, { step, steps }) => (share === 1 ? '100 %' : `${formatCount(step)} of ${formatCount(steps)}`),
    ),
    accuracy('clean', ({ cleanAccuracy }) => cleanAccuracy),
    accuracy('robust', ({ robustAccuracy }) => robustAccuracy),
    column('took', 'time', (_, run) => (run && run.step > 0 ? tookMs(run) : Number.NaN), formatDuration),
  ];
}

export function cellStatusText({ status, step, steps }: Pick<SweepCell, 'status' | 'step' | 'steps'>): string {
  return statusText({ status, step, steps });
}

/** What is to be said under a row: why it failed or was cut off, or for what it waits, here or at a cluster's scheduler. */
export function cellReason({ status, message, job }: SweepCell): string | null {
  if (job !== undefined && job.waits !== null) return `${job.place}: ${job.waits}`;
  const told: readonly RunStatus[] = ['failed', 'diverged', 'damaged', 'interrupted', 'waiting'];
  return message !== null && told.includes(status) ? message : null;
}

export function sortCells(
  cells: readonly SweepCell[],
  runs: ReadonlyMap<string, RunSummary>,
  column: CellColumn,
  { isDescending }: { readonly isDescending: boolean },
): SweepCell[] {
  const valueOf = (cell: SweepCell) => column.value(cell, cell.runId === null ? undefined : runs.get(cell.runId));
  return sortByValue(cells, valueOf, { isDescending });
}

/**
 * Positions of the cells with the best accuracy. Only those that are done count: what one at work has may yet change; and no part of an
 * evaluation, which saw fewer images. None where each was attacked otherwise.
 */
export function bestCells(cells: readonly SweepCell[], column: CellColumn): ReadonlySet<number> {
  const attacks = cells.map(({ values }) =>
    JSON.stringify(Object.entries(values).filter(([path]) => isOfAttack(path))),
  );
  if (!column.isAccuracy || (column.key === 'robust' && new Set(attacks).size > 1)) return new Set();
  return bestOf(
    cells.map((cell) =>
      cellGroup(cell.status) === 'finished' && !cell.isPart ? Number(column.value(cell, undefined)) : Number.NaN,
    ),
  );
}

function isOfAttack(path: string): boolean {
  return path.startsWith('evaluation');
}

/** What a filter looks at. */
export function wordsOfCell(cell: SweepCell): string {
  const values = Object.entries(cell.values).map(([path, text]) => `${path} ${text}`);
  return [cell.name, ...values, cellStatusText(cell), cellReason(cell) ?? ''].join(' ');
}
