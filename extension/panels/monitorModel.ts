// What the Monitor shows: live runs, else the newest ended one, each with the tails of its curves. Pure.
import type { MonitoredRun } from '../../server/protocol/panel.ts';
import type { Row } from '../../server/protocol/records.ts';
import type { RunSummary } from '../../server/protocol/run.ts';
import { isLive } from '../../server/protocol/run.ts';
import type { RunSnapshot } from '../../server/protocol/snapshot.ts';

/** Points of a sparkline; more would not be seen. */
export const tailLength = 160;

export interface RunTails {
  readonly loss: number[];
  readonly batchAccuracy: number[];
  readonly accuracy: number[];
  readonly robustAccuracy: number[];
}

/** Live runs, those at work before the queue, which is in its own order; without any, the one that ended last. */
export function monitoredRuns(runs: readonly RunSummary[]): readonly RunSummary[] {
  const live = runs.filter((run) => isLive(run.status));
  if (live.length > 0) {
    const queue = live.filter(({ status }) => status === 'queued').sort(inQueue);
    const atWork = live.filter(({ status }) => status !== 'queued').sort((a, b) => b.createdMs - a.createdMs);
    return [...atWork, ...queue];
  }
  // What was put away is nothing to look at, and what nobody has begun has not ended: it may wait at a cluster.
  const kept = runs.filter(({ mark, status }) => !mark?.isTrashed && status !== 'waiting');
  return kept.reduce<readonly RunSummary[]>(
    ([newest], run) => [newest && newest.updatedMs >= run.updatedMs ? newest : run],
    [],
  );
}

/** Who was queued first comes first: since then nothing has changed them. */
function inQueue(a: RunSummary, b: RunSummary): number {
  return a.updatedMs - b.updatedMs || a.createdMs - b.createdMs || a.id.localeCompare(b.id, 'en', { numeric: true });
}

export function tailsOf(snapshot: RunSnapshot): RunTails {
  return {
    loss: snapshot.steps.loss.slice(-tailLength),
    batchAccuracy: snapshot.steps.accuracy.slice(-tailLength),
    accuracy: snapshot.tests.accuracy.slice(-tailLength),
    robustAccuracy: snapshot.tests.robustAccuracy.filter((value) => !Number.isNaN(value)).slice(-tailLength),
  };
}

/** Adds rows in place. */
export function extendTails(tails: RunTails, rows: readonly Row[]): void {
  for (const { record } of rows) {
    if (record.type === 'step') {
      append(tails.loss, record.loss);
      append(tails.batchAccuracy, record.accuracy);
    }
    if (record.type !== 'test') continue;
    append(tails.accuracy, record.accuracy);
    if (record.robustAccuracy !== null) append(tails.robustAccuracy, record.robustAccuracy);
  }
}

/**
 * Images a second of the runs that train, as far as they were heard of. Throughput is in no row, for rows hold no time of a
 * machine; it comes with the runs' summaries, and no snapshot gives back what is forgotten.
 */
export class Throughputs {
  private readonly tails = new Map<string, number[]>();

  note(run: RunSummary): void {
    if (!isLive(run.status)) this.forget(run.id);
    else if (run.status === 'training' && run.imagesPerSecond !== null) {
      const tail = this.tails.get(run.id) ?? [];
      append(tail, run.imagesPerSecond);
      this.tails.set(run.id, tail);
    }
  }

  forget(runId: string): void {
    this.tails.delete(runId);
  }

  of(runId: string): readonly number[] {
    return this.tails.get(runId) ?? [];
  }
}

export function monitoredRun(
  run: RunSummary,
  tails: RunTails | undefined,
  imagesPerSecond: readonly number[],
): MonitoredRun {
  return {
    run,
    loss: tails?.loss ?? [],
    batchAccuracy: tails?.batchAccuracy ?? [],
    accuracy: tails?.accuracy ?? [],
    robustAccuracy: tails?.robustAccuracy ?? [],
    imagesPerSecond,
  };
}

function append(values: number[], value: number): void {
  values.push(value);
  if (values.length > tailLength) values.shift();
}
