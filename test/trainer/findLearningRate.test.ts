import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  hasExploded,
  smoothedLoss,
  suggestedEnds,
  suggestRates,
  type SweepPoint,
} from '../../server/protocol/learningRates.ts';
import { findLearningRate, sweep } from '../../server/trainer/findLearningRate.ts';
import { openTraining } from '../../server/trainer/training.ts';
import { captureTensors, restoreTensors } from '../../server/trainer/trainingState.ts';
import { collect, openCpu, shallowPlan, tinyDataset } from './tinyPlan.ts';

beforeAll(openCpu);

const signal = new AbortController().signal;

/** A curve of losses over rates 1e-6 … 1, smoothed as it is. */
function curve(lossOf: (decade: number) => number, n = 61): SweepPoint[] {
  return Array.from({ length: n }, (_, index) => {
    const decade = -6 + (6 * index) / (n - 1);
    const loss = lossOf(decade);
    return { step: index + 1, learningRate: 10 ** decade, loss, smoothed: loss };
  });
}

describe('a sweep of learning rates', () => {
  it('takes the training’s own steps, each with the same multiple of the rate before', async () => {
    const points: SweepPoint[] = [];
    const nTensors = tf.memory().numTensors;
    const options = { from: 1e-5, to: 1e-3, steps: 3, signal };
    for await (const point of findLearningRate(shallowPlan, tinyDataset(), options)) points.push(point);
    expect(tf.memory().numTensors).toBe(nTensors);
    expect(points.map(({ learningRate }) => learningRate)).toEqual(
      [1e-5, 1e-4, 1e-3].map((rate) => expect.closeTo(rate, 12) as number),
    );
    // The first loss is before any update: that of the run's first step, under the same attack.
    const { records } = await collect(shallowPlan, tinyDataset());
    const first = records.find((record) => record.type === 'step')!;
    expect(points[0]!.loss).toBe(first.loss);
    expect(points[0]!.smoothed).toBeCloseTo(first.loss, 12);
  });

  it('of one step has the first rate', async () => {
    const rates: number[] = [];
    const options = { from: 1e-5, to: 1e-3, steps: 1, signal };
    for await (const point of findLearningRate(shallowPlan, tinyDataset(), options)) rates.push(point.learningRate);
    expect(rates).toEqual([1e-5]);
  });

  it('leaves weights, statistics and moments as they were, also where it is broken off', async () => {
    const training = openTraining(shallowPlan, tinyDataset());
    const before = captureTensors(training);
    for await (const point of sweep(training, { from: 1e-4, to: 10, steps: 4, signal })) if (point.step === 3) break;
    expect(captureTensors(training)).toEqual(before);
    for await (const _ of sweep(training, { from: 1e-4, to: 10, steps: 4, signal }));
    expect(captureTensors(training)).toEqual(before);
    training.dispose();
  });

  it('ends at a loss that is not finite, which it tells, and with the signal', async () => {
    const sgd = { type: 'sgd', momentum: 0, weightDecay: 0 } as const;
    const plan = { ...shallowPlan, training: { ...shallowPlan.training, optimizer: sgd } };
    const points: SweepPoint[] = [];
    for await (const point of findLearningRate(plan, tinyDataset(), { from: 1, to: 1e38, steps: 40, signal }))
      points.push(point);
    expect(points.length).toBeLessThan(40);
    const aborted = AbortSignal.abort();
    for await (const _ of findLearningRate(plan, tinyDataset(), { from: 1e-5, to: 1, steps: 4, signal: aborted }))
      expect.unreachable();
  });
});

