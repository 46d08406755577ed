// What the layers of kernel activation functions begin with: how many coefficients, and in which proportions.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { buildNetwork } from '../../server/model/network.ts';
import type { ActivationPlan } from '../../server/protocol/plan.ts';
import { openCpu, tinyPlan } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);
afterEach(() => {
  expect(tf.memory().numTensors).toBe(0);
});

/** Of the first activation of the light network, 32 channels wide: each parameter's shape and values. */
function parametersOf(activation: ActivationPlan): Map<string, { shape: readonly number[]; values: Float32Array }> {
  const network = buildNetwork({ ...tinyPlan.model, activation }, { sampleShape: [4, 4, 3], nClasses: 3, seed: 1 });
  const found = network.parameters.flatMap(({ name, shape, variable }) =>
    /^kaf(2d)?1\./.test(name)
      ? [[name.split('.')[1]!, { shape, values: variable.dataSync<'float32'>().slice() }] as const]
      : [],
  );
  network.dispose();
  return new Map(found);
}

const kaf = { dictionary: 5, boundary: 3, gamma: 0.3, init: { type: 'normal', std: 0.3 } } as const;

it('a multi-KAF begins as the mean of its kernels, each with the same weight in every channel', () => {
  const kernels = ['gaussian', 'relu', 'softplus'] as const;
  const { shape, values } = parametersOf({ type: 'multi-kaf', kernels, ...kaf }).get('mixture')!;
  expect(shape).toEqual([32, 3]);
  expect(values).toEqual(new Float32Array(96).fill(1 / 3));
});

it('a two-dimensional KAF has a coefficient for every pair of dictionary elements', () => {
  const alphas = parametersOf({ type: 'kaf-2d', dictionary: 3, boundary: 2, gamma: 0.3, init: kaf.init });
  expect(alphas.get('alpha')!.shape).toEqual([32, 9]);
});

it('a KAF with a dictionary of its own begins on the even one, with the bandwidth of the plan, in every channel', () => {
  const found = parametersOf({ type: 'kaf-free', ...kaf });
  const { shape, values } = found.get('dictionary')!;
  expect(shape).toEqual([32, 5]);
  for (let row = 0; row < 32; row++) expect([...values.subarray(5 * row, 5 * row + 5)]).toEqual([-3, -1.5, 0, 1.5, 3]);
  expect(found.get('logGamma')!.values).toEqual(new Float32Array(32).fill(Math.log(0.3)));
});
