// Reading what steps say some steps behind: records, their order and the states are those of a training that reads at once, and a step that
// was not made leaves nothing of the steps behind it.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Plan } from '../../server/protocol/plan.ts';
import { openWasmBackend } from '../../server/tensor/wasm/openWasmBackend.ts';
import * as reading from '../../server/tensor/read.ts';
import type { TrainerEvent } from '../../server/trainer/train.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';
import { collect, shallowPlan, tinyDataset } from './tinyPlan.ts';

vi.mock('../../server/tensor/read.ts', { spy: true });

beforeAll(async () => {
  await openWasmBackend(assetsFolder);
});
afterEach(() => {
  vi.clearAllMocks();
});

const standard = { method: { type: 'standard' }, threat: null } as const;

function planOf(training: Partial<Plan['training']>, observe: Partial<Plan['observe']> = {}): Plan {
  return {
    ...shallowPlan,
    runtime: 'wasm',
    training: { ...shallowPlan.training, epochs: 3, checkpointEveryEpochs: 2, ...training },
    observe: { ...shallowPlan.observe, testEveryEpochs: 2, ...observe },
  };
}

const watch = { everySteps: 3, samples: 4, steps: 2, gap: 0.2, onCollapse: 'roll-back', factor: 0.5 } as const;

const plans: Readonly<Record<string, Plan>> = {
  standard: planOf(standard),
  'fgsm-rs': planOf({}),
  'norms at times': planOf({}, { normsEverySteps: 3, shapesEverySteps: 4 }),
  watched: planOf({ watch }),
  free: planOf({ method: { type: 'free', replays: 3 } }),
  trades: planOf({ method: { type: 'trades', beta: 6, steps: 1, noise: 0.001, statistics: 'moving' } }),
  clipped: planOf({ ...standard, clipping: { type: 'global', limit: 0.5 } }),
  'diverging at once': planOf({
    ...{ ...standard, optimizer: { type: 'sgd', momentum: 0.9, weightDecay: 0 } },
    schedule: { type: 'constant', learningRate: 1e30 },
  }),
  'averaged and held by a spectral penalty, diverging': {
    ...planOf({
      ...{ ...standard, weightAverage: { decay: 0.9, warmUp: true, statistics: 'average' } },
      optimizer: { type: 'sgd', momentum: 0, weightDecay: 0 },
      schedule: { type: 'constant', learningRate: 1e25 },
    }),
    model: { ...shallowPlan.model, spectralNorm: { type: 'penalty', iterations: 1, lambda: 1e-6 } },
  },
  'free, diverging': planOf({
    ...{ method: { type: 'free', replays: 3 }, optimizer: { type: 'sgd', momentum: 0.9, weightDecay: 0 } },
    schedule: { type: 'constant', learningRate: 1e18 },
  }),
};

const dataset = () => tinyDataset({ nTrain: 8 });

async function eventsOf(plan: Plan, stepsBehind: number): Promise<readonly TrainerEvent[]> {
  const { events } = await collect(plan, dataset(), { stepsBehind });
  return events;
}

describe('a training that reads steps behind', () => {
  it.each(Object.entries(plans))('tells and keeps the same: %s', async (name, plan) => {
    const atOnce = await eventsOf(plan, 0);
    const nReplays = plan.training.method.type === 'free' ? 3 : 1;
    const diverged = atOnce.flatMap((event) =>
      event.type === 'record' && event.record.type === 'diverged' ? [event.record.step % (4 * nReplays)] : [],
    );
    // Not at the end of an epoch, where no others are under way.
    expect(diverged.map((step) => step > 0)).toEqual(name.includes('diverging') ? [true] : []);
    expect(atOnce.some((event) => event.type === 'checkpoint')).toBe(true);
    for (const stepsBehind of [1, 4]) expect(await eventsOf(plan, stepsBehind)).toEqual(atOnce);
  });

  it('reads none of a step before so many others are under way, where nobody looks at the weights', async () => {
    const plan = planOf({ ...standard, epochs: 1 }, { testEveryEpochs: 0, normsEverySteps: 0, shapesEverySteps: 0 });
    /** Before each step's record: how many steps had begun. */
    const begun: number[] = [];
    let nSteps = 0;
    vi.mocked(reading.beginIntegers).mockImplementation((tensor) => {
      // The counts of what is not finite, one a step.
      if (tensor.shape[0]! > 3) nSteps++;
      const values = reading.readIntegers(tensor);
      return () => values;
    });
    await collect(plan, dataset(), {
      stepsBehind: 2,
      onEvent: (event) => {
        if (event.type === 'record' && event.record.type === 'step') begun.push(nSteps);
      },
    });
    vi.mocked(reading.beginIntegers).mockReset();
    expect(begun).toEqual([3, 4, 4, 4]);
  });

  it('stopped on its way tells the steps that were made, and goes on behind them', async () => {
    const plan = planOf({}, { testEveryEpochs: 0 });
    const whole = await collect(plan, dataset());
    const stop = new AbortController();
    const begun = await collect(plan, dataset(), {
      ...{ stepsBehind: 4, signal: stop.signal },
      onEvent: (event) => {
        if (event.type === 'record' && event.record.type === 'step' && event.record.step === 5) stop.abort();
      },
    });
    const from = begun.states.at(-1)!;
    expect(begun.records.at(-1)).toMatchObject({ type: 'shapes', step: from.step });
    const rest = await collect(plan, dataset(), { from, stepsBehind: 4 });
    const told = [...begun.records, ...rest.records.filter(({ type }) => type !== 'prepared')];
    expect(told).toEqual(whole.records);
    expect(rest.states.at(-1)).toEqual(whole.states.at(-1));
  });

  it('leaves nothing behind, diverged or not', async () => {
    for (const plan of [plans['fgsm-rs']!, plans['diverging at once']!, plans['free, diverging']!]) {
      const before = tf.memory().numTensors;
      await eventsOf(plan, 4);
      expect(tf.memory().numTensors).toBe(before);
    }
  });
});

describe('a step waits for nothing', () => {
  const methods: readonly Partial<Plan['training']>[] = [
    standard,
    {},
    { method: { type: 'free', replays: 2 } },
    { method: { type: 'trades', beta: 6, steps: 2, noise: 0.001, statistics: 'batch' } },
    { method: { type: 'pgd', steps: 2, start: 'ball', statistics: 'running' } },
    { method: { type: 'gradalign', lambda: 0.2, through: 'both', statistics: 'batch' } },
    { method: { type: 'n-fgsm', noise: 2, statistics: 'batch' } as unknown as Plan['training']['method'] },
    { ...standard, clipping: { type: 'layer', limit: 0.1 }, labelSmoothing: 0.1 },
    { ...standard, loss: 'least-squares', clipping: { type: 'adaptive', limit: 0.1 } },
  ];

  it.each(methods)('%o', async (training) => {
    const plan = planOf(training, { testEveryEpochs: 0, normsEverySteps: 1, shapesEverySteps: 1 });
    // What is asked for at once; what is begun comes later.
    const atOnce = [vi.mocked(reading.readFloats), vi.mocked(reading.readIntegers)];
    let nWaits = 0;
    await collect(plan, dataset(), {
      stepsBehind: 2,
      onEvent: (event) => {
        if (event.type === 'record' && event.record.type === 'step') {
          nWaits += atOnce.reduce((sum, { mock }) => sum + mock.calls.length, 0);
        }
        for (const spy of atOnce) spy.mockClear();
      },
    });
    expect(nWaits).toBe(0);
  });
});
