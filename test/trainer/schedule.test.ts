import { describe, expect, it } from 'vitest';
import { epochsBefore, learningRate } from '../../server/trainer/schedule.ts';

describe('epochsBefore', () => {
  it('counts the epochs done before the one of an update', () => {
    expect([0, 1, 10, 11, 20, 21].map((step) => epochsBefore(step, 10))).toEqual([0, 0, 0, 1, 1, 2]);
    expect([0, 1, 2, 3].map((step) => epochsBefore(step, 1))).toEqual([0, 0, 1, 2]);
  });
});

describe('learningRate', () => {
  const length = { epochs: 5, stepsPerEpoch: 10 };

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