describe('a sweep on its way', () => {
  const options = { from: 1e-4, to: 1e-2, steps: 4, signal };

  it('hears of an abort between two steps', async () => {
    const controller = new AbortController();
    let nPoints = 0;
    for await (const _ of findLearningRate(shallowPlan, tinyDataset(), { ...options, signal: controller.signal })) {
      nPoints++;
      setImmediate(() => {
        controller.abort();
      });
    }
    expect(nPoints).toBe(1);
  });

  it('ends at a gradient that is not finite, whatever the loss, and leaves nothing halted', async () => {
    const plan = { ...shallowPlan, model: { ...shallowPlan.model, denseL2: 1 } };
    const training = openTraining(plan, tinyDataset());
    const losses = async () => {
      const found: number[] = [];
      for await (const { loss } of sweep(training, options)) found.push(loss);
      return found;
    };
    const usual = await losses();
    expect(usual).toHaveLength(4);
    const before = captureTensors(training);
    const weights = (name: string) => training.network.parameters.find((one) => one.name === name)!.variable;
    tf.tidy(() => {
      // Nothing passes the last layer, so that the penalty of its kernel overflows alone.
      weights('kaf1.alpha').assign(tf.zerosLike(weights('kaf1.alpha')));
      weights('dense1.kernel').assign(tf.fill(weights('dense1.kernel').shape, 3e38));
    });
    const broken = await losses();
    expect(broken).toHaveLength(1);
    expect(broken[0]).toBeLessThan(Infinity);
    restoreTensors(training, before);
    expect(await losses()).toEqual(usual);
    training.dispose();
  });
});

describe('what a sweep suggests', () => {
  /** Down by 1.5 about 1e-3, up from 1e-1. */
  const usual = curve((decade) => 2.3 - 1.5 / (1 + Math.exp(-4 * (decade + 3))) + (decade > -1 ? 3 * (decade + 1) : 0));

  it('is the end of the plateau, the valley and the steepest place, each with its reason', () => {
    const suggestions = suggestRates(usual);
    expect(suggestions.map(({ name }) => name)).toEqual(['plateau-end', 'steepest', 'valley']);
    const rates = Object.fromEntries(suggestions.map(({ name, learningRate }) => [name, Math.log10(learningRate)]));
    // A tenth of a logistic function's way lies ln(9)/4 before its middle, where it is steepest.
    expect(rates['plateau-end']).toBeCloseTo(-3 - Math.log(9) / 4, 0);
    expect(Math.abs(rates['plateau-end']! + 3 + Math.log(9) / 4)).toBeLessThanOrEqual(0.1);
    expect(Math.abs(rates['steepest']! + 3)).toBeLessThanOrEqual(0.1);
    // Two thirds of the way from 1e-6 to 1e-1.
    expect(Math.abs(rates['valley']! + 6 - 10 / 3)).toBeLessThanOrEqual(0.1);
    for (const { reason } of suggestions) expect(reason).toMatch(/\.$/);
    const ends = suggestedEnds(suggestions)!;
    expect(ends.min).toBeLessThan(ends.max);
  });

  it('is nothing where the loss never falls, or is not finite', () => {
    expect(suggestRates(curve((decade) => 2.3 + decade + 6))).toEqual([]);
    expect(suggestRates(curve(() => Number.NaN))).toEqual([]);
    expect(suggestedEnds([])).toBeNull();
  });

  it('does not mind a point at the end that is not finite', () => {
    const broken = [...usual, { step: 99, learningRate: 2, loss: Number.NaN, smoothed: Number.NaN }];
    expect(suggestRates(broken)).toEqual(suggestRates(usual));
    expect(hasExploded(broken)).toBe(true);
  });
});

describe('the smoothed loss', () => {
  it('is the exponential average, as if it had begun at its first value', () => {
    expect(smoothedLoss([2])).toBeCloseTo(2, 12);
    expect(smoothedLoss([2, 2, 2])).toBeCloseTo(2, 12);
    expect(smoothedLoss([2, 1])).toBeCloseTo((0.9 * 2 + 1) / 1.9, 12);
  });

  it('has exploded above four times its least, not in the first points', () => {
    const at = (losses: readonly number[]) =>
      losses.map((loss, index) => ({ step: index + 1, learningRate: 1, loss, smoothed: loss }));
    expect(hasExploded(at([1, 1, 1, 1, 1, 4.1]))).toBe(true);
    expect(hasExploded(at([1, 1, 1, 1, 1, 4]))).toBe(false);
    expect(hasExploded(at([1, 9]))).toBe(false);
  });
});
