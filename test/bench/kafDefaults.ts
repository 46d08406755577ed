// From which initial weights Kafnets train well: node scripts/node24.mjs test/bench/kafDefaults.ts --data CIFAR-10 [--results FILE.jsonl]
// [--only light/fgsm-rs] [--samples N] [--epochs N] [--minutes N] [--threads N] [--table]. Trains what the results do not have yet, the
// cases that tell the most first, seed by seed, and begins no run after --minutes. --table prints what there is of as many samples and
// epochs as Markdown.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openRuntime } from '../../server/tensor/runtime.ts';
import { addResult, hasResult, readResults } from './resultLines.ts';
import { trainAndAttack, type Worth } from './trainAndAttack.ts';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: '' },
    results: { type: 'string', default: path.join(import.meta.dirname, 'results/kafDefaults.jsonl') },
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
  readonly initializer: 'own' | 'pytorch' | 'lecun-normal' | 'he-uniform' | 'glorot-uniform';
  readonly seeds: number;
}

interface Result extends Omit<Case, 'seeds'>, Worth {
  readonly seed: number;
  readonly samples: number;
  readonly epochs: number;
}

const names = Object.keys(activations) as ActivationName[];
const [swish, usual, ...others] = names as [ActivationName, ActivationName, ...ActivationName[]];
/** All seeds of a group are trained before the next group. */
const groups: readonly (readonly Case[])[] = [
  [...cases('light/fgsm-rs', 'own', [usual, swish]), ...cases('light/fgsm-rs', 'pytorch', [usual])],
  [...cases('light/fgsm-rs', 'own', others), ...cases('light/fgsm-rs', 'pytorch', [swish, ...others])],
  (['lecun-normal', 'he-uniform', 'glorot-uniform'] as const).flatMap((each) => cases('light/fgsm-rs', each, [usual])),
  ...(['light/standard', 'vgg/fgsm-rs', 'vgg/standard'] as const).map((of) => [
    ...cases(of, 'own', names),
    ...cases(of, 'pytorch', names),
  ]),
];
const length = { samples: Number(options.samples), epochs: Number(options.epochs) };

const results = readResults<Result>(options.results);
if (options.table) console.log(table());
else await trainAll(performance.now() + Number(options.minutes) * 60_000);
process.exit();

async function trainAll(endMs: number): Promise<void> {
  const assetsFolder = path.join(import.meta.dirname, '../../dist');
  await openRuntime('wasm', { assetsFolder, threads: Number(options.threads) });
  for (const group of groups) {
    for (let seed = 0; seed < 5; seed++) {
      for (const { seeds, ...one } of group) {
        const settings = { ...one, seed, ...length };
        if (seed >= seeds || hasResult(results, settings)) continue;
        if (performance.now() > endMs) return;
        addResult(options.results, { ...settings, ...(await trainAndAttack(textOf(one, seed), assetsFolder)) });
      }
    }
  }
}

function cases(
  of: 'light/fgsm-rs' | 'light/standard' | 'vgg/fgsm-rs' | 'vgg/standard',
  initializer: Case['initializer'],
  activationNames: readonly ActivationName[],
): Case[] {
  if (!of.startsWith(options.only)) return [];
  const [network, method] = of.split('/') as [Case['network'], Case['method']];
  const seeds = network === 'light' ? 5 : 3;
  return activationNames.map((activation) => ({ network, method, activation, initializer, seeds }));
}

function textOf({ network, method, activation, initializer }: Omit<Case, 'seeds'>, seed: number): string {
  const drawn = initializer === 'own' ? '' : `, initializer: ${initializer}`;
  const { samples, epochs } = length;
  return `
dataset: {name: cifar10, path: ${JSON.stringify(path.resolve(options.data))}, trainSamples: ${samples}, testSamples: 500}
model: {network: ${network}, activation: ${activations[activation]}${drawn}}
training: {method: ${method}, epochs: ${epochs}, batchSize: 125, optimizer: adam, schedule: {type: constant, learningRate: 0.001}}
observe: {norms: 0, shapes: 0, test: 0}
seed: ${seed}
evaluation: [{attack: pgd, steps: 20, restarts: 1, epsilon: 8/255, samples: 500, batchSize: 125}]
`;
}

/** A row a case: each seed's figures in %, their mean. */
function table(): string {
  const percent = (value: number) => (100 * value).toFixed(1);
  const rows = groups.flat().flatMap(({ network, method, activation, initializer }) => {
    const settings = { network, method, activation, initializer, ...length };
    const own = results.filter((result) => hasResult([result], settings)).sort((a, b) => a.seed - b.seed);
    if (own.length === 0) return [];
    const figures = (['clean', 'robust'] as const).map((key) => {
      const mean = own.reduce((sum, result) => sum + result[key], 0) / own.length;
      return `${percent(mean)} (${own.map((result) => percent(result[key])).join(', ')})`;
    });
    return [`| ${[network, method, activation, initializer, ...figures].join(' | ')} |`];
  });
  const head = ['network', 'method', 'activation', 'initializer', 'clean %, mean (seeds)', 'PGD-20 %, mean (seeds)'];
  return [`| ${head.join(' | ')} |`, `|${head.map(() => ' --- |').join('')}`, ...rows].join('\n');
}
