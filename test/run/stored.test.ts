// What a run's folder may hold, and what of it a later log makes void.
import { describe, expect, it } from 'vitest';
import { thisProcess } from '../../server/run/owner.ts';
import {
  isVoid,
  logHeadSchema,
  originSchema,
  storedRowSchema,
  storedStateSchema,
  storedVersion,
} from '../../server/run/stored.ts';
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
const surface = { layer: 'a', channels: 1, gamma: 1 };
const spread = { low: 0, high: 0, clean: new Uint8Array(0), attacked: new Uint8Array(0) };
const response = { layer: 'a', l2: 0, relative: 0, thesis: 0, ks: 0, outputs: spread };
const responses = { type: 'responses', step: 0, samples: 0, attack: '' };
const started = { type: 'evaluationStarted', evaluation: 1, plan: attackPlan('pgd'), step: 1, samples: 1 };
const surrogate = { runId: 'a', step: 0, digest: '' };
const progress = { type: 'attackProgress', evaluation: 1, restart: 0, samples: 0, robust: new Int32Array(0) };
const detection = { against: '', clean: new Float32Array(0), attacked: new Float32Array(0) };
const bound = { layer: '', kind: '', bound: 1, product: 1 };
const proportion = { value: 0, low: 0, high: 1 };
const finished = {
  ...{ type: 'evaluationFinished', evaluation: 1, samples: 1, clean: proportion, robust: proportion },
  isPartial: false,
};
const flag = { flag: '', measured: '', means: '', next: '' };
/** Of two characters, so that a thousand fit into a formula. */
const shortNames = (count: number) =>
  Array.from({ length: count }, (_, index) => {
    const digits = (10 + (index % 26)).toString(36) + Math.floor(index / 26).toString(36);
    return digits.toUpperCase();
  });
/** The sum of x and all of them. */
function sumOf(parameters: readonly string[]) {
  const formula = { formula: ['x', ...parameters].join('+'), parameters };
  return { ...prepared, activations: [{ layer: 'a', channels: 1, formula }] };
}

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
    ['axis', 1024, (n: number) => ({ ...prepared, activations: [{ ...surface, axis: many(n) }] })],
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
    [
      'kernels',
      16,
      (n: number) => ({ ...prepared, activations: [{ ...kaf, kernelNames: many(n).map(() => 'gaussian') }] }),
    ],
    ['parameters of a formula', 1000, (n: number) => sumOf(shortNames(n))],
    ['characters of a parameter', 32, (n: number) => sumOf(['p'.repeat(n)])],
    ['dimensions of a sample', 8, (n: number) => ({ ...prepared, ends: { sampleShape: many(n), nClasses: 1 } })],
    ['layers with responses', 100_000, (n: number) => ({ ...responses, layers: many(n).map(() => response) })],
    [
      'networks that images are made on',
      100,
      (n: number) => ({ ...started, surrogates: many(n).map(() => surrogate) }),
    ],
    [
      'characters of a run’s name',
      255,
      (n: number) => ({ ...started, surrogates: [{ ...surrogate, runId: 'x'.repeat(n) }] }),
    ],
    [
      'characters of a digest',
      64,
      (n: number) => ({ ...started, surrogates: [{ ...surrogate, digest: 'x'.repeat(n) }] }),
    ],
    ['detections', 100, (n: number) => ({ ...progress, detections: many(n).map(() => detection) })],
    ['layers with bounds', 100_000, (n: number) => ({ ...progress, layers: many(n).map(() => bound) })],
    ['flags of an audit', 100, (n: number) => ({ ...finished, audit: many(n).map(() => flag) })],
  ])('has at most so many %s: %d', (_, most, make) => {
    expect(rowOf(make(most))).toBe(true);
    expect(rowOf(make(most + 1))).toBe(false);
  });

  it.each([
    ['kernel', 1, (n: number) => ({ ...kaf, kernelNames: many(n).map(() => 'gaussian') })],
    ['places on an axis', 2, (n: number) => ({ ...surface, axis: many(n) })],
  ])('has at least so many of a %s: %d', (_, least, make) => {
    expect(rowOf({ ...prepared, activations: [make(least)] })).toBe(true);
    expect(rowOf({ ...prepared, activations: [make(least - 1)] })).toBe(false);
  });

  it('has samples of one dimension at least', () => {
    const ends = (sampleShape: number[]) => ({ ...prepared, ends: { sampleShape, nClasses: 2 } });
    expect([rowOf(ends([1])), rowOf(ends([]))]).toEqual([true, false]);
  });
});

describe('a stored state', () => {
  const figure = { plan: attackPlan('pgd'), step: 1, samples: 1, standing: 0 };
  const symptom = { rule: 'collapsed', step: 1, evidence: '' };
  const states = {
    ...{ status: 'training', message: null, updatedMs: 0, step: 0, steps: 0, epoch: 0, epochs: 0, loss: null },
    ...{ cleanAccuracy: null, robustAccuracy: null, imagesPerSecond: null, device: null, memory: null },
    checkpoints: [],
  };
  const stateOf = (change: object) =>
    storedStateSchema.safeParse({ progress: { ...states, ...change }, seq: 0, evaluations: 0 });

  it('keeps what a figure is of', () => {
    const figures = [figure, { ...figure, isOfTest: true }, { ...figure, isPartial: true, weights: 'average' }];
    expect(stateOf({ figures }).data?.progress.figures).toEqual(figures);
    for (const change of [{ isOfTest: false }, { isPartial: false }, { samples: 0 }, { standing: -1 }])
      expect(stateOf({ figures: [{ ...figure, ...change }] }).success, JSON.stringify(change)).toBe(false);
  });

  it('has at most a thousand figures, and a hundred symptoms', () => {
    const figures = (n: number) => stateOf({ figures: many(n).map(() => figure) }).success;
    expect([figures(1000), figures(1001)]).toEqual([true, false]);
    const health = (n: number) => stateOf({ health: many(n).map(() => symptom) }).success;
    expect([health(100), health(101)]).toEqual([true, false]);
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
