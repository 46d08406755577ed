import { describe, expect, it } from 'vitest';
import { hasShapes, isKaf, type ActivationPlan } from '../../server/protocol/plan.ts';
import { isLive, isResumable, type RunStatus, type RunSummary } from '../../server/protocol/run.ts';

const live: RunStatus[] = ['queued', 'preparing', 'training', 'paused', 'evaluating'];
const ended: RunStatus[] = ['finished', 'stopped', 'interrupted', 'diverged', 'failed'];

describe('a run', () => {
  it('is live while a trainer is at work for it or will be', () => {
    expect(live.filter(isLive)).toEqual(live);
    expect(ended.filter(isLive)).toEqual([]);
  });

  it('can go on where it has ended and was not finished, also after its last step', () => {
    const at = (step: number) => (status: RunStatus) => isResumable({ status, step, steps: 10 } as RunSummary);
    const goesOn = ['stopped', 'interrupted', 'failed'];
    for (const step of [0, 9, 10]) expect([...live, ...ended].filter(at(step))).toEqual(goesOn);
    expect(isResumable({ status: 'waiting' } as RunSummary)).toBe(true);
    expect(isResumable({ status: 'damaged' } as RunSummary)).toBe(false);
  });
});

it('an activation has kernels in all three KAFs, and curves to show wherever something is trained', () => {
  const types = ['kaf', 'residual-kaf', 'kaf-free', 'spline', 'kaf-2d', 'relu', 'maxout'].map(
    (type) => ({ type }) as ActivationPlan,
  );
  expect(types.filter(isKaf).map(({ type }) => type)).toEqual(['kaf', 'residual-kaf', 'kaf-free']);
  expect(types.filter(hasShapes).map(({ type }) => type)).toEqual([
    'kaf',
    'residual-kaf',
    'kaf-free',
    'spline',
    'kaf-2d',
  ]);
  expect(hasShapes({ type: 'prelu', slope: 0.25 })).toBe(true);
  expect(hasShapes({ type: 'formula', formula: 'x', parameters: [] })).toBe(false);
});
