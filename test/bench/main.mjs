// npm run bench -- [--json] [--only NAME] [--torch PYTHON] [--rounds N] [--threads 1|2]
// Times whole training steps of ours beside PyTorch's, alternating in one run, and the hot kernels alone. One thread of ours;
// PyTorch with one and with two. Without a Python that has PyTorch (--torch or KAFSCOPE_TORCH_PYTHON) only ours are timed.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openRuntime } from '../../server/tensor/runtime.ts';
import { timeKernels } from './kernels.ts';
import { describeMachine, summarize } from './statistics.ts';
import { startTorch } from './torchProcess.ts';
import { batchSize, makeStepper } from './trainingStep.ts';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    torch: { type: 'string', default: process.env['KAFSCOPE_TORCH_PYTHON'] },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string' },
  },
});
const rounds = Number(options.rounds);

const steps = [
  { name: 'light-kaf-standard', network: 'light', activation: 'kaf', method: 'standard', isCompared: true },
  { name: 'light-kaf-fgsm-rs', network: 'light', activation: 'kaf', method: 'fgsm-rs', isCompared: true },
  { name: 'light-swish-standard', network: 'light', activation: 'swish', method: 'standard', isCompared: false },
  { name: 'vgg-kaf-standard', network: 'vgg', activation: 'kaf', method: 'standard', isCompared: false },
];
const rivals = ['eager', 'compiled'].flatMap((mode) => [1, 2].map((threads) => ({ mode, threads })));

const runtime = await openRuntime('wasm', { assetsFolder: path.join(root, 'dist') });
const report = {
  machine: describeMachine(),
  runtime: `${runtime.name} · ${runtime.device}`,
  batchSize,
  unit: 'ms',
  results: [],
};
for (const step of steps) {
  if (options.only && options.only !== step.name) continue;
  report.results.push(await timeStep(step));
}
if (!options.only || options.only === 'kernels') report.results.push({ name: 'kernels', kernels: timeKernels(rounds) });
print(report);

/** Ours alone, then beside each rival: one step of each in turn. */
async function timeStep({ name, isCompared, ...what }) {
  const compared = isCompared && options.torch ? rivals.filter(({ threads }) => isWanted(threads)) : [];
  const makeOurs = await makeStepper({ ...what, steps: 3 + rounds * (1 + compared.length) });
  // The engine compiles the hot kernels anew in the first steps.
  for (let i = 0; i < 3; i++) await makeOurs();
  const alone = [];
  for (let i = 0; i < rounds; i++) alone.push(await makeOurs());
  const result = { name, ...what, ours: summarizeSteps(1, alone), rivals: [] };
  for (const { mode, threads } of compared) {
    note(`${name}: PyTorch ${mode}, ${threads} threads`);
    const torch = await startTorch(options.torch, { mode, threads, method: what.method, activation: what.activation });
    const ours = [];
    const theirs = [];
    for (let i = 0; i < rounds; i++) {
      ours.push(await makeOurs());
      theirs.push(await torch.step());
    }
    await torch.close();
    const [mine, rival] = [summarizeSteps(1, ours), summarizeSteps(threads, theirs)];
    result.rivals.push({
      engine: `PyTorch ${torch.version} ${mode}`,
      theirs: rival,
      ours: mine,
      ratio: ratioOf(rival.clock, mine.clock),
      cpuRatio: ratioOf(rival.cpu, mine.cpu),
    });
  }
  return result;
}

function isWanted(threads) {
  return !options.threads || Number(options.threads) === threads;
}

function summarizeSteps(threads, samples) {
  const clock = summarize(samples.map(({ ms }) => ms));
  const cpu = summarize(samples.map(({ cpuMs }) => cpuMs));
  return { threads, clock, cpu, imagesPerSecond: Math.round((batchSize * 10_000) / clock.median) / 10 };
}

/** How many times ours the rival takes. */
function ratioOf(theirs, ours) {
  return Math.round((100 * theirs.median) / ours.median) / 100;
}

function print({ results, ...head }) {
  if (options.json) {
    console.log(JSON.stringify({ ...head, results }, null, 2));
    return;
  }
  console.log(`${head.machine.cpu}, ${head.machine.cores} cores, load ${head.machine.loadAverage}; ${head.runtime}`);
  for (const { name, ours, rivals: compared, kernels } of results) {
    if (kernels) console.table(kernels);
    else console.log(`${name}: ${describe(ours)}`);
    for (const { engine, theirs, ratio, cpuRatio } of compared ?? []) {
      console.log(`  ${engine}: ${describe(theirs)}; ${ratio} × ours on the clock, ${cpuRatio} × in processor time`);
    }
  }
}

function describe({ threads, clock, cpu }) {
  return `${clock.median} ms a step (${clock.minimum}–${clock.maximum}, n ${clock.n}; processor ${cpu.median} ms; ${threads} threads)`;
}

function note(text) {
  process.stderr.write(`${text}\n`);
}
