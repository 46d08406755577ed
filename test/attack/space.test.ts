// Attacks on a table move in standard deviations of each column: z = (x − mean)/std, and back.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { evaluateAttack } from '../../server/attack/evaluation.ts';
import { attackSpace } from '../../server/attack/space.ts';
import { memoryRows, splitOf } from '../../server/data/rows.ts';
import type { Dataset } from '../../server/data/split.ts';
import { multiply } from '../../server/model/linear.ts';
import type { Network } from '../../server/model/network.ts';
import type { AttackPlan } from '../../server/protocol/evaluationPlan.ts';
import { AttackStep } from '../../server/trainer/methods/attackStep.ts';
import { surroundingsOf } from '../trainer/methods/attackStepOf.ts';
import { openCpu } from '../trainer/tinyPlan.ts';
import { attackPlan } from './plans.ts';

beforeAll(openCpu);
afterEach(() => {
  expect(tf.memory().numTensors).toBe(0);
});

const std = [100, 0.01];

/** Of two columns of very different size; class 1 where a/100 + b/0.01 is above 0. Keeps what it sees. */
function columnsNetwork(seen: number[][] = []): Network {
  const kernel = tf.tensor2d([-0.01, 0.01, -100, 100], [2, 2]);
  const bias = tf.tensor1d([0, 0]);
  return {
    ...{ parameters: [], statistics: [], activations: [], parts: new Map(), before: (_, samples) => samples },
    forward: (samples) => {
      seen.push([...samples.dataSync<'float32'>()]);
      return multiply(samples as tf.Tensor as tf.Tensor2D, kernel, bias, 'input');
    },
    updateStatistics: () => undefined,
    followWeights: () => undefined,
    setEpoch: () => undefined,
    dispose: () => tf.dispose([kernel, bias]),
  };
}

/** The second lies 1 deviation in both columns from the border, the first 0.1. */
const values = Float32Array.of(10, 0.001, 100, 0.01);

const dataset: Dataset = {
  ...{ name: 'table', classes: ['0', '1'], sampleShape: [2], validation: null, close: () => Promise.resolve() },
  columns: { mean: [0, 0], std },
  train: splitOf(memoryRows(new Float32Array(), new Uint16Array(), 2)),
  test: splitOf(memoryRows(values, Uint16Array.of(1, 1), 2)),
};

describe('the space of a table', () => {
  it('standardises the columns, gives the network what the table holds, and has no bounds', () => {
    const seen: number[][] = [];
    const of = columnsNetwork(seen);
    const space = attackSpace(of, { columns: { mean: [3, -1], std: [2, 0.5] } });
    const samples = tf.tensor2d([5, -1, 1, 0], [2, 2]);
    const standardised = space.enter(samples);
    const back = space.leave(standardised);
    const logits = tf.tidy(() => space.network.forward(standardised, {} as Parameters<Network['forward']>[1]));
    const close = (found: Iterable<number>, expected: number[]) => {
      [...found].forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 6));
    };
    close(standardised.dataSync(), [1, 0, -1, 2]);
    close(back.dataSync(), [5, -1, 1, 0]);
    close(seen.at(-1)!, [5, -1, 1, 0]);
    expect(space.bounds).toBeNull();
    tf.dispose([samples, standardised, back, logits]);
    space.dispose();
    of.dispose();
  });

  it('of pictures is that of their values, from 0 to 1', () => {
    const of = columnsNetwork();
    const space = attackSpace(of, { columns: null });
    const samples = tf.tensor2d([0.25, 1], [1, 2]);
    const [inside, back] = [space.enter(samples), space.leave(samples)];
    expect([...inside.dataSync(), ...back.dataSync()]).toEqual([0.25, 1, 0.25, 1]);
    expect(space.bounds).toEqual([0, 1]);
    // Tensors of their own: the caller's stay when they go.
    tf.dispose([inside, back]);
    expect([...samples.dataSync()]).toEqual([0.25, 1]);
    samples.dispose();
    space.dispose();
    of.dispose();
  });
});

describe('attacks on a table', () => {
  it('made on another network give this one, too, what the table holds', async () => {
    const of = columnsNetwork();
    const seen: number[][] = [];
    const surrogate = columnsNetwork(seen);
    const given = { epsilon: 0.5, steps: 3, restarts: 1, samples: 2 };
    const outcomesOf = async (plan: AttackPlan) => {
      const attack = evaluateAttack(of, dataset, plan, { seed: 1, signal: new AbortController().signal, surrogate });
      for (;;) {
        const { value, done } = await attack.next();
        if (done) return value.outcomes;
      }
    };
    const transferred = await outcomesOf(attackPlan('transfer', { ...given, from: 'itself', judged: 'all' }));
    // The first column of the second row is 100 ± 50, in standard deviations 1 ± 0.5.
    expect(Math.max(...seen.at(-1)!)).toBeGreaterThan(49);
    expect([...transferred]).toEqual([1, 2]);
    expect(transferred).toEqual(await outcomesOf(attackPlan('pgd', given)));
    for (const network of [of, surrogate]) network.dispose();
  });

  it('measure ε in standard deviations of each column, and stay in no box', async () => {
    const seen: number[][] = [];
    const of = columnsNetwork(seen);
    const settings = { epsilon: 0.2, stepSize: 0.1, steps: 6, restarts: 1, samples: 2, batchSize: 2 };
    const plan = attackPlan('pgd', settings) as AttackPlan;
    const attack = evaluateAttack(of, dataset, plan, { seed: 1, signal: new AbortController().signal });
    for (;;) {
      const { value, done } = await attack.next();
      if (!done) continue;
      expect(value).toMatchObject({ clean: 2, robust: 1 });
      break;
    }
    of.dispose();
    // The last look is at the second sample alone: it has come to the end of its ball, against its class.
    expect(seen.at(-1)![0]).toBeCloseTo(80, 3);
    expect(seen.at(-1)![1]).toBeCloseTo(0.008, 6);
  });

  it('of training end within the ball of each column', () => {
    const of = columnsNetwork();
    const samples = tf.tensor2d(values, [2, 2]) as tf.Tensor as tf.Tensor4D;
    const labels = tf.tensor1d([1, 1], 'int32');
    const threat = { norm: 'linf', epsilon: 0.5, stepSize: 10 } as const;
    const around = surroundingsOf(of, { images: samples, labels }, { threat, columns: dataset.columns });
    const attacked = tf.tidy(() => {
      const step = new AttackStep(around, { images: samples, labels }, { step: 1 }, 'batch');
      return around.space.leave(step.ascend(step.start('ball')));
    });
    const moved = [...attacked.dataSync<'float32'>()].map((value, index) => (value - values[index]!) / std[index % 2]!);
    for (const deviations of moved) expect(deviations).toBeCloseTo(-0.5, 4);
    of.dispose();
    around.space.dispose();
    tf.dispose([attacked, samples, labels]);
  });
});
