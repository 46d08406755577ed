// What differs from step to step reaches kernels as data: the calls of a step, with their attributes and the numbers that the host hands
// over, are those of the step before, so that a step could be recorded once and replayed.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Plan } from '../../server/protocol/plan.ts';
import { openWasmBackend } from '../../server/tensor/wasm/openWasmBackend.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';
import { collect, tinyDataset, tinyPlan } from './tinyPlan.ts';

beforeAll(async () => {
  await openWasmBackend(assetsFolder);
});

const standard = { method: { type: 'standard' }, threat: null } as const;
const rates = { type: 'cosine', min: 1e-4, max: 1e-2, warmupEpochs: 0 } as const;
const l2 = { norm: 'l2', epsilon: 0.5, stepSize: 0.25 } as const;

const trainings: Readonly<Record<string, Partial<Plan['training']>>> = {
  'standard by sgd': { ...standard, optimizer: { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 } },
  'standard by nesterov': { ...standard, optimizer: { type: 'sgd', momentum: 0.9, weightDecay: 5e-4, nesterov: true } },
  'standard by adam, clipped': { ...standard, clipping: { type: 'global', limit: 0.1 } },
  'standard by adamw, clipped by unit': {
    ...standard,
    optimizer: { type: 'adamw', beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.01 },
    clipping: { type: 'adaptive', limit: 0.01 },
  },
  'fgsm-rs': {},
  'pgd under L2': { method: { type: 'pgd', steps: 2, start: 'ball', statistics: 'moving' }, threat: l2 },
  gradalign: { method: { type: 'gradalign', lambda: 0.2, through: 'both', statistics: 'batch' } },
  trades: { method: { type: 'trades', beta: 6, steps: 2, noise: 0.001, statistics: 'batch' } },
  ensemble: {
    method: {
      ...{ type: 'ensemble', combine: 'max', steps: 1, start: 'ball' },
      ...{ l2Epsilon: 0.5, l2StepSize: 0.25, statistics: 'batch' },
    } as Plan['training']['method'],
  },
};

/** Of each step: the kernels with what they were given, and the single numbers that tensors were made of. */
async function callsOf(plan: Plan): Promise<string[][]> {
  const steps: string[][] = [];
  let calls: string[] = [];
  // What a step differs in is in records that are the same objects in each step.
  const records = new Map<object, number>();
  const idOf = (record: object): number => {
    if (!records.has(record)) records.set(record, records.size);
    return records.get(record)!;
  };
  const engine = tf.engine();
  const [runKernel, makeTensor] = [engine.runKernel.bind(engine), engine.makeTensor.bind(engine)];
  const spies = [
    vi.spyOn(engine, 'runKernel').mockImplementation((name, inputs, attributes) => {
      const given = Object.entries(inputs).map(([key, input]) => [key, (input as tf.Tensor | null)?.shape]);
      const written = JSON.stringify(attributes ?? {}, (key, value: unknown) =>
        key === 'at' ? `record ${idOf(value as object)}` : value,
      );
      calls.push(`${name} ${JSON.stringify(given)} ${written}`);
      return runKernel(name, inputs, attributes) as never;
    }),
    vi.spyOn(engine, 'makeTensor').mockImplementation((values, shape, dtype, backend) => {
      if (values.length === 1 && !shape.includes(0)) calls.push(`${String(values[0])} as [${shape.join()}]`);
      return makeTensor(values, shape, dtype, backend);
    }),
  ];
  try {
    await collect(plan, tinyDataset({ nTrain: 12 }), {
      onEvent: (event) => {
        if (event.type === 'record' && event.record.type === 'step') steps.push(calls);
        calls = [];
      },
    });
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return steps;
}

describe('the kernels of a step are given what those of the step before were', () => {
  it.each(Object.entries(trainings))('%s', async (_, training) => {
    const plan: Plan = {
      ...tinyPlan,
      runtime: 'wasm',
      training: { ...tinyPlan.training, epochs: 1, batchSize: 4, schedule: rates, ...training },
      observe: { ...tinyPlan.observe, testEveryEpochs: 0, normsEverySteps: 0, shapesEverySteps: 0 },
    };
    const [, second, third] = await callsOf(plan);
    expect(second!.length).toBeGreaterThan(50);
    expect(third).toEqual(second);
    // Somewhere among them are those that differ from step to step.
    expect(second!.filter((call) => call.includes('record')).length).toBeGreaterThan(5);
  });
});
