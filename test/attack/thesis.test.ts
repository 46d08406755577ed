// The protocol of the thesis beside the worst case: one pass of the network serves both, and where they differ is known.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { thesisFigure } from '../../server/protocol/evaluationPlan.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { attackPlan } from './plans.ts';
import { run } from './runAttack.ts';

beforeAll(openCpu);

const given = { epsilon: 0.06, steps: 6, restarts: 3, batchSize: 6, samples: 100 } as const;
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
  expect(counts.thesis).toBe(best.right.at(-1));
  expect(counts.thesis!).toBeGreaterThanOrEqual(counts.robust);
  for (const { right, fooled: changed } of last) {
    // Of 17 images two are wrong as they are: what is neither fooled nor one of those is right.
    right.forEach((count, point) => {
      expect(count).toBeGreaterThanOrEqual(15 - changed[point]!);
      expect(count).toBeLessThanOrEqual(17);
    });
  }
});

it('takes of equal restarts the first, and of a curve those at the plan’s ε', () => {
  const count = (right: number, fooled: number) => ({
    right: Int32Array.of(9, right),
    fooled: Int32Array.of(0, fooled),
  });
  const stages = [0.1, 0.2, 0.2, 0.2].map((epsilon) => ({ epsilon }));
  const counts = [count(1, 9), count(7, 2), count(6, 3), count(5, 3)];
  expect(thesisFigure({ epsilon: 0.2 }, stages, counts)).toBe(6);
  expect(thesisFigure({ epsilon: 0.3 }, stages, counts)).toBeNull();
});
