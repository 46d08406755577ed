// How long a sweep will take, by what was seen of others.
import { describe, expect, it } from 'vitest';
import { estimateCells, type SeenRun } from '../../server/sweep/sweepEstimate.ts';
import { scriptedPlan } from '../run/scriptedTrainer.ts';

const cell = (description: string, epochs = 3) => {
  const plan = scriptedPlan('steps');
  return { description, plan: { ...plan, training: { ...plan.training, epochs } } };
};
const seen = (description: string, change: Partial<SeenRun> = {}): SeenRun => ({
  ...{ description, steps: 12, epochs: 3, tookMs: 1000, bytes: 50 },
  ...change,
});

describe('what a sweep will take', () => {
  it('goes by the newest run of the same description, in proportion to the steps', () => {
    const runs = [seen('a'), seen('a', { tookMs: 9000 }), seen('b', { tookMs: 3000, bytes: 70 })];
    expect(estimateCells([cell('a'), cell('a', 6), cell('b')], runs, { atOnce: 1 })).toEqual({
      ...{ atOnce: 1, ms: 1000 + 2000 + 3000, bytes: 50 + 50 + 70 },
    });
  });

  it('goes by epochs where the run had no known number of steps', () => {
    expect(estimateCells([cell('a', 9)], [seen('a', { steps: 0 })], { atOnce: 1 }).ms).toBe(3000);
  });

  it('is shared by as many as go at once, and by no more than there are', () => {
    const cells = [cell('a'), cell('a'), cell('a'), cell('a')];
    expect(estimateCells(cells, [seen('a')], { atOnce: 2 }).ms).toBe(2000);
    expect(estimateCells(cells.slice(0, 1), [seen('a')], { atOnce: 2 }).ms).toBe(1000);
  });

  it('takes cells of which no like has run for the mean of the others, and says nothing where none has', () => {
    expect(estimateCells([cell('a'), cell('c')], [seen('a')], { atOnce: 1 })).toMatchObject({ ms: 2000, bytes: 100 });
    expect(estimateCells([cell('c')], [seen('a')], { atOnce: 1 })).toMatchObject({ ms: null, bytes: null });
    expect(estimateCells([], [], { atOnce: 1 })).toMatchObject({ ms: 0, bytes: 0 });
  });
});
