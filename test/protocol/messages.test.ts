import { describe, expect, it } from 'vitest';
import { evaluationPlanSchema } from '../../server/protocol/evaluationSchema.ts';
import { maxMessageBytes, maxRequestBytes, paramsSchemas } from '../../server/protocol/messages.ts';
import { attackPlan } from '../attack/plans.ts';

const evaluation = attackPlan('pgd', { epsilon: 0.1, stepSize: 0.01, steps: 2, restarts: 1, samples: 1, batchSize: 1 });

describe('an evaluation', () => {
  it.each([
    ['epsilon', [Number.MIN_VALUE, 1], [0, -1, 1.001, Infinity, Number.NaN]],
    ['stepSize', [Number.MIN_VALUE, 1], [0, -1, 1.001, Infinity, Number.NaN]],
    ['steps', [1, 10_000], [0, 10_001, 1.5]],
    ['restarts', [1, 1000], [0, 1001, 1.5]],
    ['samples', [1, 100_000], [0, 100_001, 1.5]],
    ['batchSize', [1, 10_000], [0, 10_001, 1.5]],
  ] as const)('takes %s from %j, and refuses %j', (key, taken, refused) => {
    const isTaken = (value: number) => evaluationPlanSchema.safeParse({ ...evaluation, [key]: value }).success;
    expect(taken.map(isTaken)).toEqual(taken.map(() => true));
    expect(refused.map(isTaken)).toEqual(refused.map(() => false));
  });

  it('has no other keys', () => {
    expect(evaluationPlanSchema.safeParse({ ...evaluation, device: 'gpu' }).success).toBe(false);
  });
});

describe('a request', () => {
  it.each([
    ['server/hello', (client: string) => ({ protocolVersion: 1, client }), 200],
    ['run/start', (text: string) => ({ text, file: null }), 1_000_000],
    ['run/start', (file: string) => ({ text: '', file }), 4096],
    ['evaluation/start', (checkpoint: string) => ({ runId: 'r', checkpoint, evaluation }), 255],
    ['checkpoint/inspect', (file: string) => ({ file }), 4096],
    ['dataset/look', (text: string) => ({ text, file: null, lookId: '' }), 1_000_000],
    ['dataset/look', (file: string) => ({ text: '', file, lookId: '' }), 4096],
    ['dataset/look', (lookId: string) => ({ text: '', file: null, lookId }), 100],
    ['run/pause', (runId: string) => ({ runId }), 255],
  ] as const)('%s takes texts up to their bound and no longer', (method, paramsOf, longest) => {
    const isTaken = (length: number) => paramsSchemas[method].safeParse(paramsOf('x'.repeat(length))).success;
    expect([longest, longest + 1].map(isTaken)).toEqual([true, false]);
  });

  it('names a run by the name of a folder, never by a path', () => {
    const isTaken = (runId: string) => paramsSchemas['run/stop'].safeParse({ runId }).success;
    expect(['2026-01-01.kaf_1', 'my best run', 'Käf'].map(isTaken)).toEqual([true, true, true]);
    expect(['', '.', '..', '../x', 'a/b', 'a\\b', 'a\0'].filter(isTaken)).toEqual([]);
  });

  it('subscribes from a whole cursor of 0 or more', () => {
    const isTaken = (cursor: number) => paramsSchemas['run/subscribe'].safeParse({ runId: 'r', cursor }).success;
    expect([0, 7, -1, 0.5].map(isTaken)).toEqual([true, true, false, false]);
  });

  it('tries no runtime anew unless it is asked to', () => {
    expect(paramsSchemas['device/list'].parse({})).toEqual({ isAnew: false });
  });

  it('is a message of at most 4 MiB, its answer one of at most 60 MB', () => {
    expect([maxRequestBytes, maxMessageBytes]).toEqual([4_194_304, 60_000_000]);
  });
});
