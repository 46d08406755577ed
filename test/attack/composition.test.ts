// What attacks owe one another: a composition is its parts in order, a curve of ε its evaluations one by one, and distances tell
// what attacks at each ε would.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { stagesOf } from '../../server/protocol/evaluationPlan.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { attackPlan } from './plans.ts';
import { run } from './runAttack.ts';

beforeAll(openCpu);
afterEach(() => {
  expect(tf.memory().numTensors).toBe(0);
});

const size = { samples: 17, batchSize: 6 };
/** So that some fall and some stand, whatever attacks. */
const epsilon = 0.02;

describe('AutoAttack', () => {
  it('leaves no more than any of its attacks, and no more than PGD-50-10', async () => {
    const { counts, progress } = await run(attackPlan('autoattack', { epsilon, ...size }));
    const robustUnder = async (plan: Parameters<typeof run>[0]) => (await run(plan)).counts.robust;
    expect(counts.robust).toBeGreaterThan(0);
    expect(counts.robust).toBeLessThanOrEqual(await robustUnder(attackPlan('pgd', { epsilon, ...size })));
    expect(counts.robust).toBeLessThanOrEqual(await robustUnder(attackPlan('apgd-ce', { epsilon, ...size })));
    expect(counts.robust).toBeLessThanOrEqual(await robustUnder(attackPlan('fab-t', { epsilon, ...size })));
    // Three batches; on those of which some stand Square's 5000 queries tell four times on their way.
    const ofSquare = progress.filter(({ restart }) => restart === stagesOf(attackPlan('autoattack')).length - 1);
    expect([3 + 4, 3 + 8, 3 + 12]).toContain(ofSquare.length);
  });
});

describe('a curve of ε', () => {
  it('falls, begins at the smallest, and its figure is that of the plan’s ε', async () => {
    const epsilons = [0.01, 0.015, 0.04];
    const { counts, progress } = await run(attackPlan('apgd-ce', { epsilon, epsilons, steps: 20, ...size }));
    const byEpsilon = progress.slice(-4).map(({ robust }) => robust.at(-1)!);
    expect(byEpsilon).toEqual([...byEpsilon].sort((a, b) => b - a));
    expect(new Set(byEpsilon).size).toBeGreaterThan(2);
    expect(byEpsilon[2]).toBe(counts.robust);
    // Though more fall at the larger ε.
    expect(counts.outcomes.filter((outcome) => outcome === 2)).toHaveLength(counts.robust);
    const alone = await run(attackPlan('apgd-ce', { epsilon: 0.01, steps: 20, ...size }));
    expect(byEpsilon[0]).toBe(alone.counts.robust);
  });
});

describe.each(['linf', 'l2'] as const)('distances under %s', (norm) => {
  it('of attacks that look for the nearest agree with one another, and with what stands at each', async () => {
    const distancesOf = async (plan: Parameters<typeof run>[0]) => (await run(plan)).progress.at(-1)!.distances!;
    const fab = await distancesOf(attackPlan('fab-t', { norm, targets: 4, steps: 40, ...size }));
    const cw = await distancesOf(
      attackPlan('cw', { norm, searches: 7, steps: 100, learningRate: norm === 'linf' ? 0.001 : 0.01, ...size }),
    );
    const deepFool = await distancesOf(attackPlan('deepfool', { norm, ...size }));
    expect(fab.filter((distance) => distance === 0)).toHaveLength(2);
    fab.forEach((distance, image) => {
      if (distance === 0) return;
      expect(distance).toBeLessThan(Infinity);
      // FAB finds nearer ones than DeepFool's first way out; C&W comes near, under L∞ less so.
      expect(deepFool[image]!).toBeGreaterThan(0.97 * distance);
      expect(cw[image]!).toBeGreaterThan(0.97 * distance);
      expect(cw[image]!).toBeLessThan((norm === 'linf' ? 2 : 1.25) * distance);
    });
    // Just within the nearest that FAB found hardly anything else finds one; a little beyond, PGD does.
    const [nearest] = [...fab].filter((distance) => distance > 0).sort((a, b) => a - b);
    const standing = async (radius: number) => (await run(attackPlan('apgd-t', { norm, epsilon: radius, targets: 4, ...size }))).counts.robust; // prettier-ignore
    expect(await standing(0.97 * nearest!)).toBe(15);
    expect(await standing(1.03 * nearest!)).toBe(14);
  });
});

describe('averaging over passes', () => {
  it('counts each pass, and changes nothing for a network without random parts', async () => {
    const plan = (expectation: number) => attackPlan('apgd-ce', { epsilon, steps: 8, expectation, ...size });
    const [one, three] = [await run(plan(1)), await run(plan(3))];
    expect(three.counts.robust).toBe(one.counts.robust);
    expect(three.counts.passes.backward).toBe(3 * one.counts.passes.backward);
  });
});

it('shrinks the squares of AutoAttack as if there were 10,000 queries, and those of Square alone over its own', async () => {
  const [square] = stagesOf(attackPlan('autoattack')).filter(({ attack }) => attack === 'square');
  expect(square!.plan).toMatchObject({ queries: 5000, schedule: 'fixed' });
  const given = { samples: 17, batchSize: 17, epsilon: 0.03, queries: 60 };
  const counts = async (schedule: 'fixed' | 'rescaled') =>
    (await run(attackPlan('square', { ...given, schedule }))).progress.at(-1)!.robust;
  expect(attackPlan('square').schedule).toBe('rescaled');
  const [fixed, rescaled] = [await counts('fixed'), await counts('rescaled')];
  // The same start, then larger squares for longer.
  expect(fixed[0]).toBe(rescaled[0]);
  expect(fixed).not.toEqual(rescaled);
});
