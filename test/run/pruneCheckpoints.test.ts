// Which checkpoints stay: each rule by itself, and what holds for all rules.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeepRule } from '../../server/protocol/plan.ts';
import { checkpointsToPrune } from '../../server/run/pruneCheckpoints.ts';

const at = (step: number, epoch = step / 10) => ({ file: `step-${step}.safetensors`, step, epoch });
const sixEpochs = [10, 20, 30, 40, 50, 60].map((step) => at(step));
const rule = (change: Partial<KeepRule> = {}) => ({ keep: { last: 1, everyEpochs: 0, best: false, ...change } });
const nothing = { resumedFrom: null, tests: [] };
const test = (step: number, accuracy: number, robustAccuracy: number | null = null) => ({
  step,
  accuracy,
  robustAccuracy,
});
const stepsOf = (files: readonly string[]) => files.map((file) => Number(/\d+/.exec(file)![0])).sort((a, b) => a - b);

function pruned(keep: ReturnType<typeof rule>, around = {}, checkpoints = sixEpochs): number[] {
  return stepsOf(checkpointsToPrune(checkpoints, keep, { ...nothing, ...around }));
}

describe('of the checkpoints go', () => {
  it('none with keep: all', () => {
    expect(checkpointsToPrune(sixEpochs, { keep: 'all' }, nothing)).toEqual([]);
  });

  it('all but the newest, in whatever order they are given', () => {
    expect(pruned(rule({ last: 2 }))).toEqual([10, 20, 30, 40]);
    expect(pruned(rule(), {}, [...sixEpochs].reverse())).toEqual([10, 20, 30, 40, 50]);
    expect(pruned(rule({ last: 0 }))).toEqual([10, 20, 30, 40, 50]);
  });

  it('those between every so many epochs, and those in the midst of such an epoch', () => {
    expect(pruned(rule({ everyEpochs: 2 }))).toEqual([10, 30, 50]);
    expect(pruned(rule({ everyEpochs: 1 }))).toEqual([]);
    const stopped = [at(0, 0), at(15, 2), at(20, 2), at(30, 3), at(40, 4)];
    expect(pruned(rule({ everyEpochs: 2 }), {}, stopped)).toEqual([0, 15, 30]);
  });

  it('those that did worse than the best on the samples kept back, where there are some', () => {
    const kept = (step: number, accuracy: number, other: number) => ({
      ...test(step, other, other),
      validation: { accuracy, loss: 0, samples: 1 },
    });
    const tests = [kept(10, 0.5, 0.9), kept(20, 0.8, 0.1), kept(30, 0.7, 0.8)];
    expect(pruned(rule({ best: true }), { tests })).toEqual([10, 30, 40, 50]);
  });

  it('those that did worse by what the plan chooses by', () => {
    const kept = (step: number, loss: number, robustAccuracy: number) => ({
      ...test(step, 0.5, 0.5),
      validation: { accuracy: step / 100, loss, samples: 8, robustAccuracy, robustSamples: 8 },
    });
    const tests = [kept(10, 1, 0.1), kept(20, 0.5, 0.2), kept(30, 2, 0.4), kept(40, 3, 0.3)];
    expect(pruned(rule({ best: true }), { tests })).toEqual([10, 20, 30, 50]);
    expect(pruned(rule({ best: true }), { tests, chooseBy: 'loss' })).toEqual([10, 30, 40, 50]);
    expect(pruned(rule({ best: true }), { tests, chooseBy: 'robustAccuracy' })).toEqual([10, 20, 40, 50]);
  });

  it('those that did worse than the best, the newest of equals', () => {
    const tests = [test(10, 0.5), test(20, 0.9), test(30, Number.NaN), test(40, 0.9), test(50, 0.8), test(60, 0.1)];
    expect(pruned(rule({ best: true }), { tests })).toEqual([10, 20, 30, 50]);
    expect(pruned(rule({ best: false }), { tests })).toEqual([10, 20, 30, 40, 50]);
  });

  it('by their accuracy under attack where tests attack', () => {
    const tests = [test(10, 0.9, 0.1), test(20, 0.5, 0.4), test(30, 0.8, 0.3), test(40, 1)];
    expect(pruned(rule({ best: true }), { tests })).toEqual([10, 30, 40, 50]);
  });

  it('those that no test has seen, where only the best should stay', () => {
    expect(pruned(rule({ best: true }), { tests: [test(7, 1)] })).toEqual([10, 20, 30, 40, 50]);
  });
});

describe('whatever the rule', () => {
  const checkpoints = fc
    .uniqueArray(fc.nat(500), { minLength: 1, maxLength: 20 })
    .map((steps) => steps.map((step) => at(step, Math.ceil(step / 10))));
  const rules = fc.record({ last: fc.nat(5), everyEpochs: fc.nat(4), best: fc.boolean() });
  const tests = fc.array(fc.record({ step: fc.nat(500), accuracy: fc.double(), robustAccuracy: fc.constant(null) }));

  it('the newest and the one resumed from stay, and a second look takes no more', () => {
    fc.assert(
      fc.property(checkpoints, rules, tests, fc.nat(), (given, keep, tested, index) => {
        const resumedFrom = given[index % given.length]!.file;
        const around = { resumedFrom, tests: tested };
        const gone = checkpointsToPrune(given, { keep }, around);
        const newest = given.reduce((a, b) => (b.step > a.step ? b : a));
        expect(gone).not.toContain(newest.file);
        expect(gone).not.toContain(resumedFrom);
        const rest = given.filter(({ file }) => !gone.includes(file));
        expect(rest.length).toBeGreaterThanOrEqual(Math.min(given.length, Math.max(1, keep.last)));
        expect(checkpointsToPrune(rest, { keep }, around)).toEqual([]);
      }),
    );
  });
});
