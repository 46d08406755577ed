import { describe, expect, it } from 'vitest';
import { batchOf, epochsBefore, learningRate } from '../../server/trainer/schedule.ts';

describe('epochsBefore', () => {
  it('counts the epochs done before the one of an update', () => {
    expect([0, 1, 10, 11, 20, 21].map((step) => epochsBefore(step, 10))).toEqual([0, 0, 0, 1, 1, 2]);
    expect([0, 1, 2, 3].map((step) => epochsBefore(step, 1))).toEqual([0, 0, 1, 2]);
  });
});

describe('batchOf', () => {
  it('takes the same batch for all updates that a method makes of it', () => {
    const free = { method: { type: 'free', replays: 3 } } as Parameters<typeof batchOf>[0];
    expect([0, 1, 2, 3, 5, 6].map((step) => batchOf(free, step))).toEqual([0, 0, 0, 1, 1, 2]);
  });
});

describe('learningRate', () => {
  const length = { epochs: 5, stepsPerEpoch: 10 };

  it('warms up for all epochs but one at most', () => {
    const plan = { type: 'cosine', min: 0, max: 1, warmupEpochs: 9 } as const;
    expect([1, 21, 41].map((step) => learningRate(plan, step, length))).toEqual([0, 0.5, 1]);
  });

  it('of one cycle cools down at min, has no less than nothing to cycle in, and may begin at its peak', () => {
    const plan = { type: 'one-cycle', min: 0.01, max: 1, peak: 0.25, cooldownEpochs: 1 } as const;
    const rates = Array.from({ length: 50 }, (_, index) => learningRate(plan, index + 1, length));
    expect(rates.slice(40)).toEqual(Array(10).fill(0.01));
    expect(rates[39]).toBeCloseTo(0.01, 12);
    expect(rates[38]).toBeGreaterThan(0.01);
    const [first] = [learningRate({ ...plan, cooldownEpochs: 9 }, 1, length)];
    expect(first).toBe(0.01);
    // A cycle of four steps whose peak is the first: nothing rises.
    expect(learningRate({ ...plan, cooldownEpochs: 0 }, 1, { epochs: 1, stepsPerEpoch: 4 })).toBe(1);
    // At the peak itself, both ways.
    expect(learningRate({ ...plan, cooldownEpochs: 0 }, 2, { epochs: 1, stepsPerEpoch: 8 })).toBe(1);
  });

  it('stays where a constant schedule puts it', () => {
    expect([1, 25, 50].map((step) => learningRate({ type: 'constant', learningRate: 0.1 }, step, length))).toEqual([
      0.1, 0.1, 0.1,
    ]);
  });

  it('rises from min to max at half of the steps before the cooldown, falls back, and cools down at min', () => {
    const plan = { type: 'triangular', min: 0.1, max: 1.1, cooldownEpochs: 1 } as const;
    const rates = Array.from({ length: 50 }, (_, index) => learningRate(plan, index + 1, length));
    expect(rates[0]).toBeCloseTo(0.1, 12);
    expect(rates[10]).toBeCloseTo(0.6, 12);
    expect(rates[20]).toBeCloseTo(1.1, 12);
    expect(rates[30]).toBeCloseTo(0.6, 12);
    expect(rates[39]).toBeCloseTo(0.15, 12);
    expect(rates.slice(40)).toEqual(Array(10).fill(0.1));
  });

  it('stays at min when all epochs are cooldown', () => {
    const plan = { type: 'triangular', min: 0.1, max: 1, cooldownEpochs: 9 } as const;
    expect([1, 6, 50].map((step) => learningRate(plan, step, length))).toEqual([0.1, 0.1, 0.1]);
  });
});
