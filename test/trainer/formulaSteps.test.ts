// A function that is typed trains as the one with a name does.
import * as tf from '@tensorflow/tfjs-core';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildNetwork } from '../../server/model/network.ts';
import type { ActivationPlan } from '../../server/protocol/plan.ts';
import { openRuntime } from '../../server/tensor/runtime.ts';
import { beginFigures, computeGradients } from '../../server/trainer/gradients.ts';
import { makeOptimizer } from '../../server/trainer/optimizer.ts';
import { scatter } from '../tensor/ops/contract.ts';

const assetsFolder = path.join(import.meta.dirname, '../../dist');

beforeAll(async () => {
  await openRuntime('wasm', { assetsFolder, threads: 2 });
});

afterAll(() => {
  tf.disposeVariables();
});

/** Losses of three steps by SGD, and the weights after them. */
function train(activation: ActivationPlan) {
  const plan = {
    network: 'light',
    activation,
    dropout: [],
    denseL2: 0.0012,
    convolutionL2: 0,
    normalization: null,
  } as const;
  const network = buildNetwork(plan, { sampleShape: [32, 32, 3], nClasses: 10, seed: 7 });
  const optimizer = makeOptimizer({ type: 'sgd', momentum: 0.9, weightDecay: 5e-4 }, network);
  const images = tf.tensor4d(
    scatter(8 * 32 * 32 * 3, 0.5).map((value) => value + 0.5),
    [8, 32, 32, 3],
  );
  const labels = tf.tensor1d([3, 1, 4, 1, 5, 9, 2, 6], 'int32');
  const losses = [1, 2, 3].map((step) => {
    const key = { seed: 0, stream: 0, counter: step };
    const computed = computeGradients(
      network,
      { images, labels },
      { key, penalties: { dense: 0.0012, convolution: 0 } },
    );
    optimizer.update(computed.gradients, { learningRate: 0.01, step });
    const { loss } = beginFigures(computed.said)();
    computed.dispose();
    return loss;
  });
  const weights = network.parameters.flatMap(({ variable }) => [...variable.dataSync()]);
  optimizer.dispose();
  network.dispose();
  tf.dispose([images, labels]);
  return { losses, weights };
}

it('Swish, typed in two ways, takes the same three steps as Swish by name, to 1e-6', () => {
  const named = train({ type: 'swish' });
  expect(named.losses[2]).not.toBe(named.losses[0]);
  for (const formula of ['x * sigmoid(x)', 'x / (1 + exp(-x))']) {
    const typed = train({ type: 'formula', formula, parameters: [] });
    named.losses.forEach((loss, step) => {
      expect(Math.abs(typed.losses[step]! / loss - 1), `${formula}, loss ${step}`).toBeLessThan(1e-6);
    });
    const size = Math.hypot(...named.weights);
    const apart = Math.hypot(...named.weights.map((weight, index) => weight - typed.weights[index]!));
    expect(apart / size, `${formula}, weights`).toBeLessThan(1e-6);
  }
});
