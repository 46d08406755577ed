// What defences cost beside a training step of VGG-KAF, in the processor time of the one thread that works, for a machine too busy for
// clocks: node scripts/node24.mjs test/bench/defenceCosts.ts [--rounds N]. Standard, PGD-AT and FGSM-RS steps alternate with a look
// of the watch and steps of a sweep of learning rates. Prints JSON; by the clock the same are pgd-at-against-standard,
// watch-against-none and lr-find-against-steps of npm run bench.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { datasetHere } from '../../server/data/dataset.ts';
import { makeShapes } from '../../server/data/shapes.ts';
import { openRuntime } from '../../server/tensor/runtime.ts';
import { CollapseWatch } from '../../server/trainer/collapseWatch.ts';
import { findLearningRate } from '../../server/trainer/findLearningRate.ts';
import { networkOf } from '../../server/trainer/planNetwork.ts';
import { describeMachine } from './statistics.ts';
import { makeStepper, planOf } from './trainingStep.ts';
import type { Work } from './work.ts';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const rounds = Number(options.rounds);
/** Of a sweep, whose network is made anew each time. */
const sweepSteps = 4;

await openRuntime('wasm', { assetsFolder: path.join(import.meta.dirname, '../../dist'), threads: 1 });
const standard: Work = {
  ...{ kind: 'step', network: 'vgg', activation: 'kaf', dictionary: 20, method: 'standard' },
  ...{ batchSize: 128, normsEverySteps: 0 },
};
const fgsmRs: Work = { ...standard, method: 'fgsm-rs' };
const plan = planOf(fgsmRs);
const dataset = datasetHere(plan.dataset, makeShapes({ trainSamples: 512, testSamples: 10, seed: 0 }));
const watched = { everySteps: 50, samples: 32, steps: 10, gap: 0.1, onCollapse: 'tell', factor: 0.5 } as const;
const watch = new CollapseWatch(plan, watched, plan.training.threat!, networkOf(plan, dataset), dataset);

const works: Readonly<Record<string, () => Promise<unknown>>> = {
  standard: makeStepper(standard),
  pgd: makeStepper({ ...standard, method: 'pgd' }),
  fgsmRs: makeStepper(fgsmRs),
  look: () => watch.look(1),
  sweepOfSteps: sweep,
};
const times = Object.fromEntries(Object.keys(works).map((name): [string, number[]] => [name, []]));
for (let round = -1; round < rounds; round++) {
  for (const [name, work] of Object.entries(works)) {
    const before = process.threadCpuUsage();
    await work();
    const { user, system } = process.threadCpuUsage(before);
    if (round >= 0) times[name]!.push((user + system) / 1000);
  }
}
const of = (name: string) => median(times[name]!);
const ratios = {
  pgdToStandard: of('pgd') / of('standard'),
  watchShare: of('look') / (watched.everySteps * of('fgsmRs')),
  sweepToSteps: of('sweepOfSteps') / (sweepSteps * of('fgsmRs')),
};
console.log(
  JSON.stringify({ machine: describeMachine(), rounds, unit: 'ms of processor time', times, ratios }, null, 2),
);
process.exit();

async function sweep(): Promise<void> {
  const { signal } = new AbortController();
  let last = 0;
  for await (const { step } of findLearningRate(plan, dataset, { from: 1e-6, to: 1e-5, steps: sweepSteps, signal })) {
    last = step;
  }
  if (last !== sweepSteps) throw new Error('the sweep has ended early');
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
}
