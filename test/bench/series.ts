// What a run of any length costs to open: the pyramid made once, the snapshot and the series of a dashboard, and the memory of the thread that
// makes them. Prints one JSON object. In processor time too: a busy machine's clock says nothing.
//   node scripts/node24.mjs test/bench/series.ts [steps] [tensors]
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SeriesThread } from '../../server/run/series/seriesThread.ts';
import type { SeriesQuery } from '../../server/protocol/series.ts';
import { logBytes, makeLongRun } from './longRun.ts';

const nSteps = Number(process.argv[2] ?? 1_000_000);
const nTensors = Number(process.argv[3] ?? 300);
const entryFile = path.join(import.meta.dirname, '../../server/seriesMain.ts');
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-bench-series-'));
try {
  console.log(JSON.stringify(await measure(), null, 2));
} finally {
  fs.rmSync(work, { recursive: true, force: true });
}

async function measure() {
  const run = makeLongRun(path.join(work, 'runs'), {
    nSteps,
    nTensors,
    normsEvery: 10,
    spikeAt: Math.floor(nSteps / 3),
  });
  const logMb = logBytes(run.folder) / 1e6;
  globalThis.gc?.();
  const made = await opened(run, logMb);
  const again = await opened(run, logMb);
  return { nSteps, nTensors, logMb, made, again };
}

/** With what the cache has by then. */
async function opened(run: { id: string; folder: string }, logMb: number) {
  const thread = new SeriesThread(entryFile, path.join(work, 'cache'));
  const beforeBytes = process.memoryUsage().rss;
  let peakBytes = 0;
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage().rss);
  }, 50);
  const snapshot = await timed(() => thread.snapshot(run, {}));
  const tags = ['loss', 'accuracy', 'learningRate', 'gradientNorm'];
  const layers = Array.from({ length: nTensors / 2 }, (_, layer) => `gradients/layer${String(layer)}/*`);
  const read = (query: Partial<SeriesQuery> & { tags: string[]; pixels: number }) =>
    timed(() => thread.read([run], { from: null, to: null, rowsPerBucket: null, smoothing: 0, ...query }, {}));
  const curves = await read({ tags, pixels: 700, smoothing: 0.9 });
  const map = await read({ tags: layers, pixels: 128 });
  const zoom = await read({ tags, pixels: 700, from: nSteps / 3 - 300, to: nSteps / 3 + 300 });
  clearInterval(timer);
  await thread.close();
  return {
    snapshot: { ...snapshot.took, bytes: snapshot.answer.bytes.length },
    mbPerCpuSecond: logMb / (snapshot.took.cpuMs / 1000),
    curves: { ...curves.took, bytes: curves.answer.length },
    map: { ...map.took, bytes: map.answer.length },
    zoom: { ...zoom.took, bytes: zoom.answer.length },
    memoryMb: (peakBytes - beforeBytes) / 1e6,
  };
}

async function timed<T>(ask: () => Promise<T>): Promise<{ answer: T; took: { ms: number; cpuMs: number } }> {
  const startedMs = performance.now();
  const before = process.cpuUsage();
  const answer = await ask();
  const { user, system } = process.cpuUsage(before);
  return { answer, took: { ms: Math.round(performance.now() - startedMs), cpuMs: Math.round((user + system) / 1000) } };
}
