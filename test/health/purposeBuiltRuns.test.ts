// Real runs, built to fail in one way each, and sound ones, of which nothing may be said.
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { HealthWatch } from '../../server/health/healthWatch.ts';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { datasetHere } from '../../server/data/dataset.ts';
import { makeShapes } from '../../server/data/shapes.ts';
import type { HealthFinding } from '../../server/protocol/health.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import { openContractRuntime } from '../tensor/ops/runtimes.ts';
import { train } from '../../server/trainer/train.ts';

beforeAll(async () => {
  await openContractRuntime('wasm');
});

const smallShapes = 'dataset: {name: shapes, trainSamples: 32, testSamples: 8}';
const observed = 'observe: {norms: 1, robustSamples: 0}';
const thesisKaf = 'activation: {type: kaf, dictionary: 20, boundary: 3, init: {normal: 0.05}}';

function planOf(...lines: string[]): Plan {
  const { plans, issues } = compileExperiment(lines.join('\n'), { file: null, homeFolder: '/' });
  expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
  return plans[0]!;
}

/** What is found until training ends, or after `steps` steps. */
async function findingsOf(plan: Plan, steps = Infinity): Promise<HealthFinding[]> {
  const watch = new HealthWatch(plan);
  const found: HealthFinding[] = [];
  const stop = new AbortController();
  const { trainSamples = 0, testSamples = 0 } = plan.dataset as { trainSamples?: number; testSamples?: number };
  const dataset = datasetHere({ name: 'shapes' }, makeShapes({ trainSamples, testSamples, seed: 0 }));
  for await (const event of train(plan, dataset, { from: null, signal: stop.signal })) {
    if (event.type !== 'record') continue;
    found.push(...watch.see(event.record));
    if (event.record.type === 'norms' && event.record.step === steps) stop.abort();
  }
  return found;
}

describe('a run that is built to fail', () => {
  it('as the thesis did (KAF-ResNet56, plain gradient descent at 0.01): explodes at once, then has no gradients', async () => {
    const plan = planOf(
      smallShapes,
      `model: {network: {type: resnet, depth: 56}, ${thesisKaf}}`,
      'training: {epochs: 1, batchSize: 8, optimizer: sgd, schedule: {learningRate: 0.01}}',
      observed,
    );
    const found = await findingsOf(plan, 3);
    expect(found.map(({ rule, step }) => [rule, step])).toEqual([
      ['weights-jump', 1],
      ['exploding-gradients', 1],
      ['zero-gradients', 3],
    ]);
    const gain = Number(/×([\d.]+) a layer/.exec(found[1]!.evidence)?.[1]);
    expect(Math.abs(gain - 1.5)).toBeLessThan(0.06); // simulation of the same network in NumPy, on other images: 1.483
    expect(found[1]!.evidence).toMatch(/In float16 at least \d+ of 281 gradients would not be finite/);
  });

  it('by a rate at which weights stay finite and inference overflows: its test is not finite', async () => {
    const plan = planOf(
      'dataset: {name: shapes, trainSamples: 32, testSamples: 40}',
      'model: {network: light, activation: {type: polynomial}, dropout: [0, 0, 0]}',
      'training: {epochs: 1, batchSize: 32, optimizer: sgd, schedule: {learningRate: 100}}',
      observed,
    );
    expect((await findingsOf(plan)).map(({ rule }) => rule)).toContain('test-not-finite');
  });

  it('by sigmoids without normalisation: its gradients vanish', async () => {
    const plan = planOf(
      smallShapes,
      'model:',
      '  activation: {type: formula, formula: "sigmoid(x)"}',
      '  network: {layers: [{repeat: {times: 12, layers: [{conv: {channels: 8, size: 3}}, activation]}}, global-average-pool, dense: classes]}',
      'training: {epochs: 1, batchSize: 8, schedule: {learningRate: 0.001}}',
      observed,
    );
    expect((await findingsOf(plan, 1)).map(({ rule, step }) => [rule, step])).toEqual([['vanishing-gradients', 1]]);
  });

  it('by a rate of almost nothing: nothing is learnt in the first epoch', async () => {
    const plan = planOf(
      'dataset: {name: shapes, trainSamples: 100, testSamples: 8}',
      'model: {network: {layers: [flatten, dense: classes]}, activation: relu}',
      'training: {epochs: 1, batchSize: 2, optimizer: sgd, schedule: {learningRate: 1e-9}}',
      observed,
    );
    expect((await findingsOf(plan)).map(({ rule, step }) => [rule, step])).toEqual([['nothing-learnt', 50]]);
  });
});

describe('of a sound run nothing is said', () => {
  it('of residual KAF and of ReLU at depth 56', async () => {
    for (const activation of ['{type: residual-kaf, dictionary: 20, boundary: 3, init: {normal: 0}}', 'relu']) {
      const plan = planOf(
        smallShapes,
        `model: {network: {type: resnet, depth: 56}, activation: ${activation}}`,
        'training: {epochs: 1, batchSize: 8, optimizer: sgd, schedule: {learningRate: 0.01}}',
        observed,
      );
      expect(await findingsOf(plan, 2)).toEqual([]);
    }
  });

  it.each(['kaf-light', 'kaf-light-robust', 'kaf-vgg', 'own-layers'])(
    'of the first steps of the example %s',
    async (name) => {
      const file = path.join(import.meta.dirname, `../../examples/${name}.kaf.yaml`);
      const overrides = { 'training.batchSize': 16 };
      const { plans } = compileExperiment(fs.readFileSync(file, 'utf8'), { file, overrides, homeFolder: '/' });
      const plan = plans[0]!;
      const made: Plan = {
        ...plan,
        dataset: { name: 'shapes', trainSamples: 256, testSamples: 8, seed: 0 },
        observe: { ...plan.observe, normsEverySteps: 1, robustSamples: 0 },
      };
      expect(await findingsOf(made, 4)).toEqual([]);
    },
  );
});
