// What a training is made of, and what one step of it says and leaves.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../server/data/split.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import { openTraining, updateOnce } from '../../server/trainer/training.ts';
import { openCpu, shallowPlan, tinyDataset } from './tinyPlan.ts';

beforeAll(openCpu);

const dataset = tinyDataset();
const standard = { method: { type: 'standard' }, threat: null } as const;

function planOf(training: Partial<Plan['training']>): Plan {
  return { ...shallowPlan, training: { ...shallowPlan.training, ...training } };
}

async function samples() {
  return dataset.train.read(Uint32Array.of(0, 1));
}

describe('a training', () => {
  it.each([
    ['with an average', planOf({ weightAverage: { decay: 0.9, warmUp: true, statistics: 'average' } }), null],
    ['of a table', planOf({}), { mean: [0.1, 0.2, 0.3], std: [1, 2, 3] }],
    ['whose gradients are clipped', planOf({ clipping: { type: 'layer', limit: 0.1 } }), null],
  ] as const)('%s leaves nothing behind, whatever its attack has seen', async (_, plan, columns) => {
    const before = tf.memory().numTensors;
    const training = openTraining(plan, { ...dataset, columns } as unknown as Dataset);
    const opened = tf.memory().numTensors;
    updateOnce(training, await samples(), 0, { learningRate: 0.1, isObserved: true })();
    expect(tf.memory().numTensors).toBe(opened);
    training.attackGradients.isWanted = true;
    tf.tidy(() => {
      training.attackGradients.see(tf.ones([2, 3]));
    });
    training.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('a step', () => {
  it('says how far it moved the weights, and how its gradients are spread, where it is asked to alone', async () => {
    const training = openTraining(shallowPlan, dataset);
    const parameters = training.network.parameters.length;
    const quiet = updateOnce(training, await samples(), 0, { learningRate: 0.1 })();
    expect([quiet.moved, quiet.histograms]).toEqual([null, null]);
    expect([quiet.measured.norms.length, quiet.measured.nonFinite.length]).toEqual([parameters, parameters]);
    const told = updateOnce(training, await samples(), 1, {
      learningRate: 0.1,
      isObserved: true,
      hasHistograms: true,
    })();
    expect(told.moved!.updates).toHaveLength(parameters);
    expect(told.moved!.attack!.norms).toHaveLength(1);
    expect(told.histograms!.ranges).toHaveLength(2 * parameters);
    training.dispose();
  });

  it('has a loss whose labels are smoothed by the plan, as much as it says', async () => {
    const lossAt = async (labelSmoothing: number) => {
      const training = openTraining(planOf({ ...standard, labelSmoothing }), dataset);
      const { loss } = updateOnce(training, await samples(), 0, { learningRate: 0.1 })();
      training.dispose();
      return loss;
    };
    const [sharp, smooth, smoother] = [await lossAt(0), await lossAt(0.2), await lossAt(0.4)];
    expect(Math.abs(smooth - sharp)).toBeGreaterThan(1e-3);
    expect((smoother - sharp) / (smooth - sharp)).toBeCloseTo(2, 3);
  });

  it('moves running statistics and what its method keeps', async () => {
    const training = openTraining(planOf({ method: { type: 'free', replays: 1 } }), dataset);
    const kept = () => [
      ...training.method.kept.get('delta')!.dataSync(),
      ...training.network.statistics.flatMap(({ variable }) => [...variable.dataSync()]),
    ];
    const before = kept();
    updateOnce(training, await samples(), 0, { learningRate: 0.1 })();
    const [delta, rest] = [kept().slice(0, 96), kept().slice(96)];
    expect(delta.filter((value) => value !== 0).length).toBeGreaterThan(48);
    expect(rest).not.toEqual(before.slice(96));
    training.dispose();
  });
});
