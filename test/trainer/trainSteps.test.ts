// What of a step is drawn at random and when anew, seen on a network that stands still: its learning rate is 0. And what a step says
// and leaves behind where it fails.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { inputGradient } from '../../server/attack/inputGradient.ts';
import type { Dataset } from '../../server/data/split.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import { cropAndFlip } from '../../server/tensor/ops/augment.ts';
import { counterOf, uniform } from '../../server/tensor/ops/random.ts';
import { trainingLosses } from '../../server/tensor/ops/trainingLoss.ts';
import { computeGradients } from '../../server/trainer/gradients.ts';
import { train } from '../../server/trainer/train.ts';
import { collect, openCpu, tinyDataset, tinyPlan } from './tinyPlan.ts';

vi.mock('../../server/attack/inputGradient.ts', { spy: true });
vi.mock('../../server/tensor/ops/augment.ts', { spy: true });
vi.mock('../../server/tensor/ops/random.ts', { spy: true });
vi.mock('../../server/trainer/gradients.ts', { spy: true });

beforeAll(openCpu);
afterEach(() => {
  vi.clearAllMocks();
});

type Training = Plan['training'];
const still = { type: 'constant', learningRate: 0 } as const;
const plain = { type: 'sgd', momentum: 0, weightDecay: 0 } as const;
const quiet = { normsEverySteps: 0, shapesEverySteps: 0, testEveryEpochs: 0, robustSamples: 0 };

/** Nothing is drawn but the weights, unless it is asked for. */
function planOf(training: Partial<Training> = {}, dropout = [0, 0, 0], change: Partial<Plan> = {}): Plan {
  const { threat: _threat, ...rest } = tinyPlan.training;
  return {
    ...tinyPlan,
    model: { ...tinyPlan.model, dropout, denseL2: 0 },
    training: {
      ...{ ...rest, threat: null, method: { type: 'standard' }, optimizer: plain, schedule: still },
      ...{ epochs: 5, batchSize: 4, augmentation: { crop: 0, flip: false } },
      ...training,
    },
    observe: { ...tinyPlan.observe, ...quiet },
    ...change,
  };
}

const lossesOf = (records: readonly RunRecord[]) =>
  records.flatMap((record) => (record.type === 'step' ? [record.loss] : []));

/** On one image alone, once an epoch: it has no order. */
async function losses(plan: Plan): Promise<number[]> {
  return lossesOf((await collect(plan, tinyDataset({ nTrain: 1 }))).records);
}

const threat = { norm: 'linf', epsilon: 0.2, stepSize: 0.1 } as const;

