// Data sets that are too large to hold: a folder of 20,000 pictures and a table of 1,000,000 rows × 18, made here. How long it takes
// to read them the first time and from the cache, the most memory that the process took, and which share of the training steps'
// time is spent waiting for a batch.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import type Vips from 'wasm-vips';
import { openDataset } from '../../server/data/dataset.ts';
import type { Dataset } from '../../server/data/split.ts';
import { consecutiveBatches, readAhead } from '../../server/data/batches.ts';
import type { DatasetPlan } from '../../server/protocol/plan.ts';
import { train } from '../../server/trainer/train.ts';
import { planOf } from './trainingStep.ts';

export interface DataResult {
  readonly name: string;
  readonly samples: number;
  /** The first time, and from the cache. */
  readonly readMs: number;
  readonly openMs: number;
  /** Of the whole process, after reading, before the runtime trains. */
  readonly peakRssMb: number;
  /** In percent of the steps' time; null where nothing trains. */
  readonly waitShare: number | null;
  readonly steps: number;
}

const assetsFolder = path.join(import.meta.dirname, '../../dist');
const sizes = { trainSamples: null, testSamples: null, testShare: 0.1, seed: 0 } as const;

/** @param steps of training on the pictures; the runtime must be open */
export async function measureData(steps: number): Promise<DataResult[]> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-data-'));
  try {
    const pictures = path.join(home, 'pictures');
    await makePictures(pictures, 20_000);
    const table = path.join(home, 'table.csv');
    makeTable(table, 1_000_000);
    const folderPlan: DatasetPlan = {
      ...{ ...sizes, name: 'folder', path: pictures, testPath: null, size: 32, colors: 'rgb' },
    };
    const tablePlan: DatasetPlan = {
      ...{ ...sizes, name: 'table', path: table, testPath: null, label: 'label', separator: ',' },
    };
    const results = [
      await measure(tablePlan, home, drain),
      await measure(folderPlan, home, (set) => trainOn(set, steps)),
    ];
    return results;
  } finally {
    fs.rmSync(home, { recursive: true });
  }
}

type Use = (dataset: Dataset) => Promise<{ readonly waitShare: number | null; readonly steps: number }>;

async function measure(plan: DatasetPlan, home: string, use: Use): Promise<DataResult> {
  const around = {
    ...{ assetsFolder, cacheFolder: path.join(home, 'cache'), signal: new AbortController().signal },
    onProgress: () => {},
  };
  const readStart = performance.now();
  await (await openDataset(plan, around)).close();
  const openStart = performance.now();
  const dataset = await openDataset(plan, around);
  const end = performance.now();
  const peakRssMb = Math.round(process.resourceUsage().maxRSS / 1024);
  const used = await use(dataset);
  await dataset.close();
  return {
    name: plan.name,
    samples: dataset.train.nSamples + dataset.test.nSamples,
    readMs: Math.round(openStart - readStart),
    openMs: Math.round(end - openStart),
    ...{ peakRssMb, ...used },
  };
}

/** An epoch without training. */
async function drain(dataset: Dataset): ReturnType<Use> {
  let steps = 0;
  for await (const _ of readAhead(dataset.train, consecutiveBatches(dataset.train.nSamples, 128))) steps++;
  return { waitShare: null, steps };
}

async function trainOn(dataset: Dataset, steps: number): ReturnType<Use> {
  const plan = planOf({
    ...{ kind: 'step', network: 'light', activation: 'relu', dictionary: 20, method: 'standard' },
    ...{ batchSize: 128, normsEverySteps: 0 },
  });
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
  const share = (100 * waitedMs) / (performance.now() - startMs);
  return { waitShare: Math.round(share * 1000) / 1000, steps };
}

/** Ten classes of noise around a colour of their own, 64×64, as JPEG. */
async function makePictures(folder: string, count: number): Promise<void> {
  const file = path.join(assetsFolder, 'vips/vips-node.cjs');
  const vips = await (createRequire(file)(file) as typeof Vips)({ dynamicLibraries: [] });
  vips.concurrency(1);
  const noise = vips.Image.gaussnoise(64, 64, { mean: 0, sigma: 20 });
  for (let label = 0; label < 10; label++) fs.mkdirSync(path.join(folder, `class${label}`), { recursive: true });
  for (let index = 0; index < count; index++) {
    const label = index % 10;
    const shades = [25 * label, 255 - 25 * label, (index * 37) % 256].map((shade) => noise.add(shade).cast('uchar'));
    const picture = shades[0]!.bandjoin(shades.slice(1)).copy({ interpretation: 'srgb' });
    fs.writeFileSync(path.join(folder, `class${label}`, `${index}.jpg`), picture.writeToBuffer('.jpg'));
    picture.delete();
    for (const shade of shades) shade.delete();
  }
  vips.shutdown();
}

/** Two classes, told apart by the sum of the columns. */
function makeTable(file: string, nRows: number): void {
  const descriptor = fs.openSync(file, 'w');
  fs.writeSync(descriptor, `label,${Array.from({ length: 18 }, (_, column) => `f${column}`).join(',')}\n`);
  let state = 1;
  for (let first = 0; first < nRows; first += 1000) {
    const lines = Array.from({ length: 1000 }, () => {
      const values = Array.from({ length: 18 }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 31 - 1;
      });
      const sum = values.reduce((total, value) => total + value, 0);
      return `${sum > 0 ? 1 : 0},${values.map((value) => value.toExponential(9)).join(',')}\n`;
    });
    fs.writeSync(descriptor, lines.join(''));
  }
  fs.closeSync(descriptor);
}
