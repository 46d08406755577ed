// The run that a command names, as it is.
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunSummary } from '../protocol/run.ts';
import { LifeWatch } from '../run/lifeWatch.ts';
import { isRunFolder } from '../run/runFolder.ts';
import { glance, judged, placeOf } from '../run/runGlance.ts';
import { UsageError } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** Absolute. @throws UsageError where there is no run. */
export function runFolderOf(run: string, runsFolder: string): string {
  const candidates = [path.resolve(run), path.join(runsFolder, run)];
  const found = candidates.find(isRunFolder);
  if (!found) {
    throw new UsageError(
      `There is no run ${run}: neither ${candidates.join(' nor ')} holds an origin.json or a run.db.`,
    );
  }
  return found;
}

const lookAgainMs = 1000;

/**
 * The run as it is; one whose process is gone counts as interrupted. Where only a heartbeat can tell (it was at work in a container, on
 * another host, or before the machine was started anew), waits until it has told.
 * @throws StorageError
 */
export async function lookAtRun(
  folder: string,
  terminal: Terminal,
): Promise<{ summary: RunSummary; place: string | null }> {
  const watch = new LifeWatch();
  for (let hasTold = false; ; await delay(lookAgainMs)) {
    const seen = glance(folder);
    const { summary, life } = judged(seen, watch);
    const place = placeOf(seen);
    if (life !== 'unheard') return { summary, place };
    const seconds = Math.ceil(watch.remainingMs(seen.sign) / 1000);
    if (!hasTold) {
      terminal.error(
        `${summary.id} was at work elsewhere${place ? ` (${place})` : ''}. Waiting up to ${String(seconds)} s to see whether it still is …`,
      );
    }
    hasTold = true;
  }
}
