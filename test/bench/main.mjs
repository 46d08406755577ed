// npm run bench -- [--json] [--only NAME,…] [--rounds N] [--threads N] [--torch PYTHON] [--setup-torch] [--rivals cpu,tensorflow,torch]
//                  [--runtime torch --device cuda] [--against FOLDER] [--checkpoint FILE --data FOLDER]
// Whole training steps and attack steps of ours beside PyTorch's, alternating in one run; our own variants beside one another;
// whole attacks, cut down, beside those of torchattacks and ART (AutoAttack where a checkpoint of the light network and CIFAR-10 are
// given); the ten costliest ops of a step; the hot kernels alone; a formula as one loop and as a loop for each operation; data sets too
// large to hold, and the share of time a step waits for them; by how much gradients grow per layer. Without PyTorch (--torch PYTHON,
// KAFSCOPE_TORCH_PYTHON, or the environment that --setup-torch makes in node_modules/.cache) only ours are timed. --against FOLDER, a
// built checkout of another commit, measures every activation with a name beside the same there. --list names what there is.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openRuntime } from '../../server/tensor/runtime.ts';
import { compare } from './compare.ts';
import { measureData } from './data.ts';
import { findCostliestOps } from './costliestOps.ts';
import { measureFormulaForms } from './formulaForms.ts';
import { measureGains } from './gains.ts';
import { timeKernels } from './kernels.ts';
import { printReport } from './report.ts';
import { findTorch, setUpTorch } from './setupTorch.ts';
import { describeMachine } from './statistics.ts';
import { besideCheckout, comparisons, comparisonsOn, opsWork } from './work.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string', default: '10' },
    threads: { type: 'string', default: '2' },
    torch: { type: 'string', default: process.env['KAFSCOPE_TORCH_PYTHON'] },
    'setup-torch': { type: 'boolean', default: false },
    rivals: { type: 'string', default: '' },
    runtime: { type: 'string', default: 'wasm' },
    device: { type: 'string', default: 'cpu' },
    against: { type: 'string' },
    checkpoint: { type: 'string' },
    data: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const threads = Number(options.threads);
const only = options.only?.split(',');
// `activations` for all that are called activations:….
const isWanted = (name) => !only || only.includes(name) || only.includes(name.split(':')[0]);

const [checkpoint, data] = [options.checkpoint, options.data].map((given) => given && path.resolve(given));
const trained = checkpoint && data ? { checkpoint, data } : undefined;

const isOnTorch = options.runtime === 'torch';
const all = isOnTorch
  ? comparisonsOn(options.device, threads)
  : comparisons(threads, { rivals: options.rivals.split(','), trained });
if (options.against) {
  const here = path.join(import.meta.dirname, '../..');
  all.push(...besideCheckout(threads, { here, there: path.resolve(options.against) }));
}
if (options.list) {
  console.log([...new Set(all.map(({ name }) => name)), 'ops', 'kernels', 'forms', 'gains', 'data'].join('\n'));
  process.exit();
}
const python = options.torch ?? (options['setup-torch'] ? setUpTorch() : findTorch());
if (!python) note('PyTorch is not here: only ours are timed. --setup-torch fetches it (some 5 GB).');

const report = {
  machine: describeMachine(),
  rounds,
  threads,
  unit: 'ms',
  comparisons: [],
  ops: null,
  kernels: null,
  forms: null,
  gains: null,
  data: null,
};
for (const comparison of all.filter(({ name }) => isWanted(name))) {
  const isTorch = comparison.theirs.engine.name === 'torch';
  if (isTorch && !python) continue;
  note(`${comparison.name}: ${isTorch ? comparison.theirs.engine.mode : 'ours'}`);
  try {
    report.comparisons.push(await compare(comparison, { rounds, python }));
  } catch (error) {
    report.comparisons.push({ name: comparison.name, failure: error.message });
  }
}
if (!isOnTorch && ['ops', 'kernels', 'forms', 'gains', 'data'].some(isWanted)) {
  await openRuntime('wasm', { assetsFolder: path.join(import.meta.dirname, '../../dist'), threads });
  if (isWanted('ops')) report.ops = await findCostliestOps(opsWork, rounds);
  if (isWanted('kernels')) report.kernels = timeKernels(rounds);
  if (isWanted('forms')) report.forms = measureFormulaForms(rounds);
  if (isWanted('data')) report.data = await measureData(10 * rounds);
  if (isWanted('gains')) report.gains = measureGains(rounds);
}
if (options.json) console.log(JSON.stringify(report, null, 2));
else printReport(report);
process.exit();

function note(text) {
  process.stderr.write(`${text}\n`);
}
