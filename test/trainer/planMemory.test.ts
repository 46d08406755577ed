// The estimate of memory beside what is taken, and what is said where a plan does not fit.
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { evaluateAttack } from '../../server/attack/evaluation.ts';
import { compileExperiment } from '../../server/experiment/compileExperiment.ts';
import { namedNetwork } from '../../server/network/named/named.ts';
import { datasetHere } from '../../server/data/dataset.ts';
import { makeShapes } from '../../server/data/shapes.ts';
import { shapesHere } from '../data/shapesHere.ts';
import { buildNetwork } from '../../server/model/network.ts';
import { completeEvaluation, type AttackPlan } from '../../server/protocol/evaluationPlan.ts';
import type { ActivationPlan, NetworkPlan, Plan, SpectralNormPlan } from '../../server/protocol/plan.ts';
import { openWasmBackend } from '../../server/tensor/wasm/openWasmBackend.ts';
import {
  bytesText,
  checkEvaluationMemory,
  checkMemory,
  estimateAttackBytes,
  estimateStepBytes,
  lackOfAttackMemory,
  lackOfStepMemory,
} from '../../server/trainer/planMemory.ts';
import { train } from '../../server/trainer/train.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';
import { attackPlan } from '../attack/plans.ts';
import { completeMethod, type MethodName } from '../../server/protocol/methodTable.ts';
import { tinyPlan } from './tinyPlan.ts';

const ends = { sampleShape: [32, 32, 3], nClasses: 10 } as const;
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

/** Of declared layers, up to the pooling and the dense layer at its end. */
function declared(layers: string): NetworkPlan {
  const text = `model: {network: {layers: ${layers.slice(0, -1)}, global-average-pool, dense]}}`;
  return compileExperiment(text, { file: null, homeFolder: '/' }).plans[0]!.model.network;
}

