// The attack of an observation, on a network whose gradients are computed beside it.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import type { Plan } from '../../server/protocol/plan.ts';
import { observeResponses } from '../../server/trainer/observeResponses.ts';
import { curvedDataset, curvedNetwork, gradientAt, type LabelledSample } from './curvedNetwork.ts';
import { openCpu, tinyPlan } from './tinyPlan.ts';

beforeAll(openCpu);

const epsilon = 8 / 255;
const samples: LabelledSample[] = [
  { x: [0.6, 0.4], label: 0 },
  { x: [0.3, 0.7], label: 1 },
  { x: [0.9, 0.2], label: 2 },
];
const plan: Plan = { ...tinyPlan, observe: { ...tinyPlan.observe, robustSteps: 3, shiftSamples: 2 } };

it('goes from the first images themselves by steps of ε/4, as many as tests take', async () => {
  let observed: number[] = [];
  const network = curvedNetwork({
    onLook: (x, { seen }) => {
      if (seen) observed = [...x.dataSync()];
    },
  });
  const found = await observeResponses(network, curvedDataset(samples), plan);
  expect(found).toMatchObject({ samples: 2, attack: 'PGD-3 8/255', layers: [{ layer: 'logits' }] });
  const attacked = samples.slice(0, 2).flatMap(({ x, label }) => {
    let at: readonly number[] = x;
    for (let step = 0; step < 3; step++) {
      const gradient = gradientAt(at, label);
      at = at.map((value, i) => value + (Math.sign(gradient[i]!) * epsilon) / 4);
    }
    return at;
  });
  [...samples.slice(0, 2).flatMap(({ x }) => x), ...attacked].forEach((value, index) => {
    expect(observed[index]).toBeCloseTo(value, 6);
  });
  expect(observed).toHaveLength(8);
});

it('lets others have their turn between its steps', async () => {
  let nTurns = 0;
  const take = () => {
    nTurns++;
    if (nTurns < 100) setImmediate(take);
  };
  setImmediate(take);
  await observeResponses(curvedNetwork(), curvedDataset(samples), plan);
  expect(nTurns).toBeGreaterThanOrEqual(2);
});

it('leaves no tensor, of pictures or of a table', async () => {
  for (const columns of [null, { mean: [0.5, 0.5], std: [1, 2] }]) {
    const dataset = curvedDataset(samples, columns);
    await observeResponses(curvedNetwork(), dataset, plan);
    const { numTensors } = tf.memory();
    await observeResponses(curvedNetwork(), dataset, plan);
    expect(tf.memory().numTensors).toBe(numTensors);
  }
});
