// Attacks that are cut by test images: which images a part has, and what the parts make together.
import { beforeAll, describe, expect, it } from 'vitest';
import { partRange } from '../../server/attack/partRange.ts';
import { mergeParts } from '../../server/attack/parts.ts';
import type { RunRecord } from '../../server/protocol/records.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { attackPlan } from './plans.ts';
import { nSamples, run, runParts } from './runAttack.ts';

beforeAll(openCpu);

const ranges = (batchSize: number, keep: number, samples: number, of: number) =>
  Array.from({ length: of }, (_, index) => partRange({ batchSize, keep }, samples, { index, of }));

describe('a part of an attack', () => {
  it('has whole batches, about as many as the others, and all parts together each image once', () => {
    expect(ranges(100, 0, 1000, 3)).toEqual([
      { first: 0, end: 300 },
      { first: 300, end: 600 },
      { first: 600, end: 1000 },
    ]);
    expect(ranges(6, 0, 17, 2)).toEqual([
      { first: 0, end: 6 },
      { first: 6, end: 17 },
    ]);
    expect(partRange({ batchSize: 6, keep: 0 }, 17)).toEqual({ first: 0, end: 17 });
  });

  it('has none where there are more parts than batches', () => {
    expect(ranges(10, 0, 17, 4).map(({ first, end }) => end - first)).toEqual([0, 10, 0, 7]);
  });

  it('is the first where images are kept', () => {
    expect(ranges(10, 25, 100, 4)).toEqual([
      { first: 0, end: 30 },
      { first: 30, end: 50 },
      { first: 50, end: 70 },
      { first: 70, end: 100 },
    ]);
    expect(ranges(10, 1000, 100, 2)[0]).toEqual({ first: 0, end: 100 });
  });
});

describe('parts put together', () => {
  const pgd = attackPlan('pgd', { steps: 4, restarts: 2, epsilon: 0.06, batchSize: 3, samples: 100 });

  it.each([
    ['of several ε', { ...pgd, epsilons: [0.01, 0.03] }],
    ['counted by the thesis', { ...pgd, protocol: 'thesis' } as const],
  ])('are the whole, %s', async (_, plan) => {
    const whole = await run(plan);
    for (const of of [1, 2, 6, 9]) {
      const { progress, state } = mergeParts(await runParts(plan, of))!;
      expect(progress).toEqual(whole.progress);
      expect(await run(plan, { from: state })).toEqual({ counts: whole.counts, progress: [] });
    }
    expect(whole.counts.samples).toBe(nSamples);
  });

  it('are the whole where one was cut off in the midst of a batch and went on', async () => {
    const parts = await runParts(pgd, 2);
    const [started, ...rest] = parts[1]!;
    // Its first batch, the first of two stages of the second, and from there once more.
    const cutOff = [started!, ...rest.slice(0, 3), { ...started!, from: 3 } as RunRecord, ...rest.slice(2)];
    expect(mergeParts([parts[0]!, cutOff])).toEqual(mergeParts(parts));
    expect(cutOff.length).toBe(parts[1]!.length + 2);
  });

  it('are nothing as long as one has not come to its end', async () => {
    const parts = await runParts(pgd, 3);
    expect(mergeParts([parts[0]!, parts[1]!.slice(0, -1), parts[2]!])).toBeNull();
    expect(mergeParts([])).toBeNull();
  });
});
