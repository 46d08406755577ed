// Data sets that are too large to hold (bigData.ts): how long it takes to read them the first time and from the cache, the most
// memory that the command line takes to train on them, both times, and which share of the steps' time is spent waiting for a batch.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { openDataset } from '../../server/data/dataset.ts';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import { train } from '../../server/trainer/train.ts';
import { makeArrays, makePictures, makeTable } from './bigData.ts';

export interface DataResult {
  readonly name: string;
  readonly samples: number;
  /** The first time, and from the cache. */
  readonly readMs: number;
  readonly openMs: number;
  /** Of `kafscope train`, the largest of its processes: twenty steps the first time, and from the cache. */
  readonly peakRssMb: number;
  readonly peakRssAgainMb: number;
  /** In percent of the steps' time. */
  readonly waitShare: number;
  readonly steps: number;
}

const dist = path.join(import.meta.dirname, '../../dist');

/** @param steps that are watched for waiting; the runtime must be open */
export async function measureData(steps: number): Promise<DataResult[]> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-data-'));
  try {
    await makePictures(path.join(home, 'pictures'), 20_000, dist);
    makeTable(path.join(home, 'table.csv'), 1_000_000);
    makeArrays(path.join(home, 'pictures.npz'), 20_000, 64);
    const results: DataResult[] = [];
    for (const [dataset, network] of [
      ['{name: folder, path: pictures, testShare: 0.1}', 'light'],
      ['{name: table, path: table.csv, testShare: 0.1}', 'mlp'],
      ['{name: arrays, path: pictures.npz, testShare: 0.1}', 'light'],
    ] as const) {
      const text = `dataset: ${dataset}\nmodel: {network: ${network}, activation: relu}\ntraining: {method: standard, epochs: 1, schedule: {type: constant, learningRate: 1e-4}}\nobserve: {robustSamples: 0}\nruntime: wasm\n`;
      results.push(await measure(text, home, steps));
    }
    return results;
  } finally {
    fs.rmSync(home, { recursive: true });
  }
}

async function measure(text: string, home: string, steps: number): Promise<DataResult> {
  const file = path.join(home, 'experiment.kaf.yaml');
  fs.writeFileSync(file, text);
  const plan = compileExperiment(text, { file, overrides: {}, homeFolder: home }).plans[0]!;
  const around = {
    ...{ assetsFolder: dist, cacheFolder: path.join(home, 'cache'), signal: new AbortController().signal },
    onProgress: () => {},
  };
  const readStart = performance.now();
  await (await openDataset(plan.dataset, around)).close();
  const openStart = performance.now();
  const dataset = await openDataset(plan.dataset, around);
  const openMs = Math.round(performance.now() - openStart);
  const waitShare = await trainOn(plan, dataset, steps);
  const samples = dataset.train.nSamples + dataset.test.nSamples;
  await dataset.close();
  return {
    ...{ name: plan.dataset.name, samples, readMs: Math.round(openStart - readStart), openMs },
    peakRssMb: await peakOfTraining(file, home),
    peakRssAgainMb: await peakOfTraining(file, home),
    ...{ waitShare, steps },
  };
}

/** In percent. */
async function trainOn(plan: Plan, dataset: Parameters<typeof train>[1], steps: number): Promise<number> {
  let waitedMs = 0;
  let sinceMs = 0;
  const onWait = (isWaiting: boolean): void => {
    if (isWaiting) sinceMs = performance.now();
    else waitedMs += performance.now() - sinceMs;
  };
  const events = train(plan, dataset, { from: null, signal: new AbortController().signal, onWait });
  let done = -3; // Steps in which the engine warms up, and the first batch is read.
  let startMs = 0;
  for await (const event of events) {
    if (event.type !== 'record' || event.record.type !== 'step') continue;
    if (++done === 0) {
      startMs = performance.now();
      waitedMs = 0;
    }
    if (done === steps) break;
  }
  return Math.round((100_000 * waitedMs) / (performance.now() - startMs)) / 1000;
}

/** Of a short `kafscope train` and of all processes that it starts, the most resident memory of one, in MB; its cache lies in the home. */
async function peakOfTraining(file: string, home: string): Promise<number> {
  const peaks = path.join(home, 'peaks.txt');
  fs.rmSync(peaks, { force: true });
  const env = {
    ...{ ...process.env, XDG_CACHE_HOME: path.join(home, 'line-cache'), KAFSCOPE_PEAKS: peaks },
    NODE_OPTIONS: `--require ${path.join(import.meta.dirname, 'notePeak.cjs')}`,
  };
  // The data set is opened whole all the same.
  const few = ['--set', 'dataset.trainSamples=2560', '--set', 'dataset.testSamples=1000'];
  const command = [path.join(dist, 'cli.cjs'), 'train', file, '--out', path.join(home, 'runs'), '--json', ...few];
  await promisify(execFile)(process.execPath, command, { env, maxBuffer: 1 << 30 });
  const bytes = fs.readFileSync(peaks, 'utf8').trim().split('\n').map(Number);
  return Math.round(Math.max(...bytes) / 1e6);
}
