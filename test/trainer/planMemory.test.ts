// The estimate of memory beside what is taken, and what is said where a plan does not fit.
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { evaluateAttack } from '../../server/attack/evaluation.ts';
import { openDataset } from '../../server/data/dataset.ts';
import { buildNetwork } from '../../server/model/network.ts';
import type { ActivationPlan, EvaluationPlan, NetworkPlan, Plan } from '../../server/protocol/plan.ts';
import { openWasmBackend } from '../../server/tensor/wasm/openWasmBackend.ts';
import {
  bytesText,
  checkEvaluationMemory,
  checkMemory,
  estimateAttackBytes,
  estimateStepBytes,
} from '../../server/trainer/planMemory.ts';
import { train } from '../../server/trainer/train.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';
import { attackPlan } from '../attack/plans.ts';
import { tinyPlan } from './tinyPlan.ts';

const ends = { imageShape: [32, 32, 3], nClasses: 10 } as const;
const around = { ends, threads: 2 };
const resnet20 = { type: 'resnet', depth: 20 } as const;
const kaf = {
  ...({ type: 'kaf', dictionary: 20, boundary: 3, gamma: 361 / 216 } as const),
  init: { type: 'normal', std: 0.3 },
} as const satisfies ActivationPlan;

const spline = {
  type: 'spline',
  points: 21,
  boundary: 3,
  basis: 'b-spline',
  start: 'tanh',
  noise: 0,
} as const satisfies ActivationPlan;

interface PlanOptions {
  readonly network: NetworkPlan;
  readonly activation?: ActivationPlan;
  readonly batchSize: number;
  readonly method?: 'standard' | 'fgsm-rs';
}

function planOf({ network, activation = kaf, batchSize, method = 'standard' }: PlanOptions): Plan {
  return {
    ...tinyPlan,
    dataset: { name: 'shapes', trainSamples: batchSize, testSamples: batchSize, seed: 0 },
    model: {
      ...tinyPlan.model,
      ...{ network, activation },
      dropout: network === 'light' ? [0.2, 0.3, 0.4] : network === 'vgg' ? [0.2, 0.25, 0.3, 0.4] : [],
    },
    training: {
      ...tinyPlan.training,
      method,
      threat: method === 'standard' ? null : tinyPlan.training.threat,
      epochs: 1,
      batchSize,
    },
    observe: { ...tinyPlan.observe, testEveryEpochs: 0 },
  };
}

function evaluationOf(samples: number, batchSize: number): EvaluationPlan {
  return attackPlan('pgd', { epsilon: 0.1, stepSize: 0.01, steps: 2, restarts: 1, samples, batchSize });
}

/** So much of the estimate is needed at least: small tensors and scratch are counted generously. */
const leastShare = 0.85;

function expectBound(estimateBytes: number, peakBytes: number): void {
  expect(peakBytes).toBeLessThanOrEqual(estimateBytes);
  expect(peakBytes).toBeGreaterThan(leastShare * estimateBytes);
}

