// `wasm` and `tensorflow`, which share no kernel, on ten steps of the trainer: batches, augmentation, dropout, layers,
// optimizers.
import { afterEach, describe, expect, it } from 'vitest';
import * as tf from '@tensorflow/tfjs-core';
import { openDataset } from '../../server/data/dataset.ts';
import type { ActivationPlan, Plan, TrainingPlan } from '../../server/protocol/plan.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import { openContractRuntime } from '../tensor/ops/runtimes.ts';
import { collect, tinyPlan } from './tinyPlan.ts';

const nSteps = 10;
const batchSize = 16;

// Not an attack: the sign of a gradient near 0 is rounding's, and a pixel then differs by 2ε. Nor steps so long, or functions so
// steep (α at random), that training itself magnifies rounding a hundredfold in a step.
const optimizers = {
  sgd: { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
  adam: { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 5e-4 },
} as const;
const learningRate = 1e-4;

const activations = {
  KAF: {
    type: 'kaf',
    dictionary: 20,
    boundary: 3,
    gamma: 19 ** 2 / (6 * 6 ** 2),
    init: { type: 'ridge', target: 'swish', epsilon: 1e-4 },
  },
  spline: { type: 'spline', points: 21, boundary: 3, basis: 'b-spline', start: 'tanh', noise: 0 },
  maxout: { type: 'maxout', maps: 2 },
} as const satisfies Record<string, ActivationPlan>;

function planOf(network: 'light' | 'vgg', activation: ActivationPlan, optimizer: TrainingPlan['optimizer']): Plan {
  return {
    ...tinyPlan,
    dataset: { name: 'shapes', trainSamples: nSteps * batchSize, testSamples: 10, seed: 0 },
    model: {
      ...tinyPlan.model,
      network,
      activation,
      dropout: network === 'light' ? [0.2, 0.3, 0.4] : [0.2, 0.25, 0.3, 0.4],
    },
    training: {
      ...tinyPlan.training,
      method: 'standard',
      threat: null,
      epochs: 1,
      batchSize,
      optimizer,
      schedule: { type: 'constant', learningRate },
      augmentation: { crop: 4, flip: true },
    },
    observe: { normsEverySteps: 1, shapesEverySteps: 0, testEveryEpochs: 0, robustSamples: 0, robustSteps: 0 },
  };
}

async function recordsOf(runtime: 'wasm' | 'tensorflow', plan: Plan): Promise<readonly RunRecord[]> {
  await openContractRuntime(runtime);
  const { records } = await collect(plan, await openDataset(plan.dataset));
  return records;
}

afterEach(() => {
  tf.disposeVariables();
});

describe('ten training steps agree on wasm and tensorflow', { timeout: 120_000 }, () => {
  it.each([
    ['light', 'KAF', 'adam'],
    ['vgg', 'KAF', 'sgd'],
    ['light', 'spline', 'adam'],
    ['light', 'maxout', 'sgd'],
  ] as const)('%s-%s by %s', async (network, activation, optimizer) => {
    const plan = planOf(network, activations[activation], optimizers[optimizer]);
    const losses: number[][] = [];
    for (const runtime of ['wasm', 'tensorflow'] as const) {
      const records = await recordsOf(runtime, plan);
      losses.push(records.flatMap((record) => (record.type === 'step' ? [record.loss] : [])));
    }
    const [ours, theirs] = losses as [number[], number[]];
    expect(ours).toHaveLength(nSteps);
    ours.forEach((loss, step) => {
      expect(Math.abs(theirs[step]! / loss - 1), `loss of step ${String(step + 1)}`).toBeLessThan(1e-4);
    });
  });
});
