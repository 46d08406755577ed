import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildNetwork } from '../../server/model/network.ts';
import { makeOptimizer } from '../../server/trainer/optimizer.ts';
import { openCpu, tinyPlan } from './tinyPlan.ts';

beforeAll(openCpu);

describe('makeOptimizer', () => {
  it.each([
    { type: 'sgd', momentum: 0.9, weightDecay: 0.5 } as const,
    { type: 'sgd', momentum: 0, weightDecay: 0.5 } as const,
    { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.5 } as const,
  ])('lets weight decay act on kernels only ($type, momentum $momentum)', (plan) => {
    const network = buildNetwork(tinyPlan.model, { imageShape: [4, 4, 3], nClasses: 3, seed: 1 });
    const optimizer = makeOptimizer(plan, network);
    const before = network.parameters.map(({ variable }) => variable.dataSync().slice());
    const gradients = network.parameters.map(({ shape }) => tf.zeros([...shape]));
    optimizer.update(gradients, { learningRate: 0.1, step: 1 });
    const moved = network.parameters
      .filter(({ variable }, index) => variable.dataSync().some((value, i) => value !== before[index]![i]))
      .map(({ name }) => name);
    expect(moved).toEqual(['conv1', 'conv2', 'conv3', 'conv4', 'dense1', 'dense2'].map((layer) => `${layer}.kernel`));
    const nMoments = plan.type === 'adam' ? 2 : plan.momentum > 0 ? 1 : 0;
    expect(optimizer.moments.size).toBe(nMoments * network.parameters.length);
    tf.dispose(gradients);
    optimizer.dispose();
    network.dispose();
    expect(tf.memory().numTensors).toBe(0);
  });
});
