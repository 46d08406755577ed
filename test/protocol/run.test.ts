import { describe, expect, it } from 'vitest';
import { hasShapes, isKaf, type ActivationPlan } from '../../server/protocol/plan.ts';
import {
  isAttackQueued,
  isLive,
  isResumable,
  runTitle,
  statusText,
  whyNotResumable,
  type RunStatus,
  type RunSummary,
} from '../../server/protocol/run.ts';

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
    expect(whyNotResumable({ status: 'diverged' })).toContain('diverge again');
    expect(whyNotResumable({ status: 'finished' })).toBe('there is nothing left to do');
  });

  it('that waits says for what: for somebody, for its turn, or with every step done for its attack', () => {
    const text = (status: RunStatus, step: number, steps: number) => statusText({ status, step, steps });
    expect([text('waiting', 0, 10), text('training', 3, 10), text('finished', 10, 10)]).toEqual([
      'not started',
      'training',
      'finished',
    ]);
    expect([text('queued', 9, 10), text('queued', 10, 10), text('queued', 11, 10), text('queued', 1, 1)]).toEqual([
      'queued',
      'attack queued',
      'attack queued',
      'attack queued',
    ]);
    expect(isAttackQueued({ status: 'queued', step: 0, steps: 0 })).toBe(false);
  });

  it('is called as its owner calls it, else by name and seed; one that can’t be read by its folder', () => {
    const run = { name: 'kaf-light', seed: 3, status: 'finished' } as RunSummary;
    expect(runTitle({ ...run, mark: { title: 'mine' } })).toBe('mine');
    expect(runTitle({ ...run, mark: { note: 'a note' } })).toBe('kaf-light · seed 3');
    expect(runTitle({ ...run, status: 'damaged' })).toBe('kaf-light');
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
