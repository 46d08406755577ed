// A process of ours for engineProcess.ts: opens the runtime, warms up, then does one piece of work for each line that it reads.
import path from 'node:path';
import readline from 'node:readline';
import type { openRuntime } from '../../server/tensor/runtime.ts';
import type { Engine, Work } from './work.ts';
import { makeAttacker } from './attackStep.ts';
import { makeWholeAttack } from './wholeAttack.ts';
import { makeStepper, makeStepperOf, makeSweeper } from './trainingStep.ts';

const options = JSON.parse(process.argv[2]!) as Work & Extract<Engine, { name: 'ours' }>;
/** The engine compiles the hot kernels anew in the first steps; plain JavaScript takes too long to be asked twice. */
const nWarmUps = options.runtime === 'cpu' || !['step', 'pgd'].includes(options.kind) ? 1 : 3;

const folder = options.folder ?? path.join(import.meta.dirname, '../..');
const { openRuntime: open } = (await import(path.join(folder, 'server/tensor/runtime.ts'))) as {
  readonly openRuntime: typeof openRuntime;
};
const { threads, device = 'cpu' } = options;
const assetsFolder = path.join(folder, 'dist');
const runtime = await open(options.runtime as 'wasm', { assetsFolder, threads, device });
const work = await makeWork();
for (let i = 0; i < nWarmUps; i++) await work();
answer({ about: `${runtime.name} · ${runtime.device}` });
for await (const _ of readline.createInterface({ input: process.stdin })) {
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const stands = await work();
  const { user, system } = process.cpuUsage(startCpu);
  const { peakBytes } = runtime.memory();
  answer({ ms: performance.now() - startMs, cpuMs: (user + system) / 1000, peakBytes, stands });
}
process.exit();

type Worker = () => Promise<number | void>;

function makeWork(): Promise<Worker> | Worker {
  if (options.kind === 'pgd-whole' || options.kind === 'autoattack') return makeWholeAttack(options, assetsFolder);
  if (options.kind === 'pgd') return makeAttacker(options);
  if (options.kind === 'sweep') return makeSweeper(options);
  return options.folder === undefined ? makeStepper(options) : makeStepperOf(options.folder, options);
}

function answer(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
