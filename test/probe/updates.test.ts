import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { beforeUpdate, AttackGradients } from '../../server/probe/updates.ts';
import type { OptimizerPlan, Plan } from '../../server/protocol/plan.ts';
import type { UpdatesRecord } from '../../server/protocol/records.ts';
import { collect, openCpu, shallowPlan, tinyDataset, tinyPlan } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);

describe('beforeUpdate', () => {
  it('gives the norm before and that of the difference, and leaves no tensor behind', () => {
    const variable = tf.variable(tf.tensor2d([[3, 4]]));
    const before = tf.memory().numTensors;
    const after = beforeUpdate({ parameters: [{ name: 'a', variable }] });
    tf.tidy(() => {
      variable.assign(tf.tensor2d([[3, 16]]));
    });
    const norms = after()();
    expect([...norms.before, ...norms.updates]).toEqual([5, 12]);
    expect(tf.memory().numTensors).toBe(before);
    variable.dispose();
  });
});

describe('AttackGradients', () => {
  it('gives the mean length of the images’ gradients and how many are 0, pass by pass, once', () => {
    const gradients = new AttackGradients();
    const [first, second] = [tf.tensor3d([[[3, 4]], [[0, 0]]]), tf.tensor2d([[1], [-2]])];
    gradients.see(first);
    expect(gradients.take()).toBeNull();
    gradients.isWanted = true;
    gradients.see(first);
    gradients.see(second);
    expect(gradients.take()!()).toEqual({ norms: Float32Array.of(2.5, 1.5), zeros: Int32Array.of(1, 0) });
    expect(gradients.take()).toBeNull();
    tf.dispose([first, second]);
  });
});

const sgd = { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 } as const;
const optimizers: Readonly<Record<string, OptimizerPlan>> = {
  adam: tinyPlan.training.optimizer,
  adamw: { type: 'adamw', beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1 },
  'sgd with momentum and decay': sgd,
  nesterov: { ...sgd, nesterov: true },
};

async function trained(training: Partial<Plan['training']>) {
  const plan = { ...shallowPlan, training: { ...shallowPlan.training, checkpointEveryEpochs: 1, ...training } };
  // An epoch is one step, so that a checkpoint lies before and behind each update but the first.
  const made = await collect(plan, tinyDataset({ nTrain: 2 }));
  const updates = made.records.filter((record): record is UpdatesRecord => record.type === 'updates');
  return { ...made, updates };
}

describe('records of updates', () => {
  it.each(Object.entries(optimizers))('are what the weights moved by, with %s', async (_, optimizer) => {
    const { records, states, updates } = await trained({ optimizer });
    const prepared = records.find((record) => record.type === 'prepared')!;
    expect(updates.map(({ step }) => step)).toEqual([1, 2]);
    const second = updates[1]!;
    prepared.parameters.forEach(({ name }, index) => {
      const [before, after] = states.map(({ tensors }) => Float64Array.from(tensors.get(`model/${name}`)!.values));
      const moved = Math.hypot(...after!.map((value, place) => value - before![place]!));
      const length = Math.hypot(...before!);
      // Differences of float32 weights lose what is below their last bit.
      expect(Math.abs(second.updates[index]! - moved)).toBeLessThan(1e-6 * length + 1e-5 * moved + 1e-12);
      expect(Math.abs(second.before[index]! - length)).toBeLessThan(1e-5 * length + 1e-12);
      expect(second.updates[index]).toBeGreaterThan(0);
    });
  });

  it('have as many attack gradients as the attack has passes, and none without an attack', async () => {
    const passes = async (training: Partial<Plan['training']>) =>
      (await trained(training)).updates.map(({ attack }) => attack?.norms.length ?? 0);
    const { threat } = tinyPlan.training;
    expect(await passes({})).toEqual([1, 1]);
    expect(await passes({ method: { type: 'pgd', steps: 3, start: 'ball', statistics: 'moving' }, threat })).toEqual([
      3, 3,
    ]);
    expect(await passes({ method: { type: 'free', replays: 1 }, threat })).toEqual([1, 1]);
    expect(await passes({ method: { type: 'standard' }, threat: null })).toEqual([0, 0]);
  });

  it('have of free training’s first pass what FGSM has, the gradients of the sum of the losses', async () => {
    const first = async (method: Plan['training']['method']) => {
      const model = { ...shallowPlan.model, dropout: [], network: withoutDropout(shallowPlan.model.network) };
      const training = { ...shallowPlan.training, method, epochs: 1 };
      const { records } = await collect({ ...shallowPlan, model, training }, tinyDataset());
      return records.find((record) => record.type === 'updates')!.attack!.norms[0]!;
    };
    const ofFgsm = await first({ type: 'fgsm', statistics: 'batch' });
    expect(ofFgsm).toBeGreaterThan(0);
    expect((await first({ type: 'free', replays: 1 })) / ofFgsm).toBeCloseTo(1, 5);
  });
});

function withoutDropout(network: Plan['model']['network']): Plan['model']['network'] {
  if (typeof network === 'string' || network.type !== 'layers') return network;
  return { ...network, layers: network.layers.filter(({ type }) => type !== 'dropout') };
}
