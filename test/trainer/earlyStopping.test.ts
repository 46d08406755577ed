import { beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../server/data/split.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import type { EndedEarlyRecord } from '../../server/protocol/records.ts';
import { EarlyStopping } from '../../server/trainer/earlyStopping.ts';
import { collect, openCpu, tinyDataset, tinyPlan } from './tinyPlan.ts';

beforeAll(openCpu);

/** The test at which it ends, of these accuracies; null for none. */
function endOf(accuracies: readonly number[], plan: { patience: number; minDelta: number }): number | null {
  let stopping = new EarlyStopping(plan);
  for (const [index, accuracy] of accuracies.entries()) {
    const ended = stopping.see({ accuracy }, { step: 10 * (index + 1), epoch: index + 1 });
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

  it('takes for no better what is better by less than it was told', () => {
    expect(endOf([0.1, 0.14, 0.16], { patience: 2, minDelta: 0.05 })).toBeNull();
    expect(endOf([0.1, 0.14, 0.15], { patience: 2, minDelta: 0.05 })).toBe(2);
  });

  it('says what was the best, and when', () => {
    const stopping = new EarlyStopping({ patience: 1, minDelta: 0 });
    stopping.see({ accuracy: 0.625 }, { step: 10, epoch: 1 });
    expect(stopping.isSpent).toBe(false);
    expect(stopping.see({ accuracy: 0.5 }, { step: 20, epoch: 2 })).toMatchObject({
      ...{ type: 'endedEarly', step: 20, epoch: 2, best: 0.625, bestStep: 10 },
      message: expect.stringContaining('62.5 % of step 10') as string,
    } satisfies Partial<EndedEarlyRecord>);
    expect(stopping.isSpent).toBe(true);
  });
});

describe('training with early stopping', () => {
  const dataset: Dataset = { ...tinyDataset(), validation: tinyDataset().test };
  /** A step so small that no answer changes. */
  const plan: Plan = {
    ...tinyPlan,
    training: {
      ...tinyPlan.training,
      ...{ epochs: 9, checkpointEveryEpochs: 9, earlyStopping: { patience: 2, minDelta: 0 } },
      schedule: { type: 'constant', learningRate: 1e-12 },
    },
    observe: { ...tinyPlan.observe, normsEverySteps: 0, shapesEverySteps: 0, robustSamples: 0 },
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
