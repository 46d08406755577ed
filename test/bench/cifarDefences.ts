// Every training method on the light network with Swish, whose figures cifarDefences.py makes by PyTorch with the same settings:
// node scripts/node24.mjs test/bench/cifarDefences.ts --data CIFAR-10 --results FILE.jsonl [--samples N] [--epochs N] [--seeds N]
// [--minutes N] [--only METHOD[,METHOD]] [--table]. Both add a line a run to the same results; --table prints what there is of as many samples and epochs.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { methodNames, type MethodName } from '../../server/protocol/methodTable.ts';
import { openRuntime } from '../../server/tensor/runtime.ts';
import { addResult, hasResult, readResults } from './resultLines.ts';
import { trainAndAttack, type Worth } from './trainAndAttack.ts';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: '' },
    results: { type: 'string', default: path.join(import.meta.dirname, 'results/cifarDefences.jsonl') },
    samples: { type: 'string', default: '10000' },
    epochs: { type: 'string', default: '4' },
    seeds: { type: 'string', default: '3' },
    minutes: { type: 'string', default: 'Infinity' },
    only: { type: 'string', default: methodNames.join() },
    table: { type: 'boolean', default: false },
  },
});

const methods = options.only.split(',') as MethodName[];

interface Case {
  readonly by: 'kafscope' | 'torch';
  readonly method: MethodName;
  readonly seed: number;
  readonly samples: number;
  readonly epochs: number;
}

const length = { samples: Number(options.samples), epochs: Number(options.epochs) };
const results = readResults<Case & Worth>(options.results).filter((result) => hasResult([result], length));

if (options.table) console.log(table());
else await trainAll(performance.now() + Number(options.minutes) * 60_000);
process.exit();

async function trainAll(endMs: number): Promise<void> {
  const assetsFolder = path.join(import.meta.dirname, '../../dist');
  await openRuntime('wasm', { assetsFolder, threads: 1 });
  for (let seed = 0; seed < Number(options.seeds); seed++) {
    for (const method of methods) {
      const settings: Case = { by: 'kafscope', method, seed, ...length };
      if (hasResult(results, { ...settings })) continue;
      if (performance.now() > endMs) return;
      addResult(options.results, { ...settings, ...(await trainAndAttack(textOf(method, seed), assetsFolder)) });
    }
  }
}

function textOf(method: Case['method'], seed: number): string {
  const { samples, epochs } = length;
  return `
dataset: {name: cifar10, path: ${JSON.stringify(path.resolve(options.data))}, trainSamples: ${samples}, testSamples: 500}
model: {network: light, activation: swish}
training:
  method: ${method}
  watch: {}
  epochs: ${epochs}
  batchSize: 125
  optimizer: adam
  schedule: {type: constant, learningRate: 0.001}
observe: {norms: 0, shapes: 0, test: 0}
seed: ${seed}
evaluation: [{attack: pgd, steps: 20, restarts: 1, epsilon: 8/255, samples: 500, batchSize: 125}]
`;
}

/** A row a method: each seed's figures in %, ours and PyTorch's. */
function table(): string {
  const figures = (by: Case['by'], method: Case['method'], key: 'clean' | 'robust') => {
    const own = results.filter((one) => one.by === by && one.method === method).sort((a, b) => a.seed - b.seed);
    return own.map((one) => (100 * one[key]).toFixed(1)).join(', ');
  };
  const rows = methods.map((method) => {
    const cells = (['clean', 'robust'] as const).flatMap((key) =>
      (['kafscope', 'torch'] as const).map((by) => figures(by, method, key)),
    );
    return `| ${[method, ...cells].join(' | ')} |`;
  });
  const head = ['method', 'clean %, ours', 'clean %, PyTorch', 'PGD-20 %, ours', 'PGD-20 %, PyTorch'];
  return [`| ${head.join(' | ')} |`, `|${head.map(() => ' --- |').join('')}`, ...rows].join('\n');
}
