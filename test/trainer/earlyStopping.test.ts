import { beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../server/data/split.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import type { EndedEarlyRecord } from '../../server/protocol/records.ts';
import type { Criterion } from '../../server/protocol/choice.ts';
import { EarlyStopping } from '../../server/trainer/earlyStopping.ts';
import { collect, openCpu, shallowPlan, tinyDataset } from './tinyPlan.ts';

beforeAll(openCpu);

const figures = (accuracy: number) => ({ accuracy, loss: 0, samples: 8 });

/** The test at which it ends, of these accuracies; null for none. */
function endOf(accuracies: readonly number[], plan: { patience: number; minDelta: number }): number | null {
  let stopping = new EarlyStopping(plan);
  for (const [index, accuracy] of accuracies.entries()) {
    const ended = stopping.see(figures(accuracy), { step: 10 * (index + 1), epoch: index + 1 });
    if (ended) return index;
    // As a run that is stopped after every test remembers it.
    const next = new EarlyStopping(plan);
    next.restore(stopping.saved());
    stopping = next;
  }
  return null;
}

describe('early stopping', () => {
  it('ends where so many tests one after the other are no better than the best', () => {
    expect(endOf([0.1, 0.2, 0.2, 0.15, 0.3], { patience: 2, minDelta: 0 })).toBe(3);
    expect(endOf([0.1, 0.2, 0.2, 0.25, 0.25, 0.25], { patience: 2, minDelta: 0 })).toBe(5);
    expect(endOf([0.3, 0.2, 0.1], { patience: 3, minDelta: 0 })).toBeNull();
    expect(endOf([0, 0, 0], { patience: 2, minDelta: 0 })).toBe(2);
  });

  it('remembers the best to the last bit', () => {
    for (const best of [1 / 3, 2 / 3, 0.1, 0.7, 0.9, 1 / 7])
      expect(endOf([best, best, best], { patience: 2, minDelta: 0 }), String(best)).toBe(2);
  });

  it('knows nothing before the first test, nor where nothing was remembered, and takes any first figure', () => {
    const plan = { patience: 1, minDelta: 0 };
    const fresh = new EarlyStopping(plan, 'loss');
    const restored = new EarlyStopping(plan, 'loss');
    restored.see({ ...figures(0), loss: 1 }, { step: 10, epoch: 1 });
    restored.see({ ...figures(0), loss: 2 }, { step: 20, epoch: 2 });
    restored.restore(fresh.saved());
    const emptied = new EarlyStopping(plan, 'loss');
    emptied.see({ ...figures(0), loss: 1 }, { step: 10, epoch: 1 });
    emptied.see({ ...figures(0), loss: 2 }, { step: 20, epoch: 2 });
    emptied.restore(new Map());
    for (const one of [fresh, restored, emptied]) {
      expect(one.isSpent).toBe(false);
      expect(one.see({ ...figures(0), loss: Infinity }, { step: 30, epoch: 3 })).toBeNull();
      expect(one.isSpent).toBe(false);
      expect(one.see({ ...figures(0), loss: 5 }, { step: 40, epoch: 4 })).toBeNull();
      expect(one.see({ ...figures(0), loss: 5 }, { step: 50, epoch: 5 })).toMatchObject({ best: 5, bestStep: 40 });
    }
  });

  it('takes for no better what is better by less than it was told', () => {
    expect(endOf([0.1, 0.14, 0.16], { patience: 2, minDelta: 0.05 })).toBeNull();
    expect(endOf([0.1, 0.14, 0.15], { patience: 2, minDelta: 0.05 })).toBe(2);
  });

  it('says what was the best, and when', () => {
    const stopping = new EarlyStopping({ patience: 1, minDelta: 0 });
    stopping.see(figures(0.625), { step: 10, epoch: 1 });
    expect(stopping.isSpent).toBe(false);
    expect(stopping.see(figures(0.5), { step: 20, epoch: 2 })).toMatchObject({
      ...{ type: 'endedEarly', step: 20, epoch: 2, best: 0.625, bestStep: 10 },
      message: expect.stringContaining('62.5 % of step 10') as string,
    } satisfies Partial<EndedEarlyRecord>);
    expect(stopping.isSpent).toBe(true);
  });
});

describe('early stopping goes by', () => {
  /** At the second test the asked figure is the same, at the third it is worse; the others get better and better. */
  const tests = [
    { accuracy: 0.5, loss: 2, robustAccuracy: 0.25 },
    { accuracy: 0.6, loss: 1, robustAccuracy: 0.5 },
    { accuracy: 0.7, loss: 0.5, robustAccuracy: 0.75 },
  ];
  it.each<[Criterion, string, number]>([
    ['accuracy', 'accuracy on the samples kept back did not rise above the 50.0 % of step 1.', 0.5],
    ['loss', 'the loss on the samples kept back did not fall below the 2.0000 of step 1.', 2],
    ['robustAccuracy', 'accuracy under attack on the samples kept back did not rise above the 25.0 % of step 1.', 0.25],
  ])('%s alone, across resumptions', (by, message, best) => {
    const worse = { accuracy: 0.4, loss: 2.5, robustAccuracy: 0.2 }[by];
    let stopping = new EarlyStopping({ patience: 2, minDelta: 0 }, by);
    const ends = tests.map((test, index) => {
      const value = [tests[0]![by], tests[0]![by], worse][index]!;
      const ended = stopping.see({ ...test, samples: 8, [by]: value }, { step: index + 1, epoch: index + 1 });
      const next = new EarlyStopping({ patience: 2, minDelta: 0 }, by);
      next.restore(stopping.saved());
      stopping = next;
      return ended;
    });
    expect(ends.slice(0, 2)).toEqual([null, null]);
    expect(ends[2]).toMatchObject({ best, bestStep: 1 });
    expect(ends[2]!.message).toContain(message);
  });

  it('what a test measures: those kept back are attacked where the plan chooses by it', async () => {
    const dataset: Dataset = { ...tinyDataset(), validation: tinyDataset({ nTest: 3 }).test };
    const planBy = (chooseBy?: 'loss' | 'robustAccuracy'): Plan => ({
      ...shallowPlan,
      training: { ...shallowPlan.training, epochs: 1, ...(chooseBy && { chooseBy }) },
      observe: { ...shallowPlan.observe, normsEverySteps: 0, shapesEverySteps: 0, robustSamples: 4 },
    });
    const heldBy = async (plan: Plan) => {
      const { records } = await collect(plan, dataset);
      return records.find((record) => record.type === 'test')!.validation!;
    };
    const attacked = await heldBy(planBy('robustAccuracy'));
    expect(attacked.robustSamples).toBe(3);
    expect(attacked.robustAccuracy).toBeLessThanOrEqual(attacked.accuracy);
    expect([0, 1, 2, 3]).toContain(Math.round(3 * attacked.robustAccuracy!));
    expect(await heldBy(planBy('loss'))).not.toHaveProperty('robustAccuracy');
    expect(await heldBy(planBy())).not.toHaveProperty('robustAccuracy');
  });
});

describe('training with early stopping', () => {
  const dataset: Dataset = { ...tinyDataset(), validation: tinyDataset().test };
  /** A step so small that no answer changes. */
  const plan: Plan = {
    ...shallowPlan,
    training: {
      ...shallowPlan.training,
      ...{ epochs: 9, checkpointEveryEpochs: 9, earlyStopping: { patience: 2, minDelta: 0 } },
      schedule: { type: 'constant', learningRate: 1e-12 },
    },
    observe: { ...shallowPlan.observe, normsEverySteps: 0, shapesEverySteps: 0, robustSamples: 0 },
  };

  it('ends after its patience with a state, and has nothing left to train from there', async () => {
    const { records, states } = await collect(plan, dataset);
    expect(records.filter(({ type }) => type === 'test')).toHaveLength(3);
    expect(records.at(-1)).toMatchObject({ type: 'endedEarly', step: 6, epoch: 3, bestStep: 2 });
    expect(states.map(({ step, epoch }) => [step, epoch])).toEqual([[6, 3]]);
    const again = await collect(plan, dataset, { from: states[0]! });
    expect(again.records.map(({ type }) => type)).toEqual(['prepared']);
  });
});
