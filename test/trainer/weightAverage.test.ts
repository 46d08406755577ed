import { beforeAll, describe, expect, it } from 'vitest';
import type { Plan, WeightAveragePlan } from '../../server/protocol/plan.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import { evaluate } from '../../server/trainer/evaluate.ts';
import { restoreNetwork, type TrainingState } from '../../server/trainer/trainingState.ts';
import { networkOf } from '../../server/trainer/planNetwork.ts';
import { testNetwork } from '../../server/trainer/testing.ts';
import { attackPlan } from '../attack/plans.ts';
import { collect, openCpu, shallowPlan, tinyDataset } from './tinyPlan.ts';

beforeAll(openCpu);

const dataset = tinyDataset();
const { signal } = new AbortController();

/** Steps so large that the average stays behind. */
function planOf(weightAverage: Partial<WeightAveragePlan> | null): Plan {
  const usual = { decay: 0.9, warmUp: true, statistics: 'average' } as const;
  return {
    ...shallowPlan,
    training: {
      ...shallowPlan.training,
      schedule: { type: 'constant', learningRate: 0.05 },
      ...(weightAverage && { weightAverage: { ...usual, ...weightAverage } }),
    },
  };
}

function ofType<T extends RunRecord['type']>(records: readonly RunRecord[], type: T) {
  return records.filter((record): record is Extract<RunRecord, { type: T }> => record.type === type);
}

async function testedWith(plan: Plan, state: TrainingState, of: 'model' | 'average') {
  const network = networkOf(plan, dataset);
  restoreNetwork(network, state, of);
  const tested = await testNetwork(network, dataset, plan, signal);
  network.dispose();
  return tested!;
}

async function evaluated(
  plan: Plan,
  state: TrainingState,
  weights: 'averaged' | 'raw' = 'averaged',
): Promise<RunRecord[]> {
  const given = { samples: 4, batchSize: 4, steps: 2, restarts: 1, epsilon: 1e-9, weights } as const;
  const found: RunRecord[] = [];
  const options = { state, number: 1, signal };
  for await (const record of evaluate(plan, attackPlan('pgd', given), dataset, options)) found.push(record);
  return found;
}

describe('training with an average of the weights', () => {
  it('trains the same weights as without it, and its state holds both', async () => {
    const plain = await collect(planOf(null), dataset);
    const averaged = await collect(planOf({}), dataset);
    expect(ofType(averaged.records, 'step')).toEqual(ofType(plain.records, 'step'));
    expect(ofType(averaged.records, 'norms')).toEqual(ofType(plain.records, 'norms'));
    const [own, with_] = [plain, averaged].map(({ states }) => states.at(-1)!.tensors);
    const isAverage = ([name]: [string, unknown]) => name.startsWith('average/');
    expect(new Map([...with_!].filter((entry) => !isAverage(entry)))).toEqual(own);
    const names = [...with_!].filter(isAverage).map(([name]) => name.replace('average/', 'model/'));
    expect(names.sort()).toEqual([...own!.keys()].filter((name) => name.startsWith('model/')).sort());
  });

  it('is tested and evaluated by the average, and says so', async () => {
    const plan = planOf({});
    const { records, states } = await collect(plan, dataset);
    const last = states.at(-1)!;
    const [ofAverage, ofTrained] = [await testedWith(plan, last, 'average'), await testedWith(plan, last, 'model')];
    expect(ofAverage.loss).not.toBe(ofTrained.loss);
    expect(ofType(records, 'test').at(-1)).toEqual({
      type: 'test',
      step: 4,
      epoch: 2,
      ...ofAverage,
      weights: 'average',
    });

    const [started] = await evaluated(plan, last);
    expect(started).toMatchObject({ type: 'evaluationStarted', weights: 'average' });
    const [plain] = await evaluated(planOf(null), last);
    expect(plain).not.toHaveProperty('weights');
    const tensors = new Map([...last.tensors].filter(([name]) => !name.startsWith('average/')));
    await expect(evaluated(plan, { ...last, tensors })).rejects.toThrow('average/conv1.kernel');
  });

  it('is tested as far in its training as the weights that it is of', async () => {
    const lowering = { to: 0.1, by: 0.2, everyEpochs: 1, afterEpochs: 0 };
    const activation = {
      type: 'k-wta',
      rounding: 'ceiling',
      over: 'layer',
      ties: 'all',
      ratio: 0.8,
      lowering,
    } as const;
    const plan: Plan = { ...planOf({}), model: { ...planOf({}).model, activation } };
    const { records, states } = await collect(plan, dataset);
    const [last] = states.slice(-1);
    const lossAt = async (epoch: number) => {
      const network = networkOf(plan, dataset);
      restoreNetwork(network, last!, 'average');
      network.setEpoch(epoch);
      const tested = await testNetwork(network, dataset, plan, signal);
      network.dispose();
      return tested!.loss;
    };
    const losses = [await lossAt(0), await lossAt(1), await lossAt(2), await lossAt(3)];
    expect(new Set(losses).size).toBe(4);
    expect(ofType(records, 'test').at(-1)!.loss).toBe(losses[1]);
  });

  it('is evaluated by the weights as they were trained where that is asked for', async () => {
    const last = (await collect(planOf({}), dataset)).states.at(-1)!;
    const tensors = new Map([...last.tensors].filter(([name]) => !name.startsWith('average/')));
    const raw = await evaluated(planOf({}), { ...last, tensors }, 'raw');
    expect(raw[0]).not.toHaveProperty('weights');
    expect(raw.slice(1)).toEqual((await evaluated(planOf(null), last, 'averaged')).slice(1));
  });

  it('tells tests of the weights as they are trained without a word', async () => {
    const { records } = await collect(planOf(null), dataset);
    expect(ofType(records, 'test').every((record) => !('weights' in record))).toBe(true);
  });

  it('takes the weights of the first update as they are, and running statistics as the plan says', async () => {
    const first = await collect(
      { ...planOf({}), training: { ...planOf({}).training, epochs: 1, batchSize: 4 } },
      dataset,
    );
    const { tensors } = first.states.at(-1)!;
    for (const [name, tensor] of tensors) {
      if (name.startsWith('average/')) expect(tensor, name).toEqual(tensors.get(name.replace('average/', 'model/')));
    }
    for (const statistics of ['average', 'trained'] as const) {
      const { states } = await collect(planOf({ statistics }), dataset);
      const last = states.at(-1)!.tensors;
      const [average, trained] = ['average/bn1.mean', 'model/bn1.mean'].map((name) => last.get(name)!.values);
      if (statistics === 'trained') expect(average).toEqual(trained);
      else expect(average).not.toEqual(trained);
    }
  });

  it('goes on from any step as if it had not been stopped, bit by bit', async () => {
    const plan = planOf({});
    const whole = await collect(plan, dataset);
    for (const stopAfter of [1, 2, 3]) {
      const controller = new AbortController();
      const head = await collect(plan, dataset, {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === 'record' && event.record.type === 'step' && event.record.step === stopAfter)
            controller.abort();
        },
      });
      const tail = await collect(plan, dataset, { from: head.states.at(-1)! });
      expect([...head.records, ...tail.records.slice(1)]).toEqual(whole.records);
      expect(tail.states.at(-1)).toEqual(whole.states.at(-1));
    }
  });
});
