// Entry of `dist/look.cjs <data set's plan as JSON> <assets folder>`, forked by run/lookProcess.ts: opens the data set and sends
// what there is to see.
import os from 'node:os';
import { boundCache, cacheLimitBytes } from './data/cacheBound.ts';
import { DataError } from './data/dataError.ts';
import { openDataset } from './data/dataset.ts';
import { lookAtDataset } from './data/datasetLook.ts';
import { encode } from './protocol/codec.ts';
import type { DatasetLook } from './protocol/datasetLook.ts';
import { datasetDeclaration } from './protocol/datasets.ts';
import type { DatasetPlan } from './protocol/plan.ts';
import { userCacheFolder } from './protocol/userData.ts';
import type { LookMessage } from './run/lookProcess.ts';
import { ignoreDebuggerSignal } from './run/processSignals.ts';

/** Progress is told no more often. */
const shortestGapMs = 100;

ignoreDebuggerSignal();
process.once('disconnect', () => process.exit());
void main();

async function main(): Promise<void> {
  const answer = await attempt(JSON.parse(process.argv[2] ?? '') as DatasetPlan, process.argv[3] ?? '');
  process.send?.(answer, undefined, undefined, () => {
    process.exit();
  });
}

async function attempt(plan: DatasetPlan, assetsFolder: string): Promise<LookMessage> {
  const onProgress = progressTeller();
  // One that is not wanted any more is ended as a process.
  const { signal } = new AbortController();
  try {
    const cacheFolder = userCacheFolder({ env: process.env, platform: process.platform, homeFolder: os.homedir() });
    const cacheLimit = cacheLimitBytes(process.env);
    const dataset = await openDataset(plan, { assetsFolder, cacheFolder, signal, onProgress });
    boundCache(cacheFolder, cacheLimit);
    const figures = await lookAtDataset(dataset, { signal, onProgress });
    const look: DatasetLook = { title: datasetDeclaration(plan.name).title, places: placesOf(plan), ...figures };
    return { type: 'done', bytes: encode(look) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { type: error instanceof DataError ? 'bad' : 'failed', message };
  }
}

function progressTeller(): (what: string, done: number, total: number | null) => void {
  let toldMs = -Infinity;
  return (what, done, total) => {
    const nowMs = performance.now();
    if (nowMs - toldMs < shortestGapMs) return;
    toldMs = nowMs;
    process.send?.({ type: 'progress', progress: { what, done, total } } satisfies LookMessage);
  };
}

function placesOf(plan: DatasetPlan): string[] {
  const places = [plan.name === 'shapes' ? null : plan.path, 'testPath' in plan ? plan.testPath : null];
  return places.filter((place) => place !== null);
}