interface PlanOptions {
  readonly network: NetworkPlan;
  readonly activation?: ActivationPlan;
  readonly batchSize: number;
  readonly method?: MethodName;
  /** Of the method, where they are not at their defaults. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly spectralNorm?: SpectralNormPlan;
  readonly isAveraged?: true;
}

function planOf(options: PlanOptions): Plan {
  const { network, activation = kaf, batchSize, method = 'standard', settings = {} } = options;
  const { spectralNorm, isAveraged } = options;
  return {
    ...tinyPlan,
    dataset: { name: 'shapes', trainSamples: batchSize, testSamples: batchSize, seed: 0 },
    model: {
      ...tinyPlan.model,
      ...{ network, activation, ...(spectralNorm && { spectralNorm }) },
      dropout: namedNetwork(network)?.entry.dropout(namedNetwork(network)!.numbers) ?? [],
    },
    training: {
      ...tinyPlan.training,
      method: completeMethod(method, settings, 8 / 255),
      threat: method === 'standard' ? null : tinyPlan.training.threat,
      epochs: 1,
      batchSize,
      ...(isAveraged && { weightAverage: { decay: 0.9, warmUp: true, statistics: 'average' } }),
    },
    observe: { ...tinyPlan.observe, testEveryEpochs: 0 },
  };
}

function evaluationOf(samples: number, batchSize: number): AttackPlan {
  return attackPlan('pgd', { epsilon: 0.1, stepSize: 0.01, steps: 2, restarts: 1, samples, batchSize });
}

const limit = (bytes: number) => ({ what: 'what the runtime wasm can address', bytes });

/** So much of the estimate is needed at least: small tensors and scratch are counted generously. */
const leastShare = 0.85;

function expectBound(estimateBytes: number, peakBytes: number): void {
  expect(peakBytes).toBeLessThanOrEqual(estimateBytes);
  expect(peakBytes).toBeGreaterThan(leastShare * estimateBytes);
}

describe('the estimate bounds the measured peak, which is at least 85 % of it', () => {
  const pairs = { type: 'kaf-2d', dictionary: 10, boundary: 3, gamma: 81 / 144 } as const;
  const mixed = { ...kaf, type: 'multi-kaf', kernels: ['gaussian', 'softplus'] } as const;
  const free = { ...kaf, type: 'kaf-free', base: 'none' } as const;
  it.each<[PlanOptions, number]>([
    [{ network: 'light', batchSize: 8 }, 2],
    [{ network: 'light', batchSize: 64, method: 'fgsm-rs' }, 4],
    [{ network: 'light', activation: { ...kaf, dictionary: 64 }, batchSize: 16 }, 1],
    [{ network: 'light', activation: { type: 'swish' }, batchSize: 16 }, 2],
    [{ network: 'light', activation: { type: 'relu' }, batchSize: 16, method: 'fgsm-rs' }, 2],
    [{ network: 'vgg', batchSize: 8, method: 'fgsm-rs' }, 2],
    [{ network: 'vgg', batchSize: 4, isAveraged: true }, 2],
    [{ network: 'vgg', batchSize: 4, spectralNorm: { type: 'normalization', iterations: 1 } }, 2],
    [{ network: 'vgg', batchSize: 4, spectralNorm: { type: 'penalty', iterations: 1, lambda: 0.01 } }, 2],
    [{ network: 'vgg', batchSize: 64 }, 2],
    [{ network: 'vgg', activation: { type: 'swish' }, batchSize: 32, method: 'fgsm-rs' }, 4],
    [{ network: 'vgg', activation: { type: 'relu' }, batchSize: 1 }, 1],
    [{ network: resnet20, batchSize: 8 }, 2],
    [{ network: resnet20, batchSize: 32, method: 'fgsm-rs' }, 1],
    [{ network: resnet20, activation: { type: 'swish' }, batchSize: 16 }, 2],
    [{ network: resnet20, activation: { type: 'relu' }, batchSize: 16 }, 4],
    [{ network: 'light', activation: free, batchSize: 16 }, 2],
    [{ network: 'vgg', activation: { ...free, dictionary: 64, gamma: 63 ** 2 / 216 }, batchSize: 32 }, 1],
    [{ network: 'light', activation: { ...kaf, kernels: ['relu'] }, batchSize: 16 }, 2],
    [{ network: 'light', activation: { ...kaf, kernels: ['rational-quadratic'] }, batchSize: 16 }, 1],
    [{ network: 'vgg', activation: mixed, batchSize: 32 }, 2],
    [{ network: 'light', activation: spline, batchSize: 16 }, 2],
    [{ network: 'vgg', activation: spline, batchSize: 16, method: 'fgsm-rs' }, 1],
    [{ network: 'light', activation: { type: 'maxout', maps: 3 }, batchSize: 16 }, 2],
    [{ network: 'light', activation: { ...pairs, init: { type: 'normal', std: 0.3 } }, batchSize: 16 }, 2],
    [{ network: 'vgg', activation: { type: 'maxout', maps: 2 }, batchSize: 32, method: 'fgsm-rs' }, 4],
    [{ network: { type: 'resnet', depth: 8 }, activation: { type: 'maxout', maps: 2 }, batchSize: 32 }, 2],
    [{ network: 'preact-resnet18', activation: { type: 'relu' }, batchSize: 16 }, 2],
    [{ network: { type: 'cnn5', blocks: 2 }, activation: { type: 'elu', alpha: 1 }, batchSize: 16 }, 2],
    [{ network: { type: 'mlp', hiddenLayers: 2, units: 300 }, batchSize: 64, method: 'fgsm-rs' }, 2],
    [{ network: 'light', batchSize: 16, method: 'pgd', settings: { steps: 2 } }, 2],
    [{ network: 'light', batchSize: 16, method: 'free', settings: { replays: 2 } }, 2],
    [{ network: 'light', batchSize: 16, method: 'trades', settings: { steps: 2 } }, 2],
    [{ network: 'vgg', activation: { type: 'swish' }, batchSize: 16, method: 'trades', settings: { steps: 1 } }, 1],
    [{ network: 'vgg', activation: { type: 'swish' }, batchSize: 16, method: 'gradalign' }, 2],
    [{ network: 'light', batchSize: 16, method: 'gradalign', settings: { through: 'both' } }, 2],
    [{ network: 'light', batchSize: 16, method: 'ensemble', settings: { steps: 2 } }, 2],
    [{ network: 'light', batchSize: 16, method: 'ensemble', settings: { steps: 2, combine: 'average' } }, 2],
    [
      {
        network: declared('[max-pool: 2, conv: 32, layer-norm, activation, average-pool, group-norm: 4]'),
        batchSize: 32,
      },
      2,
    ],
    [
      {
        network: declared(
          '[conv: {channels: 24, size: 7, padding: valid}, activation, conv: {size: 5, stride: 2}, batch-norm]',
        ),
        batchSize: 32,
        method: 'fgsm-rs',
      },
      2,
    ],
    [
      {
        network: declared(
          '[conv: 16, concat: [[conv: 16], [conv: {channels: 16, size: 1}, activation], []], activation]',
        ),
        batchSize: 32,
      },
      1,
    ],
    [
      {
        network: declared(
          '[conv: 16, repeat: {times: 3, layers: [residual: {branch: [layer-norm, activation, conv: 16, dropout: 0.1], scale: trained}]}, average-pool: {size: 3, stride: 2, padding: same}]',
        ),
        batchSize: 32,
      },
      4,
    ],
  ])('of a step: %o on %i threads', async (options, threads) => {
    const { backend } = await openWasmBackend(assetsFolder, { threads });
    const plan = planOf(options);
    const dataset = shapesHere(plan);
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
    const { batchSize } = options;
    const shapes = makeShapes({ trainSamples: batchSize, testSamples: batchSize, seed: 0 });
    const network = buildNetwork(plan.model, { ...ends, seed: 0 });
    // No image may be dropped: those that stand are what the memory is for.
    shapes.test.labels.fill(0);
    const dataset = datasetHere(plan.dataset, shapes);
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
    }).toThrow(/Set evaluation\[0\]\.batchSize to 9\d or less/);
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

  it('of an attack by transfer holds the weights of both networks, and the larger of their passes', () => {
    const small = planOf({ network: 'light', batchSize: 128, method: 'standard' });
    const beside = (one: Plan) => ({ ...around, surrogates: new Map([['other', { model: one.model, ends }]]) });
    const [own, other] = [small, plan].map((one) => estimateAttackBytes(one, 100, around)) as [number, number];
    const both = estimateAttackBytes(small, 100, beside(plan));
    const weights = (one: Plan) => estimateAttackBytes(one, 100, beside(one)) - estimateAttackBytes(one, 100, around);
    expect(weights(small)).toBeGreaterThan(0);
    expect(both).toBe(Math.max(own + weights(plan), other + weights(small)));
    const transfer = attackPlan('transfer', { from: 'other', samples: 1000, batchSize: 100 });
    expect(() => {
      checkEvaluationMemory(small, transfer, beside(plan), limit(both - 1));
    }).toThrow(/^Batches of 100 images need about/);
    checkEvaluationMemory(small, transfer, beside(plan), limit(both));
    // What an evaluation does not ask for is not opened for it.
    checkEvaluationMemory(small, evaluationOf(1000, 100), beside(plan), limit(both - 1));
  });
});

describe('before training', () => {
  const large = planOf({ network: 'vgg', batchSize: 8 });
  const small = planOf({ network: 'light', batchSize: 8 });
  const tested = { ...small, dataset: { ...small.dataset, testSamples: 2000 } };
  const both = { ...around, surrogates: new Map([['other', { model: large.model, ends }]]) };
  const transfer = attackPlan('transfer', { from: 'other', samples: 1000, batchSize: 100 });
  const detector = completeEvaluation(
    'density',
    { samples: 1000, batchSize: 100 },
    { trainedEpsilon: null, testSamples: null },
  );

  it('the network that a transfer makes its images on counts, of the plan itself and of a detector that is tried against it', () => {
    const needed = estimateAttackBytes(small, 100, both);
    const checked = (evaluation: Plan['evaluation'], bytes: number) => () => {
      checkMemory({ ...tested, evaluation }, both, limit(bytes));
    };
    expect(checked([transfer], needed - 1)).toThrow(/Set evaluation\[0\]\.batchSize to 9\d or less/);
    expect(checked([transfer], needed)).not.toThrow();
    expect(checked([{ ...transfer, batchSize: 10 }, detector], needed - 1)).toThrow(/Set evaluation\[1\]\.batchSize/);
    expect(checked([detector], needed - 1)).not.toThrow();
  });
});

describe('a device that has no memory left although the estimate fits', () => {
  const plan = planOf({ network: resnet20, batchSize: 128, method: 'standard' });
  const device = (bytes: number) => ({ what: 'the memory of cuda:0 (A GPU)', bytes });
  const cause = new Error('CUDA out of memory.');

  it('is told half of the batch, or what the estimate lets fit where that is less', () => {
    const needed = estimateStepBytes(plan, around);
    const found = lackOfStepMemory(plan, around, device(2 * needed), cause);
    expect(found.message).toBe(
      `The memory of cuda:0 (A GPU) is at an end with batches of 128 images, which need about ${bytesText(needed)} of its ${bytesText(2 * needed)}. End what else takes of it, or set training.batchSize to 64 or less.`,
    );
    expect(found.cause).toBe(cause);
    const most = estimateStepBytes(planOf({ network: resnet20, batchSize: 40, method: 'standard' }), around);
    expect(lackOfStepMemory(plan, around, device(most), cause).message).toMatch(/set training.batchSize to 40 or less/);
    expect(lackOfStepMemory(plan, around, device(1e6), cause).message).toMatch(/or choose a smaller network\.$/);
  });

  it('is told the batch of an evaluation, too', () => {
    const found = lackOfAttackMemory(plan, evaluationOf(1000, 100), around, device(1e12), cause);
    expect(found.message).toMatch(/with batches of 100 images, .* or set the batch size to 50 or less\.$/);
  });
});
