// A sweep at work, told to a terminal: each cell as it begins and ends, and how long the rest will take.
import { cellGroup, countCells, type SweepCell } from '../protocol/sweep.ts';
import { cellLine, countsText } from './sweepText.ts';
import type { Terminal } from './terminal.ts';

export class SweepReport {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  readonly #startMs: number;
  readonly #statuses = new Map<string, string>();
  #startDone = 0;

  /** @param now milliseconds of a clock that is never set */
  constructor(terminal: Terminal, now: () => number) {
    this.#terminal = terminal;
    this.#now = now;
    this.#startMs = now();
  }

  begin(cells: readonly SweepCell[]): void {
    this.#startDone = doneShare(cells);
  }

  changed(cell: SweepCell, cells: readonly SweepCell[]): void {
    const { identity, name, runId, status, message } = cell;
    if (this.#statuses.get(identity) !== status) {
      this.#statuses.set(identity, status);
      const { step, steps, cleanAccuracy, robustAccuracy } = cell;
      const figures = { step, steps, cleanAccuracy, robustAccuracy };
      this.#terminal.event({ type: 'cell', name, identity, runId, status, message, ...figures });
      if (status === 'training' || cellGroup(status) !== 'working') this.#terminal.line(cellLine(cell));
    }
    const left = this.#leftMs(cells);
    const time = left === null ? '' : ` · about ${durationText(left)} left`;
    this.#terminal.progress(`${countsText(countCells(cells))}${time}`);
  }

  /** What trainers say for developers. */
  log(line: string): void {
    this.#terminal.event({ type: 'log', line });
  }

  /** By the share of all steps that was done since the start; null until one is. */
  #leftMs(cells: readonly SweepCell[]): number | null {
    const done = doneShare(cells);
    const gained = done - this.#startDone;
    return gained <= 0 ? null : ((this.#now() - this.#startMs) * (1 - done)) / gained;
  }
}

/** A cell that has failed has nothing left to do. */
function doneShare(cells: readonly SweepCell[]): number {
  const shares = cells.map(({ status, step, steps }) => {
    const group = cellGroup(status);
    if (group === 'finished' || group === 'failed') return 1;
    return steps > 0 ? Math.min(1, step / steps) : 0;
  });
  return shares.reduce((sum, share) => sum + share, 0) / Math.max(1, cells.length);
}

function durationText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return 'a minute';
  if (minutes < 60) return `${String(minutes)} min`;
  return `${String(Math.floor(minutes / 60))} h ${String(minutes % 60)} min`;
}
