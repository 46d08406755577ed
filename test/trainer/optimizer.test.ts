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
    { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 0.5 } as const,
    { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.5 } as const,
  ])('lets weight decay act on kernels only ($type, momentum $momentum)', (plan) => {
    const network = buildNetwork(tinyPlan.model, { sampleShape: [4, 4, 3], nClasses: 3, seed: 1 });
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

  it.each([
    ['adam', (weight: number) => weight - 0.1 * Math.sign(weight)],
    ['adamw', (weight: number) => weight * (1 - 0.1 * 0.5)],
  ] as const)('decays weights within the gradient or apart from it, once: %s', (type, moved) => {
    const network = buildNetwork(tinyPlan.model, { sampleShape: [4, 4, 3], nClasses: 3, seed: 1 });
    const optimizer = makeOptimizer({ type, beta1: 0.9, beta2: 0.999, epsilon: 1e-12, weightDecay: 0.5 }, network);
    const kernel = network.parameters.find(({ name }) => name === 'dense2.kernel')!.variable;
    const wanted = [...kernel.dataSync()].map(moved);
    const gradients = network.parameters.map(({ shape }) => tf.zeros([...shape]));
    optimizer.update(gradients, { learningRate: 0.1, step: 1 });
    [...kernel.dataSync()].forEach((value, index) => {
      expect(value).toBeCloseTo(wanted[index]!, 5);
    });
    tf.dispose(gradients);
    optimizer.dispose();
    network.dispose();
  });

  it('keeps the parameters of a formula within their bounds, each by its own, and the others as they come', () => {
    const activation = {
      type: 'formula',
      formula: 'a * x + b * tanh(c * x)',
      parameters: [
        { name: 'a', start: 1, min: 0.5, max: null },
        { name: 'b', start: 1, min: null, max: null },
        { name: 'c', start: 1, min: 0, max: 1.5 },
      ],
    } as const;
    const network = buildNetwork({ ...tinyPlan.model, activation }, { sampleShape: [4, 4, 3], nClasses: 3, seed: 1 });
    const optimizer = makeOptimizer({ type: 'sgd', momentum: 0, weightDecay: 0 }, network);
    const coefficients = network.parameters.find(({ name }) => name === 'formula1.coefficients')!;
    for (const [slope, row] of [
      [1, [0.5, -9, 0]],
      [-1, [10.5, 1, 1.5]],
    ] as const) {
      const gradients = network.parameters.map(({ shape }) => tf.fill([...shape], slope));
      optimizer.update(gradients, { learningRate: 10, step: 1 });
      expect([...coefficients.variable.dataSync().slice(0, 3)]).toEqual(row);
      tf.dispose(gradients);
    }
    optimizer.dispose();
    network.dispose();
    expect(tf.memory().numTensors).toBe(0);
  });
});
