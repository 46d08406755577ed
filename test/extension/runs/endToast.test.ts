// What is said when a run ends, and when nothing is.
import { describe, expect, test } from 'vitest';
import { Ends, isTold } from '../../../extension/runs/endToast.ts';
import { runStatuses, type RunSummary } from '../../../server/protocol/run.ts';
import { attackPlan } from '../../attack/plans.ts';
import { runSummary } from '../runSummaries.ts';

function ending(change: Partial<RunSummary>, before: Partial<RunSummary> | null = {}, isDeleted = false) {
  const run = runSummary({ step: 800, robustAccuracy: null, ...change });
  return { run, before: before && runSummary(before), isDeleted };
}

const textOf = (...args: Parameters<typeof ending>) => new Ends().see(ending(...args))?.text ?? null;

describe('the end of a run', () => {
  test('is told with its figures, or with why it came', () => {
    const figures = [{ plan: attackPlan('pgd'), step: 800, samples: 1000, standing: 389 }];
    expect(textOf({ status: 'finished' })).toBe('kaf-light · seed 0 has finished: clean 64.1 %.');
    expect(textOf({ status: 'finished', figures }, { status: 'evaluating' })).toBe(
      'kaf-light · seed 0 has been attacked: clean 64.1 %, PGD-50-10 8/255 ≤ 38.9 % (35.9 – 42.0).',
    );
    expect(textOf({ status: 'failed', message: 'Out of memory.' })).toBe('kaf-light · seed 0: failed. Out of memory.');
    expect(textOf({ status: 'finished', message: 'No data.' }, { status: 'evaluating' })).toBe(
      'kaf-light · seed 0: the attack failed. No data.',
    );
    expect(new Ends().see(ending({ status: 'diverged', step: 1204, message: 'Lower it.' }))).toEqual({
      ...{ runId: 'run-1', severity: 'warning', isDiverged: true },
      text: 'kaf-light · seed 0 diverged at step 1,204. Lower it.',
    });
    expect(new Ends().see(ending({ status: 'finished' }))).toMatchObject({
      severity: 'information',
      isDiverged: false,
    });
  });

  test('is no link and no icon, whatever the run is called', () => {
    expect(textOf({ status: 'finished', name: '[a](command:b) $(c)' })).toContain('[a] (command:b) $ (c)');
  });

  test('is told once, and again only of later work', () => {
    const ends = new Ends();
    expect(ends.see(ending({ status: 'finished' }))).not.toBeNull();
    expect(ends.see(ending({ status: 'finished' }))).toBeNull();
    expect(ends.see(ending({ status: 'interrupted' }))).toBeNull();
    expect(ends.see(ending({ status: 'finished', incarnation: 1 }, { status: 'evaluating' }))).not.toBeNull();
    expect(ends.see(ending({ id: 'another', status: 'finished' }))).not.toBeNull();
  });

  test('is not told of what one did oneself, what was over before, and what is gone', () => {
    expect(textOf({ status: 'stopped' })).toBeNull();
    expect(textOf({ status: 'finished' }, { status: 'queued' })).toBeNull();
    expect(textOf({ status: 'finished' }, null)).toBeNull();
    expect(textOf({ status: 'finished' }, {}, true)).toBeNull();
    for (const status of runStatuses)
      expect(textOf({ status: 'finished' }, { status }) !== null, status).toBe(
        ['preparing', 'training', 'paused', 'evaluating'].includes(status),
      );
  });
});

test('nobody is told who sees it: the window has the focus, and the dashboard is in view', () => {
  const looks = [true, false].flatMap((isFocused) => [true, false].map((isShown) => ({ isFocused, isShown })));
  expect(looks.map((seen) => isTold('away', seen))).toEqual([false, true, true, true]);
  expect(looks.map((seen) => isTold('always', seen))).toEqual([true, true, true, true]);
  expect(looks.map((seen) => isTold('never', seen))).toEqual([false, false, false, false]);
});
