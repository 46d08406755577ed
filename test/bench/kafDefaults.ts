// From which initial weights Kafnets train well: node scripts/node24.mjs test/bench/kafDefaults.ts --data CIFAR-10 --results FILE.jsonl
// [--only light/fgsm-rs] [--samples N] [--epochs N] [--minutes N] [--threads N] [--table]. Trains case after case, seed by seed, and
// adds a line a run to the results; what is there already is not trained again, so that it may be stopped after --minutes and go on.
// --table prints what there is of as many samples and epochs as Markdown.
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openRuntime } from '../../server/tensor/runtime.ts';
import { trainAndAttack, type Worth } from './trainAndAttack.ts';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: '' },
    results: { type: 'string' },
    only: { type: 'string', default: '' },
    samples: { type: 'string', default: '10000' },
    epochs: { type: 'string', default: '4' },
    minutes: { type: 'string', default: 'Infinity' },
    threads: { type: 'string', default: '2' },
    table: { type: 'boolean', default: false },
  },
});

const activations = {
  swish: 'swish',
  'KAF, α ~ N(0, 0.3²)': '{type: kaf, init: {normal: 0.3}}',
  'KAF, α ~ N(0, 0.05²)': '{type: kaf, init: {normal: 0.05}}',
  'KAF from ELU': '{type: kaf, init: {ridge: elu}}',
  'KAF from Swish': '{type: kaf, init: {ridge: swish}}',
  'residual KAF, α = 0': 'residual-kaf',
};
type ActivationName = keyof typeof activations;

interface Case {
  readonly network: 'light' | 'vgg';
  readonly method: 'standard' | 'fgsm-rs';
  readonly activation: ActivationName;
  /** `own`: each layer's. */
  readonly initializer: 'own' | 'pytorch' | 'lecun-normal';
  readonly seeds: number;
}

interface Result extends Omit<Case, 'seeds'>, Worth {
  readonly seed: number;
  readonly samples: number;
  readonly epochs: number;
}

const names = Object.keys(activations) as ActivationName[];
const started = (network: Case['network'], method: Case['method'], seeds: number): Case[] =>
  (['own', 'pytorch'] as const).flatMap((initializer) =>
    names.map((activation) => ({ network, method, activation, initializer, seeds })),
  );
const allCases: readonly Case[] = [
  ...started('light', 'fgsm-rs', 5),
  { network: 'light', method: 'fgsm-rs', activation: 'KAF, α ~ N(0, 0.3²)', initializer: 'lecun-normal', seeds: 5 },
  ...started('light', 'standard', 5),
  ...started('vgg', 'fgsm-rs', 3),
  ...started('vgg', 'standard', 3),
];
const cases = allCases.filter(({ network, method }) => `${network}/${method}`.startsWith(options.only));
const [samples, epochs] = [Number(options.samples), Number(options.epochs)];

const file = options.results;
if (file === undefined) throw new Error('Name the file of results: --results FILE.jsonl');
const results: Result[] = fs.existsSync(file)
  ? fs
      .readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Result)
  : [];

if (options.table) console.log(table(results));
else await trainAll(performance.now() + Number(options.minutes) * 60_000);
process.exit();

async function trainAll(endMs: number): Promise<void> {
  const assetsFolder = path.join(import.meta.dirname, '../../dist');
  await openRuntime('wasm', { assetsFolder, threads: Number(options.threads) });
  for (let seed = 0; seed < 5; seed++) {
    for (const one of cases.filter(({ seeds }) => seed < seeds)) {
      if (results.some((result) => isOf(result, one) && result.seed === seed)) continue;
      if (performance.now() > endMs) return;
      const { seeds: _, ...of } = one;
      const result: Result = {
        ...of,
        seed,
        samples,
        epochs,
        ...(await trainAndAttack(textOf(one, seed), assetsFolder)),
      };
      results.push(result);
      fs.appendFileSync(file!, `${JSON.stringify(result)}\n`);
    }
  }
}

function textOf({ network, method, activation, initializer }: Case, seed: number): string {
  const drawn = initializer === 'own' ? '' : `, initializer: ${initializer}`;
  return `
dataset: {name: cifar10, path: ${JSON.stringify(path.resolve(options.data))}, trainSamples: ${samples}, testSamples: 500}
model: {network: ${network}, activation: ${activations[activation]}${drawn}}
training: {method: ${method}, epochs: ${epochs}, batchSize: 125, optimizer: adam, schedule: {type: constant, learningRate: 0.001}}
observe: {norms: 0, shapes: 0, test: 0}
seed: ${seed}
evaluation: [{attack: pgd, steps: 20, restarts: 1, epsilon: 8/255, samples: 500, batchSize: 125}]
`;
}

function isOf(result: Result, one: Omit<Case, 'seeds'>): boolean {
  if (result.samples !== samples || result.epochs !== epochs) return false;
  return (['network', 'method', 'activation', 'initializer'] as const).every((key) => result[key] === one[key]);
}

/** A row a case: each seed's figures in %, their mean. */
function table(all: readonly Result[]): string {
  const percent = (value: number) => (100 * value).toFixed(1);
  const rows = cases.flatMap((one) => {
    const own = all.filter((result) => isOf(result, one)).sort((a, b) => a.seed - b.seed);
    if (own.length === 0) return [];
    const figures = (['clean', 'robust'] as const).map((key) => {
      const mean = own.reduce((sum, result) => sum + result[key], 0) / own.length;
      return `${percent(mean)} (${own.map((result) => percent(result[key])).join(', ')})`;
    });
    return [`| ${[one.network, one.method, one.activation, one.initializer, ...figures].join(' | ')} |`];
  });
  const head = ['network', 'method', 'activation', 'initializer', 'clean %, mean (seeds)', 'PGD-20 %, mean (seeds)'];
  return [`| ${head.join(' | ')} |`, `|${head.map(() => ' --- |').join('')}`, ...rows].join('\n');
}
