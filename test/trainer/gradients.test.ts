// What a batch says of the weights: a mean over its images, and the penalty on the kernels that have one.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildNetwork } from '../../server/model/network.ts';
import { openRuntime } from '../../server/tensor/runtime.ts';
import { uniform } from '../../server/tensor/ops/random.ts';
import { beginFigures, computeGradients } from '../../server/trainer/gradients.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';
import { tinyPlan } from './tinyPlan.ts';

const key = { seed: 1, stream: 1, counter: 0 };

beforeAll(() => openRuntime('wasm', { assetsFolder }));

function makeNetwork() {
  const model = { ...tinyPlan.model, dropout: [0, 0, 0], normalization: null };
  return buildNetwork(model, { sampleShape: [8, 8, 3], nClasses: 3, seed: 1 });
}

/** Of copies of two images. */
function gradientsOf(copies: number, penalties: Parameters<typeof computeGradients>[2]['penalties']) {
  const network = makeNetwork();
  const two = uniform<tf.Rank.R4>([2, 8, 8, 3], 0, 1, { seed: 1, stream: 0, counter: 0 });
  const images = tf.concat(Array.from({ length: copies }, () => two));
  const labels = tf.tensor1d(
    Array.from({ length: 2 * copies }, (_, index) => index % 2),
    'int32',
  );
  const logits = tf.tidy(() => {
    const around = { mode: 'training', key, gradients: 'all', batchStatistics: null } as const;
    return network.forward(images, around).arraySync();
  });
  const losses = logits.map((row, index) => Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[index % 2]!);
  const expected = losses.reduce((sum, one) => sum + one, 0) / losses.length;
  const { said, gradients, dispose } = computeGradients(network, { images, labels }, { key, penalties });
  const all = network.parameters.map(({ name, kernelOf, variable }, index) => ({
    name,
    kernelOf,
    weights: variable.dataSync<'float32'>().slice(),
    gradient: gradients[index]!.dataSync<'float32'>().slice(),
  }));
  const { loss } = beginFigures(said)();
  dispose();
  network.dispose();
  tf.dispose([two, images, labels]);
  return { loss, expected, all };
}

describe('gradients', () => {
  it('are those of the mean over the images, however many there are', () => {
    const none = { dense: 0, convolution: 0 };
    const one = gradientsOf(1, none);
    const three = gradientsOf(3, none);
    for (const { loss, expected } of [one, three]) expect(loss).toBeCloseTo(expected, 4);
    expect(three.loss).toBeCloseTo(one.loss, 5);
    for (const [index, { name, gradient }] of one.all.entries()) {
      const scale = Math.max(...gradient.map(Math.abs));
      const apart = gradient.map((value, i) => Math.abs(three.all[index]!.gradient[i]! - value));
      expect(Math.max(...apart), name).toBeLessThan(1e-3 * scale + 1e-7);
    }
    expect(Math.max(...one.all.flatMap(({ gradient }) => [...gradient.map(Math.abs)]))).toBeGreaterThan(1e-3);
  });

  it('have the penalty of λ·Σw², which is 2·λ·w, on the kernels of its layers and on nothing else', () => {
    const free = gradientsOf(1, { dense: 0, convolution: 0 });
    const penalized = gradientsOf(1, { dense: 5, convolution: 0.5 });
    expect(penalized.loss).toBe(free.loss);
    const seen = new Set<string | undefined>();
    for (const [index, { name, kernelOf, weights, gradient }] of penalized.all.entries()) {
      const lambda = kernelOf ? { dense: 5, convolution: 0.5 }[kernelOf] : 0;
      seen.add(kernelOf ?? undefined);
      const apart = gradient.map((value, i) =>
        Math.abs(value - free.all[index]!.gradient[i]! - 2 * lambda * weights[i]!),
      );
      expect(Math.max(...apart), name).toBeLessThan(1e-5);
    }
    expect(seen).toEqual(new Set(['convolution', 'dense', undefined]));
    expect(tf.memory().numTensors).toBe(0);
  });

  it.each([
    [0.3, 0],
    [0, 2],
    [0.3, 2],
  ])('have λ·sign(α) for λ = %d and 2·λ·α for λ = %d on the coefficients of KAFs alone', (alphaL1, alphaL2) => {
    const free = gradientsOf(1, { dense: 0, convolution: 0 });
    const penalized = gradientsOf(1, { dense: 0, convolution: 0, alphaL1, alphaL2 });
    expect(penalized.loss).toBe(free.loss);
    for (const [index, { name, weights, gradient }] of penalized.all.entries()) {
      const slope = (w: number) => (name.endsWith('.alpha') ? alphaL1 * Math.sign(w) + 2 * alphaL2 * w : 0);
      const apart = gradient.map((value, i) => Math.abs(value - free.all[index]!.gradient[i]! - slope(weights[i]!)));
      expect(Math.max(...apart), name).toBeLessThan(1e-5);
    }
    expect(tf.memory().numTensors).toBe(0);
  });
});