describe('a step of a network that stands still', () => {
  it('has the same loss each time where nothing is drawn', async () => {
    const found = await losses(planOf());
    expect(found).toEqual(Array(found.length).fill(found[0]));
  });

  it.each([
    ['the units that are dropped', planOf({}, [0.5, 0.5, 0.5])],
    ['the crops', planOf({ augmentation: { crop: 2, flip: false } })],
    ['who is flipped', planOf({ augmentation: { crop: 0, flip: true } })],
    ['the start of its attack', planOf({ method: tinyPlan.training.method, threat })],
  ])('draws anew %s', async (_, plan) => {
    const found = await losses(plan);
    expect(new Set(found).size).toBeGreaterThan(1);
    expect(await losses(plan)).toEqual(found);
  });

  it('draws an order for each epoch, and every image once in it', async () => {
    const asked: number[][] = [];
    const dataset = tinyDataset({ nTrain: 8 });
    const watched: Dataset = {
      ...dataset,
      train: {
        nSamples: 8,
        read: (rows) => {
          asked.push([...rows]);
          return dataset.train.read(rows);
        },
      },
    };
    await collect(planOf({ epochs: 4, batchSize: 3 }), watched);
    expect(asked.map(({ length }) => length)).toEqual([3, 3, 2, 3, 3, 2, 3, 3, 2, 3, 3, 2]);
    const epochs = [0, 1, 2, 3].map((epoch) => asked.slice(3 * epoch, 3 * epoch + 3).flat());
    for (const order of epochs) expect([...order].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(new Set(epochs.map((order) => order.join())).size).toBe(4);
  });

  it('draws each with a key of its own: crops, start and dropout of the attack, dropout of the update', async () => {
    const drawing = {
      augmentation: { crop: 1, flip: true },
      method: tinyPlan.training.method,
      threat,
      epochs: 3,
    } as const;
    const drawnBy: string[] = [];
    await collect(planOf(drawing, [0.5, 0.5, 0.5]), tinyDataset({ nTrain: 1 }), {
      onEvent: (event) => {
        if (event.type !== 'record' || event.record.type !== 'step') return;
        const keys = [
          ...vi.mocked(cropAndFlip).mock.calls.map(([, , key]) => key),
          ...vi.mocked(uniform).mock.calls.flatMap(([, low, , key]) => (low === -threat.epsilon ? [key] : [])),
          ...vi.mocked(inputGradient).mock.calls.map(([, , , { key }]) => key!),
          ...vi.mocked(computeGradients).mock.calls.map(([, , { key }]) => key),
        ];
        drawnBy.push(...keys.map(({ seed, stream, counter }) => `${seed} ${stream} ${counterOf({ counter })}`));
        vi.clearAllMocks();
      },
    });
    expect(drawnBy).toHaveLength(12);
    expect(new Set(drawnBy).size).toBe(12);
  });

  it.each(['least-squares', 'cross-entropy', undefined] as const)(
    'is attacked by the loss that it is trained with: %s',
    async (loss) => {
      const names = ['least-squares', 'cross-entropy'] as const;
      const spies = names.map((name) => vi.spyOn(trainingLosses, name));
      onTestFinished(() => {
        for (const spy of spies) spy.mockRestore();
      });
      const { method } = tinyPlan.training;
      await collect(planOf({ method, threat, epochs: 1, ...(loss && { loss }) }), tinyDataset({ nTrain: 1 }));
      // Once to attack, once to train.
      expect(spies.map((spy) => spy.mock.calls.length)).toEqual(loss === 'least-squares' ? [2, 0] : [0, 2]);
    },
  );
});

describe('training', () => {
  it('says what the samples and classes are where only the disk tells', async () => {
    const dataset = tinyDataset();
    const folder = { name: 'folder', path: '/data' } as unknown as Plan['dataset'];
    const prepared = async (plan: Plan) => (await collect(plan, dataset)).records[0]!;
    expect(await prepared(planOf({ epochs: 1 }, [0, 0, 0], { dataset: folder }))).toMatchObject({
      type: 'prepared',
      ends: { sampleShape: [4, 4, 3], nClasses: 3 },
    });
    expect(await prepared(planOf({ epochs: 1 }))).not.toHaveProperty('ends');
  });

  it('that diverges tells the norms of that step before it says so, and leaves nothing behind', async () => {
    const faster = { schedule: { type: 'constant', learningRate: 1e30 }, epochs: 4 } as const;
    const plan = planOf(faster, [0, 0, 0], { model: tinyPlan.model });
    const before = tf.memory().numTensors;
    const { records } = await collect(plan, tinyDataset());
    const [norms, diverged] = records.slice(-2);
    expect([norms!.type, diverged!.type]).toEqual(['norms', 'diverged']);
    expect(norms).toMatchObject({ step: (diverged as { step: number }).step });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('tells when a step waits for its batch', async () => {
    const dataset = tinyDataset();
    const late: Dataset = {
      ...dataset,
      train: {
        ...dataset.train,
        read: async (rows) => {
          for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
          return dataset.train.read(rows);
        },
      },
    };
    const waits: boolean[] = [];
    const { signal } = new AbortController();
    const onWait = (isWaiting: boolean) => waits.push(isWaiting);
    for await (const event of train(planOf({ epochs: 1 }), late, { from: null, signal, onWait })) void event;
    expect(waits.slice(0, 2)).toEqual([true, false]);
  });
});
