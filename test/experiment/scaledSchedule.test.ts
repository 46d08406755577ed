import { expect, it } from 'vitest';
import { scaledSchedule } from '../../server/experiment/scaledSchedule.ts';

it('all learning rates of a schedule are multiplied, and nothing else of it', () => {
  const ends = { min: 0.01, max: 1 };
  const scaled = { min: 0.005, max: 0.5 };
  expect(scaledSchedule({ type: 'constant', learningRate: 0.1 }, 0.5)).toEqual({
    type: 'constant',
    learningRate: 0.05,
  });
  const step = { type: 'step', learningRate: 0.1, factor: 0.1, everyEpochs: 50 } as const;
  expect(scaledSchedule(step, 0.5)).toEqual({ ...step, learningRate: 0.05 });
  for (const schedule of [
    { type: 'triangular', ...ends, cooldownEpochs: 2, peak: 0.3 },
    { type: 'cosine', ...ends, warmupEpochs: 3 },
    { type: 'one-cycle', ...ends, peak: 0.3, cooldownEpochs: 0 },
  ] as const)
    expect(scaledSchedule(schedule, 0.5)).toEqual({ ...schedule, ...scaled });
});
