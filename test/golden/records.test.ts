// The records of short runs, bit for bit as they were written down: what a change of the trainer or of its kernels must not move unless it
// means to. `records.json` says by which code; KAFSCOPE_WRITE_RECORDS=COMMIT writes it anew, in a commit that says why they moved.
import * as tf from '@tensorflow/tfjs-core';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { encode } from '../../server/protocol/codec.ts';
import type { KafPlan, Plan } from '../../server/protocol/plan.ts';
import { openWasmBackend } from '../../server/tensor/wasm/openWasmBackend.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';
import { collect, tinyDataset, tinyPlan } from '../trainer/tinyPlan.ts';
import { readGolden } from './readGolden.ts';

/** Of each kind of record a digest of all that a run made, and one of its last state. */
interface Digests {
  readonly losses: readonly number[];
  readonly kinds: Readonly<Record<string, string>>;
}

interface Golden {
  readonly madeBy: string;
  readonly runs: Readonly<Record<string, Digests>>;
}

type Training = Plan['training'];

const standard = { method: { type: 'standard' }, threat: null } as const;
const ofBatch = { statistics: 'batch' } as const;
const sgd = { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 } as const;
const { activation } = tinyPlan.model;

function planOf(model: Partial<Plan['model']>, training: Partial<Training> = {}): Plan {
  return {
    ...tinyPlan,
    runtime: 'wasm',
    observe: { ...tinyPlan.observe, histogramsEverySteps: 2, shiftSamples: 2 },
    model: { ...tinyPlan.model, dropout: [], ...model },
    training: { ...tinyPlan.training, optimizer: sgd, ...training },
  };
}

const light = { network: 'light', dropout: [0.2, 0.3, 0.4] } as const;

const plans: Readonly<Record<string, Plan>> = {
  light: planOf(light, standard),
  'light, fgsm-rs': planOf(light),
  vgg: planOf({ network: 'vgg', dropout: [0.2, 0.25, 0.3, 0.4] }, standard),
  'vgg, fgsm-rs': planOf({ network: 'vgg', dropout: [0.2, 0.25, 0.3, 0.4] }),
  resnet8: planOf({ network: { type: 'resnet', depth: 8 }, convolutionL2: 5e-4 }, standard),
  'resnet8, fgsm-rs': planOf({ network: { type: 'resnet', depth: 8 }, convolutionL2: 5e-4 }),
  // Eleven million weights.
  'preact-resnet18': planOf({ network: 'preact-resnet18', activation: { type: 'relu' } }, { ...standard, epochs: 1 }),
  'preact-resnet18, fgsm-rs': planOf({ network: 'preact-resnet18', activation: { type: 'relu' } }, { epochs: 1 }),
  cnn5: planOf({ network: { type: 'cnn5', blocks: 2 }, dropout: [0.25, 0.25] }, standard),
  'cnn5, fgsm-rs': planOf({ network: { type: 'cnn5', blocks: 2 }, dropout: [0.25, 0.25] }),
  mlp: planOf({ network: { type: 'mlp', hiddenLayers: 2, units: 20 } }, standard),
  'mlp, fgsm-rs': planOf({ network: { type: 'mlp', hiddenLayers: 2, units: 20 } }),
  // One of each optimizer, and what else moves the weights.
  'light by adam, penalties on α': planOf(
    { ...light, alphaL1: 1e-4, alphaL2: 1e-3 },
    { ...standard, optimizer: tinyPlan.training.optimizer },
  ),
  'light by adamw, clipped': planOf(light, {
    ...standard,
    optimizer: { type: 'adamw', beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.01 },
    clipping: { type: 'global', limit: 0.5 },
    schedule: { type: 'cosine', min: 1e-4, max: 1e-2, warmupEpochs: 1 },
  }),
  'light by nesterov, labels smoothed': planOf(light, {
    ...standard,
    optimizer: { ...sgd, nesterov: true },
    labelSmoothing: 0.1,
    clipping: { type: 'adaptive', limit: 0.01 },
  }),
  'light by plain sgd, trained dictionaries': planOf(
    { ...light, activation: { ...(activation as KafPlan), type: 'kaf-free' } },
    { ...standard, optimizer: { type: 'sgd', momentum: 0, weightDecay: 0 }, clipping: { type: 'layer', limit: 0.1 } },
  ),
  'light, free': planOf(light, { method: { type: 'free', replays: 2 } }),
  'light, trades': planOf(light, {
    method: { type: 'trades', beta: 6, steps: 2, noise: 0.001, statistics: 'running' },
  }),
  'light, gradalign': planOf(light, {
    method: { type: 'gradalign', lambda: 0.2, through: 'random', ...ofBatch },
  }),
  'light, diverging': planOf(light, { ...standard, schedule: { type: 'constant', learningRate: 1e30 } }),
  'light, pgd under L2': planOf(light, {
    method: { type: 'pgd', steps: 2, start: 'ball', statistics: 'moving' },
    threat: { norm: 'l2', epsilon: 0.5, stepSize: 0.25 },
  }),
};

beforeAll(async () => {
  // The build that has no fused product and sum: the same bits on every processor.
  await openWasmBackend(assetsFolder, { build: 'plain', threads: 1 });
});
afterEach(() => {
  tf.disposeVariables();
});

async function digestsOf(plan: Plan): Promise<Digests> {
  const { records, states } = await collect(plan, tinyDataset({ side: 8 }));
  const hashes = new Map<string, ReturnType<typeof createHash>>();
  const add = (kind: string, value: unknown) => {
    if (!hashes.has(kind)) hashes.set(kind, createHash('sha256'));
    hashes.get(kind)!.update(encode(value));
  };
  for (const record of records) add(record.type, Object.entries(record).map(withOneNan));
  const { step, epoch, tensors } = states.at(-1)!;
  add('last state', { step, epoch, tensors: [...tensors] });
  return {
    losses: records.flatMap((record) => (record.type === 'step' ? [record.loss] : [])),
    kinds: Object.fromEntries([...hashes].map(([kind, hash]) => [kind, hash.digest('hex').slice(0, 16)])),
  };
}

/** Processors have several. */
function withOneNan([key, value]: [string, unknown]): [string, unknown] {
  if (!(value instanceof Float32Array)) return [key, value];
  return [key, value.map((each) => (Number.isNaN(each) ? Number.NaN : each))];
}

describe('a run makes the records that it made', () => {
  const isWriting = process.env['KAFSCOPE_WRITE_RECORDS'] !== undefined;
  const golden = isWriting ? null : readGolden<Golden>('records');
  const found: Record<string, Digests> = {};

  afterAll(() => {
    if (!isWriting) return;
    const made: Golden = { madeBy: process.env['KAFSCOPE_WRITE_RECORDS']!, runs: found };
    fs.writeFileSync(new URL('records.json', import.meta.url), `${JSON.stringify(made, null, 2)}\n`);
  });

  it.each(Object.entries(plans))('%s', async (name, plan) => {
    found[name] = await digestsOf(plan);
    expect(found[name].losses.length).toBeGreaterThan(0);
    if (golden) expect(found[name]).toEqual(golden.runs[name]);
  });
});
