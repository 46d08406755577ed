// What a run's folder may hold, and what of it a later log makes void.
import { describe, expect, it } from 'vitest';
import { thisProcess } from '../../server/run/owner.ts';
import { isVoid, logHeadSchema, originSchema, storedRowSchema, storedVersion } from '../../server/run/stored.ts';
import type { StoredRow } from '../../server/run/stored.ts';
import { attackPlan } from '../attack/plans.ts';
import { scriptedPlan } from './scriptedTrainer.ts';

const many = (length: number) => Array.from({ length }, () => 0);

function rowOf(record: object, change: object = {}) {
  return storedRowSchema.safeParse({ seq: 1, timeMs: 0, step: 0, record, ...change }).success;
}

const step = { type: 'step', step: 0, epoch: 0, loss: Number.NaN, accuracy: Infinity, learningRate: 0 };
const prepared = { type: 'prepared', parameters: [], activations: [], steps: 0, stepsPerEpoch: 0, epochs: 0 };
const kaf = { layer: 'a', channels: 0, dictionary: [], gamma: 1, base: 'none' };
const spline = { layer: 'a', channels: 0, dictionary: [], spline: 'b-spline' };

describe('a stored row', () => {
  it('keeps every number, and counts from 1', () => {
    expect(rowOf(step)).toBe(true);
    expect(rowOf({ ...step, loss: '1' })).toBe(false);
    expect(rowOf({ ...step, step: -1 })).toBe(false);
    expect(rowOf(step, { seq: 0 })).toBe(false);
    expect(rowOf(step, { step: -1 })).toBe(false);
  });

  it('keeps which weights a figure is of', () => {
    const test = {
      type: 'test',
      step: 1,
      epoch: 1,
      loss: 1,
      accuracy: 0,
      samples: 1,
      robustAccuracy: null,
      robustSamples: 0,
    };
    const started = { type: 'evaluationStarted', evaluation: 1, plan: attackPlan('pgd'), step: 1, samples: 1 };
    for (const record of [test, started]) {
      const stored = { seq: 1, timeMs: 0, step: 0, record: { ...record, weights: 'average' } };
      expect(storedRowSchema.parse(stored)).toEqual(stored);
      expect(rowOf({ ...record, weights: 'trained' })).toBe(false);
    }
  });

  it('has a formula that is one, and refuses what is none', () => {
    const withFormula = (formula: string, parameters: readonly string[] = []) =>
      rowOf({ ...prepared, activations: [{ layer: 'a', channels: 1, formula: { formula, parameters } }] });
    expect(withFormula('b * x', ['b'])).toBe(true);
    for (const formula of ['b *', 'process.exit()', '1', '('.repeat(3000)]) expect(withFormula(formula)).toBe(false);
  });

  it.each([
    [
      'characters of a text',
      10_000,
      (n: number) => ({ type: 'diverged', step: 0, quantity: 'x'.repeat(n), message: '' }),
    ],
    [
      'elements of a dictionary',
      100_000,
      (n: number) => ({ ...prepared, activations: [{ ...kaf, dictionary: many(n) }] }),
    ],
    [
      'axis',
      1024,
      (n: number) => ({ ...prepared, activations: [{ layer: 'a', channels: 1, gamma: 1, axis: many(n) }] }),
    ],
    ['knots', 100_000, (n: number) => ({ ...prepared, activations: [{ ...spline, dictionary: many(n) }] })],
    ['activations', 100_000, (n: number) => ({ ...prepared, activations: many(n).map(() => spline) })],
    ['dimensions', 8, (n: number) => ({ ...prepared, parameters: [{ name: 'a', layer: 'a', shape: many(n) }] })],
    [
      'parameters',
      100_000,
      (n: number) => ({ ...prepared, parameters: many(n).map(() => ({ name: 'a', layer: 'a', shape: [] })) }),
    ],
    [
      'layers with shapes',
      100_000,
      (n: number) => ({ type: 'shapes', step: 0, alphas: many(n).map(() => new Float32Array(0)) }),
    ],
  ])('has at most so many %s: %d', (_, most, make) => {
    expect(rowOf(make(most))).toBe(true);
    expect(rowOf(make(most + 1))).toBe(false);
  });
});

describe('a stored origin', () => {
  it('has a name and a file of bounded length', () => {
    const origin = {
      ...{ id: 'x'.repeat(255), plan: scriptedPlan('steps'), createdMs: 1, description: '', experimentText: '' },
      ...{ experimentFile: 'x'.repeat(4096), versions: {} },
    };
    expect(originSchema.safeParse(origin).success).toBe(true);
    expect(originSchema.safeParse({ ...origin, id: 'x'.repeat(256) }).success).toBe(false);
    expect(originSchema.safeParse({ ...origin, experimentFile: 'x'.repeat(4097) }).success).toBe(false);
  });
});

describe('the head of a log', () => {
  it('counts versions and rows from 1, and may void everything', () => {
    const head = {
      ...{ format: 'kafscope log', version: 1, number: 0, owner: thisProcess(), work: 'train', startedMs: 1 },
      ...{ firstSeq: 1, voids: { step: -1, seq: 0 }, restStatus: null },
    };
    expect(storedVersion).toBe(1);
    expect(logHeadSchema.safeParse(head).success).toBe(true);
    for (const change of [
      { version: 0 },
      { firstSeq: 0 },
      { number: -1 },
      { voids: { step: -2, seq: 0 } },
      { voids: { step: 0, seq: -1 } },
    ])
      expect(logHeadSchema.safeParse({ ...head, ...change }).success, JSON.stringify(change)).toBe(false);
  });
});

describe('a row', () => {
  it('is void after the step, and at it where it is a test made after the checkpoint', () => {
    const row = (at: number, seq: number, type: string) =>
      ({ seq, timeMs: 0, step: at, record: { type } }) as StoredRow;
    const voids = { step: 4, seq: 10 };
    expect(
      [
        row(5, 1, 'step'),
        row(4, 11, 'test'),
        row(4, 10, 'test'),
        row(4, 9, 'test'),
        row(4, 11, 'checkpointed'),
        row(3, 11, 'test'),
        row(3, 1, 'step'),
      ].map((each) => isVoid(each, voids)),
    ).toEqual([true, true, false, false, false, false, false]);
  });
});
