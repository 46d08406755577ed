// What finished runs took, for those who plan others like them.
import type { RunSummary } from '../protocol/run.ts';
import { folderBytes } from '../run/folderBytes.ts';
import { readHead } from '../run/logFile.ts';
import type { SeenRun } from './sweepEstimate.ts';

/**
 * Of each description the newest run that trained to its end without a break: of one that was taken up again nobody knows how long it
 * rested, nor when one began that waited in a queue, but by its log.
 */
export async function seenRuns(runs: readonly RunSummary[], descriptions: ReadonlySet<string>): Promise<SeenRun[]> {
  const seen = new Map<string, SeenRun>();
  const newestFirst = runs.toSorted((a, b) => b.updatedMs - a.updatedMs);
  for (const { description, status, incarnation, folder, steps, epochs, updatedMs } of newestFirst) {
    if (status !== 'finished' || incarnation !== 0 || !descriptions.has(description) || seen.has(description)) continue;
    const head = readHead(folder, 0);
    if (!head) continue;
    const tookMs = updatedMs - head.startedMs;
    seen.set(description, { description, steps, epochs, tookMs, bytes: await folderBytes(folder) });
  }
  return [...seen.values()];
}
