import { describe, expect, test } from 'vitest';
import type { EvaluationView } from '../../../server/protocol/snapshot.ts';
import { cleanOf, robustOf } from '../../../webview/curves/attackCurves.ts';
import {
  allowedIntents,
  attackProgressText,
  memoryText,
  progressText,
  remainingText,
} from '../../../webview/state/progress.ts';
import { Pace } from '../../../webview/state/pace.ts';
import { makePlan, makeSummary } from '../gallery/runData.ts';

const connected = { status: 'connected' } as const;

describe('time left', () => {
  test('is the rest at the pace of the newest points, whatever was paused before', () => {
    const pace = new Pace();
    const run = { ...makeSummary({ steps: 0, status: 'training' }), steps: 1200 };
    for (let step = 1; step <= 100; step++) pace.see({ ...run, step, updatedMs: step * 1000 });
    pace.see({ ...run, status: 'paused', step: 100, updatedMs: 100_000 });
    for (let step = 101; step <= 200; step++) pace.see({ ...run, step, updatedMs: 9e6 + step * 10 });
    expect(pace.remainingMs(run)).toBeCloseTo(10_000, 6);
  });

  test('is said only while training, and where it is known', () => {
    const run = makeSummary({ steps: 10, status: 'training' });
    expect(remainingText(run, 72 * 60_000)).toBe('1 h 12 min left');
    expect(remainingText(run, Number.NaN)).toBe('');
    expect(remainingText({ ...run, status: 'paused' }, 1000)).toBe('');
  });

  test('comes behind the steps; of a run under attack, or queued for one, there are only the weights', () => {
    const run = { ...makeSummary({ steps: 10, status: 'training' }), step: 10, steps: 20 };
    expect(progressText(run, 10 * 60_000)).toBe('10 of 20 steps · 10 min left');
    expect(progressText({ ...run, status: 'queued' }, Number.NaN)).toBe('10 of 20 steps');
    for (const status of ['queued', 'evaluating'] as const)
      expect(progressText({ ...run, status, step: 20 }, Number.NaN)).toBe('weights of step 20');
  });

  test('of a run resumed from an earlier step starts its pace anew', () => {
    const pace = new Pace();
    const run = makeSummary({ steps: 0, status: 'training' });
    pace.see({ ...run, step: 100, updatedMs: 0 });
    pace.see({ ...run, step: 200, updatedMs: 1000 });
    expect(pace.remainingMs(run)).toBeCloseTo(45_000, 6);
    pace.see({ ...run, step: 150, updatedMs: 9000 });
    expect(pace.remainingMs(run)).toBeNaN();
  });
});

test('memory is told in use and at its peak, once it is known', () => {
  expect(memoryText(makeSummary({ steps: 10, status: 'training' }))).toBe('memory 14.0 MB · peak 612 MB');
  expect(memoryText(makeSummary({ steps: 0, status: 'preparing' }))).toBe('');
});

describe('what can be asked', () => {
  test.each([
    ['training', { pause: true, resume: false, stop: true, evaluate: false }],
    ['paused', { pause: false, resume: true, stop: true, evaluate: false }],
    ['evaluating', { pause: false, resume: false, stop: true, evaluate: false }],
    ['interrupted', { pause: false, resume: true, stop: false, evaluate: true }],
  ] as const)('of a run that is %s', (status, expected) => {
    expect(allowedIntents(makeSummary({ steps: 10, status }), connected)).toEqual(expected);
  });

  test('is nothing without a connection', () => {
    const can = allowedIntents(makeSummary({ steps: 10, status: 'training' }), { status: 'lost', message: '' });
    expect(Object.values(can)).toEqual([false, false, false, false]);
  });
});

describe('progress of an attack', () => {
  const plan = makePlan('kaf').evaluation[0]!;
  const view = (samples: number[]): EvaluationView => ({
    started: { type: 'evaluationStarted', evaluation: 1, plan, step: 9, samples: 1000 },
    restarts: samples.map((count) => ({ samples: count, robust: new Int32Array(51) })),
    clean: null,
    distances: null,
    ...{ thesis: [], layers: [], detections: [], abstained: 0 },
    finished: null,
  });

  test.each([
    [[], 'restart 1 of 10 · 0 of 1,000 images'],
    [[1000, 1000, 256], 'restart 3 of 10 · 256 of 1,000 images'],
    [[256, 256, 128], 'restart 3 of 10 · 256 of 1,000 images'],
    [[512, 256, 256], 'restart 2 of 10 · 512 of 1,000 images'],
    [Array<number>(10).fill(1000), 'restart 10 of 10 · 1,000 of 1,000 images'],
  ])('by images a restart %j is “%s”', (samples, text) => {
    expect(attackProgressText(view(samples))).toBe(text);
  });

  test.each([
    [[256, 128], 128, 'stopped after 128 images', 0.5],
    [[256, 128], 0, 'stopped at restart 2 of 10 · 256 of 1,000 images', 0], // none stood so far
    [[], 0, 'stopped before the first restart was over', undefined],
  ])('that was stopped, by images a restart %j and %d through all, is “%s”', (samples, through, text, robust) => {
    const share = { value: through > 0 ? 0.5 : Number.NaN, low: 0, high: 1 };
    const finished = { samples: through, clean: share, robust: share, isPartial: true };
    const stopped = { ...view(samples), finished: { type: 'evaluationFinished', evaluation: 1, ...finished } } as const;
    expect(attackProgressText(stopped)).toBe(text);
    expect(cleanOf(stopped)).toBe(through > 0 ? share : null);
    expect(robustOf(stopped)?.value).toBe(robust);
  });
});