describe('the estimate bounds the measured peak, which is at least 85 % of it', () => {
  const free = { ...kaf, type: 'kaf-free', base: 'none' } as const;
  it.each<[PlanOptions, number]>([
    [{ network: 'light', batchSize: 8 }, 2],
    [{ network: 'light', batchSize: 64, method: 'fgsm-rs' }, 4],
    [{ network: 'light', activation: { ...kaf, dictionary: 64 }, batchSize: 16 }, 1],
    [{ network: 'light', activation: { type: 'swish' }, batchSize: 16 }, 2],
    [{ network: 'light', activation: { type: 'relu' }, batchSize: 16, method: 'fgsm-rs' }, 2],
    [{ network: 'vgg', batchSize: 8, method: 'fgsm-rs' }, 2],
    [{ network: 'vgg', batchSize: 64 }, 2],
    [{ network: 'vgg', activation: { type: 'swish' }, batchSize: 32, method: 'fgsm-rs' }, 4],
    [{ network: 'vgg', activation: { type: 'relu' }, batchSize: 1 }, 1],
    [{ network: resnet20, batchSize: 8 }, 2],
    [{ network: resnet20, batchSize: 32, method: 'fgsm-rs' }, 1],
    [{ network: resnet20, activation: { type: 'swish' }, batchSize: 16 }, 2],
    [{ network: resnet20, activation: { type: 'relu' }, batchSize: 16 }, 4],
    [{ network: 'light', activation: free, batchSize: 16 }, 2],
    [{ network: 'vgg', activation: { ...free, dictionary: 64, gamma: 63 ** 2 / 216 }, batchSize: 32 }, 1],
    [{ network: 'light', activation: spline, batchSize: 16 }, 2],
    [{ network: 'vgg', activation: spline, batchSize: 16, method: 'fgsm-rs' }, 1],
    [{ network: 'light', activation: { type: 'maxout', maps: 3 }, batchSize: 16 }, 2],
    [{ network: 'vgg', activation: { type: 'maxout', maps: 2 }, batchSize: 32, method: 'fgsm-rs' }, 4],
  ])('of a step: %o on %i threads', async (options, threads) => {
    const { backend } = await openWasmBackend(assetsFolder, { threads });
    const plan = planOf(options);
    const dataset = await openDataset(plan.dataset);
    for await (const event of train(plan, dataset, { from: null, signal: new AbortController().signal })) {
      expect(event.type === 'record' && event.record.type === 'diverged').toBe(false);
    }
    expectBound(estimateStepBytes(plan, { ends, threads }), backend.pool.peakBytes);
  });

  it.each<PlanOptions>([
    { network: 'light', batchSize: 64 },
    { network: 'vgg', activation: { type: 'relu' }, batchSize: 16 },
    { network: resnet20, activation: { type: 'swish' }, batchSize: 16 },
  ])('of an attack: %o', async (options) => {
    const { backend } = await openWasmBackend(assetsFolder, { threads: 2 });
    const plan = planOf(options);
    const dataset = await openDataset(plan.dataset);
    const { batchSize } = options;
    const network = buildNetwork(plan.model, { ...ends, seed: 0 });
    // No image may be dropped: those that stand are what the memory is for.
    dataset.test.labels.fill(0);
    network.parameters.at(-1)!.variable.assign(tf.tensor1d([1000, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    const attack = evaluateAttack(network, dataset, evaluationOf(batchSize, batchSize), {
      ...{ seed: 0, signal: new AbortController().signal },
    });
    let ended = await attack.next();
    while (!ended.done) ended = await attack.next();
    expect(ended.value.robust).toBe(batchSize);
    expectBound(estimateAttackBytes(plan, batchSize, around), backend.pool.peakBytes);
  });
});

describe('checkMemory', () => {
  const plan = planOf({ network: resnet20, batchSize: 128, method: 'fgsm-rs' });
  const limit = (bytes: number) => ({ what: 'what the runtime wasm can address', bytes });

  it('lets pass what fits to the byte', () => {
    const needed = estimateStepBytes(plan, around);
    expect(() => {
      checkMemory(plan, around, limit(needed));
    }).not.toThrow();
    expect(() => {
      checkMemory(plan, around, limit(needed - 1));
    }).toThrow('training.batchSize to 127 or less');
  });

  it('says what is needed, what there is and the largest batch that fits', () => {
    const most = estimateStepBytes(planOf({ network: resnet20, batchSize: 40, method: 'fgsm-rs' }), around);
    expect(() => {
      checkMemory(plan, around, limit(most));
    }).toThrow(
      `Batches of 128 images need about ${bytesText(estimateStepBytes(plan, around))} of memory; what the runtime wasm can address is ${bytesText(most)}. Set training.batchSize to 40 or less.`,
    );
  });

  it('looks at evaluations by themselves, and says where nothing fits', () => {
    const evaluation = evaluationOf(2000, 1000);
    const tested = { ...plan, dataset: { ...plan.dataset, testSamples: 2000 } };
    const most = estimateStepBytes(plan, around);
    expect(() => {
      checkMemory({ ...tested, evaluation: [evaluation] }, around, limit(most));
    }).toThrow(/Set evaluation\[0\]\.batchSize to 1\d\d or less/);
    expect(() => {
      checkMemory(plan, around, limit(1e6));
    }).toThrow('Not even a batch of one image fits: choose a smaller network.');
  });

  it('says of an evaluation that is not in the plan which batch size fits', () => {
    const most = estimateAttackBytes(plan, 100, around);
    const check = (samples: number, batchSize: number) => {
      checkEvaluationMemory(plan, evaluationOf(samples, batchSize), around, limit(most));
    };
    expect(() => {
      check(1000, 128);
    }).toThrow(/^Batches of 128 images need about .* Set the batch size to 100 or less\.$/);
    // Fewer images than a batch are one smaller batch.
    check(100, 128);
  });
});
