// The protocol of the thesis beside the worst case: one pass of the network serves both, and where they differ is known.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { thesisFigure } from '../../server/protocol/evaluationPlan.ts';
import { ThesisCount } from '../../server/attack/thesis.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { attackPlan } from './plans.ts';
import { run } from './runAttack.ts';

beforeAll(openCpu);

/** At which the restarts differ, and some images stand. */
const given = { epsilon: 0.02, steps: 6, restarts: 3, batchSize: 6, samples: 100 } as const;
const plan = attackPlan('pgd', { ...given, protocol: 'thesis' });
const worst = attackPlan('pgd', given);

it('says of the worst case what an evaluation of it alone says, image for image', async () => {
  const [both, alone] = [await run(plan), await run(worst)];
  expect(both.counts.robust).toBe(alone.counts.robust);
  expect(both.counts.clean).toBe(alone.counts.clean);
  expect([...both.counts.outcomes]).toEqual([...alone.counts.outcomes]);
  expect(both.progress.map(({ robust }) => robust)).toEqual(alone.progress.map(({ robust }) => robust));
  expect(alone.counts.thesis).toBeNull();
  expect(tf.memory().numTensors).toBe(0);
});

it('counts every image at the end of the restart that changed the most answers, and flatters', async () => {
  const { counts, progress } = await run(plan);
  const last = progress.slice(-3).map(({ thesis }) => thesis!);
  const fooled = last.map((one) => one.fooled.at(-1)!);
  const best = last[fooled.indexOf(Math.max(...fooled))]!;
  expect(new Set(fooled).size).toBeGreaterThan(1);
  expect(counts.thesis).toBe(best.right.at(-1));
  expect(counts.thesis).toBeGreaterThan(0);
  expect(counts.thesis!).toBeGreaterThanOrEqual(counts.robust);
  for (const { right, fooled: changed } of last) {
    // Where it starts nothing is changed yet, not even where an image is wrong as it is.
    expect(changed[0]).toBe(0);
    // Of 17 images two are wrong as they are: what is neither fooled nor one of those is right.
    right.forEach((count, point) => {
      expect(count).toBeGreaterThanOrEqual(15 - changed[point]!);
      expect(count).toBeLessThanOrEqual(17);
      expect(changed[point]).toBeLessThanOrEqual(17);
    });
  }
});

it('takes of equal restarts the first, and of a curve those at the plan’s ε', () => {
  const count = (right: number, fooled: number) => ({
    right: Int32Array.of(9, 8, right),
    fooled: Int32Array.of(0, 1, fooled),
  });
  const stages = [0.1, 0.2, 0.2, 0.2].map((epsilon) => ({ epsilon }));
  const counts = [count(1, 9), count(7, 2), count(6, 3), count(5, 3)];
  expect(thesisFigure({ epsilon: 0.2 }, stages, counts)).toBe(6);
  expect(thesisFigure({ epsilon: 0.3 }, stages, counts)).toBeNull();
});

it('counts batch upon batch by point, and to the end of a run that ends early', () => {
  const count = new ThesisCount(4, { right: Int32Array.of(1, 1, 1, 1), fooled: Int32Array.of(0, 2, 2, 2) });
  const found = (right: number, fooled: number) => ({ thesis: { right, fooled } });
  count.add(0, found(6, 0));
  count.add(1, found(4, 2));
  count.fill(2, found(3, 3));
  expect(count.now).toEqual({ right: Int32Array.of(7, 5, 4, 4), fooled: Int32Array.of(0, 4, 5, 5) });
});

it('tells of each image once, though it is attacked on', async () => {
  const rows: number[] = [];
  await run(plan, { onFooled: ({ row }) => rows.push(row) });
  expect(rows.length).toBeGreaterThan(5);
  expect(new Set(rows).size).toBe(rows.length);
});

it('begins FGSM with all images as they are', async () => {
  const { progress } = await run(attackPlan('fgsm', { epsilon: 0.02, batchSize: 6, samples: 100, protocol: 'thesis' }));
  const { right, fooled } = progress.at(-1)!.thesis!;
  expect([right[0], fooled[0]]).toEqual([15, 0]);
});
