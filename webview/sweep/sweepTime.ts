// How long a sweep still takes, by the runs of it that have come to their end.
import type { RunSummary } from '../../server/protocol/run.ts';
import { cellGroup, type SweepCell } from '../../server/protocol/sweep.ts';

/**
 * The steps that are left, each as long as in the finished cells of the same values, seeds aside, or else in all of them; shared out among
 * the runs that are at work now. Of a run its whole time counts, tests and attacks with it; the median leaves out one that was paused.
 * @returns milliseconds; NaN while none has finished
 */
export function remainingMs(cells: readonly SweepCell[], runs: ReadonlyMap<string, RunSummary>): number {
  const finished = cells.flatMap((cell) => {
    const run = cell.runId === null ? undefined : runs.get(cell.runId);
    if (cell.status !== 'finished' || !run || run.steps === 0) return [];
    return [{ setting: settingOf(cell), msPerStep: tookMs(run) / run.steps, steps: run.steps }];
  });
  if (finished.length === 0) return Number.NaN;
  const bySetting = Map.groupBy(finished, ({ setting }) => setting);
  const usualSteps = median(finished.map(({ steps }) => steps));
  let ms = 0;
  let nWorking = 0;
  for (const cell of cells) {
    const group = cellGroup(cell.status);
    if (group === 'working') nWorking++;
    if (group !== 'working' && group !== 'left') continue;
    const speeds = (bySetting.get(settingOf(cell)) ?? finished).map(({ msPerStep }) => msPerStep);
    ms += Math.max(0, (cell.steps || usualSteps) - cell.step) * median(speeds);
  }
  return ms / Math.max(1, nWorking);
}

/** That it was at work; of a run of an older version from its beginning to its end, or to its newest record. */
export function tookMs({ createdMs, updatedMs, workedMs = updatedMs - createdMs }: RunSummary): number {
  return workedMs;
}

function settingOf({ values }: SweepCell): string {
  return JSON.stringify(Object.entries(values).filter(([path]) => path !== 'seed'));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
