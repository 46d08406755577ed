import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeBatch, type Batch } from '../../../server/data/batches.ts';
import type { Pass } from '../../../server/model/layer.ts';
import { buildNetwork, type Network } from '../../../server/model/network.ts';
import { randomStreams } from '../../../server/model/randomStreams.ts';
import { uniform } from '../../../server/tensor/ops/random.ts';
import { openCpu, tinyDataset, tinyPlan } from '../tinyPlan.ts';
import { attackStepOf } from './attackStepOf.ts';
import { brightnessNetwork } from '../../attack/brightnessNetwork.ts';

const threat = { norm: 'linf', epsilon: 8 / 255, stepSize: 10 / 255 } as const;
let network: Network;
let batch: Batch;

beforeAll(openCpu);
beforeEach(async () => {
  network = buildNetwork(tinyPlan.model, { sampleShape: [4, 4, 3], nClasses: 3, seed: 1 });
  batch = makeBatch(await tinyDataset().train.read(Uint32Array.of(0, 1, 2)), [4, 4, 3]);
});
afterEach(() => {
  network.dispose();
  tf.dispose([batch.images, batch.labels]);
  expect(tf.memory().numTensors).toBe(0);
});

describe('the attack of FGSM-RS', () => {
  it('stays inside the ball and inside [0, 1]', () => {
    const clean = batch.images.dataSync();
    attack(network, 0).forEach((value, index) => {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1);
      expect(Math.abs(value - clean[index]!)).toBeLessThanOrEqual(threat.epsilon + 1e-6);
    });
  });

  it('leaves weights and running statistics of the network as they were', () => {
    const read = () => [...network.parameters, ...network.statistics].map(({ variable }) => [...variable.dataSync()]);
    const before = read();
    attack(network, 0);
    expect(read()).toEqual(before);
  });

  it('draws by the step: the same again for the same one', () => {
    expect(attack(network, 1)).toEqual(attack(network, 1));
    expect(attack(network, 1)).not.toEqual(attack(network, 2));
  });

  it('takes the gradient in training mode at a start drawn from the whole ball, by keys of their own', () => {
    const looks: [number[], Pass][] = [];
    const bright = brightnessNetwork((images, pass) => looks.push([[...images], pass]));
    attack(bright, 5);
    bright.dispose();
    const { epsilon } = threat;
    const start = tf.tidy(() => [
      ...tf
        .add(
          batch.images,
          uniform(batch.images.shape, -epsilon, epsilon, { seed: 1, stream: randomStreams.trainingAttack, counter: 5 }),
        )
        .dataSync(),
    ]);
    const dropout = { seed: 1, stream: randomStreams.attackDropout, counter: { at: { step: 6 }, every: 1 } };
    expect(looks).toEqual([[start, { mode: 'training', key: dropout, gradients: 'input', batchStatistics: null }]]);
  });

  it('moves every pixel by the step against the label, from a start inside the ball', async () => {
    const bright = brightnessNetwork();
    tf.dispose([batch.images, batch.labels]);
    batch = makeBatch(await tinyDataset().train.read(Uint32Array.of(0, 1)), [4, 4, 3]);
    const clean = batch.images.dataSync();
    const { epsilon, stepSize } = threat;
    attack(bright, 0).forEach((value, index) => {
      // The first is of class 0, dark, whose loss grows with brightness; the second is of class 1.
      const moved = (value - clean[index]!) * (index < 48 ? 1 : -1);
      const isAtEdge = value === 0 || value === 1;
      if (!isAtEdge) expect(moved).toBeGreaterThanOrEqual(-epsilon + stepSize - 1e-6);
    });
    bright.dispose();
  });
});

function attack(of: Network, counter: number): Float32Array {
  const attacked = tf.tidy(() => {
    const step = attackStepOf(of, batch, { threat, counter });
    return step.ascend(step.start('ball'));
  });
  const values = attacked.dataSync<'float32'>().slice();
  attacked.dispose();
  return values;
}
