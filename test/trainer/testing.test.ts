import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Pass } from '../../server/model/layer.ts';
import type { Plan } from '../../server/protocol/plan.ts';
import { testNetwork } from '../../server/trainer/testing.ts';
import { brightnessNetwork, evenImages } from '../attack/brightnessNetwork.ts';
import { openCpu, tinyPlan } from './tinyPlan.ts';

beforeAll(openCpu);

const signal = new AbortController().signal;
/** Of eight bits: 0.502, 0.525, 0.541, 0.8; the third is given the wrong label. Within 8/255 of 0.5 are the first two. */
const bright = [128, 134, 138, 204].map((value) => value / 255);
const dataset = evenImages(bright, [1, 1, 0, 1]);

function planOf(observe: Partial<Plan['observe']>, threat: Plan['training']['threat'] = null): Plan {
  return {
    ...tinyPlan,
    training: { ...tinyPlan.training, threat, batchSize: 3 },
    observe: { ...tinyPlan.observe, robustSamples: 4, robustSteps: 12, ...observe },
  };
}

const looks: Float32Array[] = [];
const passes: Pass[] = [];
const network = () => {
  looks.length = 0;
  passes.length = 0;
  return brightnessNetwork((images, pass) => {
    looks.push(images);
    passes.push(pass);
  });
};

afterEach(() => {
  expect(tf.memory().numTensors).toBe(0);
});

describe('a test during training', () => {
  it('has the area under the curve of two classes, and the same figures on the samples kept back', async () => {
    const of = network();
    const kept = evenImages([0.1, 0.9, 0.3], [0, 0, 1]);
    const tested = await testNetwork(of, { ...dataset, validation: kept.test }, planOf({ robustSamples: 0 }), signal);
    of.dispose();
    // The one dark label among the bright is brighter than two of three.
    expect(tested!.auc).toBeCloseTo(1 / 3, 12);
    expect(tested!.validation).toMatchObject({ samples: 3, accuracy: 1 / 3, auc: 0.5 });
    expect(tested!.validation!.loss).toBeGreaterThan(0);
  });

  it('has the area of all batches together', async () => {
    const of = network();
    const several = evenImages([0.9, 0.2, 0.35, 0.6, 0.1, 0.95], [1, 1, 0, 0, 0, 1]);
    const tested = await testNetwork(of, several, planOf({ robustSamples: 0 }), signal);
    of.dispose();
    expect(tested!.auc).toBeCloseTo(7 / 9, 12);
  });

  it('is none where it is broken off among the samples kept back', async () => {
    const controller = new AbortController();
    let nLooks = 0;
    // The test images are two batches, those kept back two more.
    const of = brightnessNetwork(() => {
      if (++nLooks === 3) controller.abort();
    });
    const kept = evenImages([0.1, 0.9, 0.2, 0.8]);
    const plan = planOf({ robustSamples: 0 });
    expect(await testNetwork(of, { ...dataset, validation: kept.test }, plan, controller.signal)).toBeNull();
    of.dispose();
  });

  it('has neither with three classes and nothing kept back', async () => {
    const of = network();
    const three = { ...dataset, classes: ['a', 'b', 'c'] };
    const tested = await testNetwork(of, three, planOf({ robustSamples: 0 }), signal);
    of.dispose();
    expect(Object.keys(tested!).sort()).toEqual(['accuracy', 'loss', 'robustAccuracy', 'robustSamples', 'samples']);
  });

  it('is the mean loss and the share of right answers over all images, whatever the batches, in inference', async () => {
    const of = network();
    const tested = await testNetwork(of, dataset, planOf({ robustSamples: 0 }), signal);
    of.dispose();
    // log(1 + e^−d) with the margin d = ±40·(brightness − 0.5).
    const losses = bright.map((mean, index) => Math.log1p(Math.exp((index === 2 ? 40 : -40) * (mean - 0.5))));
    expect(tested!.loss).toBeCloseTo(losses.reduce((sum, loss) => sum + loss, 0) / 4, 5);
    expect(tested).toMatchObject({ accuracy: 0.75, samples: 4, robustAccuracy: null, robustSamples: 0 });
    expect(looks.map(({ length }) => length / 48)).toEqual([3, 1]);
    const inference = { mode: 'inference', key: null, gradients: 'input', batchStatistics: null };
    expect(passes).toEqual([inference, inference]);
  });

  it('looks at no empty batch where the images fill theirs', async () => {
    const of = network();
    const three = evenImages(bright.slice(0, 3));
    expect(await testNetwork(of, three, planOf({ robustSamples: 0 }), signal)).toMatchObject({ samples: 3 });
    expect(looks.map(({ length }) => length / 48)).toEqual([3]);
    of.dispose();
  });

  it('hears between two batches that it is stopped', async () => {
    const controller = new AbortController();
    let nLooks = 0;
    const watched = brightnessNetwork(() => {
      nLooks++;
      // Not at once: by whoever has the next turn.
      setImmediate(() => {
        controller.abort();
      });
    });
    expect(await testNetwork(watched, dataset, planOf({ robustSamples: 0 }), controller.signal)).toBeNull();
    expect(nLooks).toBe(1);
    watched.dispose();
  });

  it('attacks the first images at the training threat’s ε, or at 8/255 where there is none', async () => {
    const of = network();
    const usual = await testNetwork(of, dataset, planOf({}), signal);
    expect(usual).toMatchObject({ robustAccuracy: 0.25, robustSamples: 4 });
    const small = { norm: 'linf', epsilon: 4 / 255, stepSize: 1 } as const;
    expect(await testNetwork(of, dataset, planOf({}, small), signal)).toMatchObject({ robustAccuracy: 0.5 });
    // Of 48 values, each can move by a seventh of what it can under L∞.
    const euclidean = { norm: 'l2', epsilon: 8 / 255, stepSize: 1 } as const;
    expect(await testNetwork(of, dataset, planOf({}, euclidean), signal)).toMatchObject({ robustAccuracy: 0.5 });
    const few = await testNetwork(of, dataset, planOf({ robustSamples: 2 }, small), signal);
    expect(few).toMatchObject({ robustAccuracy: 0.5, robustSamples: 2, samples: 4 });
    of.dispose();
  });

  it('attacks by steps of a quarter of ε, from one start', async () => {
    const of = network();
    await testNetwork(of, evenImages([0.2]), planOf({ robustSteps: 1 }), signal);
    of.dispose();
    // The test itself; then the clean image, the start, and the one step from there.
    expect(looks).toHaveLength(4);
    const moved = looks[3]!.map((value, index) => value - looks[2]![index]!);
    expect(Math.max(...moved)).toBeCloseTo(2 / 255, 6);
  });

  it('that is stopped has no result, neither before its first batch nor in its attack', async () => {
    const of = network();
    expect(await testNetwork(of, dataset, planOf({}), AbortSignal.abort())).toBeNull();
    expect(looks).toHaveLength(0);
    of.dispose();
    const controller = new AbortController();
    let nLooks = 0;
    const stopping = brightnessNetwork(() => {
      if (++nLooks === 4) controller.abort();
    });
    expect(await testNetwork(stopping, dataset, planOf({}), controller.signal)).toBeNull();
    stopping.dispose();
  });
});
