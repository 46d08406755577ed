// The data set that needs no download must be worth training on: beyond a linear model (test/data/shapes.test.ts), and within
// reach of the smallest Kafnet.
import { expect, it } from 'vitest';
import { shapesHere } from '../data/shapesHere.ts';
import type { ActivationPlan, Plan } from '../../server/protocol/plan.ts';
import { openRuntime } from '../../server/tensor/runtime.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';
import { collect, tinyPlan } from './tinyPlan.ts';

it('the light network with KAF learns `shapes` to above 85 % on images not trained on', async () => {
  await openRuntime('wasm', { assetsFolder });
  const activation: ActivationPlan = {
    type: 'kaf',
    dictionary: 20,
    boundary: 3,
    gamma: 1.6713,
    init: { type: 'ridge', target: 'swish', epsilon: 1e-6 },
  };
  const plan: Plan = {
    ...tinyPlan,
    dataset: { name: 'shapes', trainSamples: 2000, testSamples: 500, seed: 0 },
    model: { ...tinyPlan.model, activation, dropout: [0, 0, 0], denseL2: 0.0012 },
    training: {
      ...tinyPlan.training,
      method: { type: 'standard' },
      threat: null,
      epochs: 4,
      batchSize: 32,
      optimizer: { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
      schedule: { type: 'triangular', min: 5e-4, max: 5e-3, cooldownEpochs: 0 },
      augmentation: { crop: 0, flip: false },
      checkpointEveryEpochs: 4,
    },
    observe: {
      normsEverySteps: 0,
      shapesEverySteps: 0,
      testEveryEpochs: 4,
      robustSamples: 0,
      robustSteps: 1,
      histogramsEverySteps: 0,
      shiftSamples: 0,
      tensorboard: false,
    },
  } as const;
  const { records } = await collect(plan, shapesHere(plan));
  const accuracies = records.flatMap((record) => (record.type === 'test' ? [record.accuracy] : []));
  expect(accuracies).toHaveLength(1);
  expect(accuracies[0]).toBeGreaterThan(0.85);
});
