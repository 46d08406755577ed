import { expect, test } from 'vitest';
import { axisValues, deriveCurves, GradientNorms, stepsOf, throughput } from '../../../webview/curves/runCurves.ts';
import { applyRow } from '../../../server/protocol/snapshot.ts';
import { makeSnapshot } from '../gallery/runData.ts';

const snapshot = makeSnapshot({ steps: 800, status: 'training' });
const norms = new GradientNorms();
const curves = deriveCurves(snapshot, norms.of(snapshot.norms.gradients));

test('the norm of all gradients is the root of their squares’ sum, also for rows that come later', () => {
  const live = makeSnapshot({ steps: 20, status: 'training' });
  const values = norms.of(live.norms.gradients);
  expect(values).toHaveLength(2);
  const { gradients, weights, nonFiniteWeights, nonFiniteGradients } = live.norms;
  const record = {
    type: 'norms',
    step: 30,
    weights: weights[0]!,
    gradients: Float32Array.of(3, 4),
    nonFiniteWeights: nonFiniteWeights[0]!,
    nonFiniteGradients: nonFiniteGradients[0]!,
  } as const;
  applyRow(live, { seq: 1e6, timeMs: 0, record });
  expect(norms.of(gradients)[2]).toBe(5);
});

test('epochs are steps by the steps of one, time is since the first step or of the day', () => {
  expect(axisValues(curves, curves.step, 'epoch')[390]).toBe(1);
  const time = axisValues(curves, curves.step, 'relative');
  expect(time[0]).toBe(0);
  expect(time.at(-1)).toBe(snapshot.steps.timeMs.at(-1)! - snapshot.steps.timeMs[0]!);
  expect(axisValues(curves, curves.tests.step, 'relative')).toEqual([time[390], time[781]]);
  expect(axisValues(curves, curves.step, 'wall')).toEqual(snapshot.steps.timeMs);
  const [from, to] = [snapshot.steps.timeMs[100]!, snapshot.steps.timeMs[200]!];
  expect(stepsOf(curves, { from, to }, 'wall')).toEqual({ from: 101, to: 202 });
});

test('test accuracies carry the interval of their own number of images', () => {
  const { clean, robust } = curves.tests;
  expect(robust.step).toEqual([391, 782]);
  expect(clean.high[0]! - clean.low[0]!).toBeLessThan(robust.high[0]! - robust.low[0]!);
  expect(robust.low[0]!).toBeLessThan(robust.value[0]!);
});

test('a run resumed from a checkpoint shows each step once', () => {
  const resumed = makeSnapshot({ steps: 100, status: 'training' });
  const record = { type: 'step', step: 51, epoch: 1, loss: 9, accuracy: 0, learningRate: 1 } as const;
  applyRow(resumed, { seq: 1e6, timeMs: 2e12, record });
  const shown = deriveCurves(resumed, []);
  expect(shown.step).toHaveLength(51);
  expect(shown.loss.at(-1)).toBe(9);
});

test('throughput is images over seconds of the last eight points; unknown where no time passed', () => {
  const rate = throughput([1, 2, 3, 4], [0, 100, 200, 200], 64);
  expect(rate[0]).toBeNaN();
  expect(rate[2]).toBe(640);
  expect(throughput([1, 2], [5, 5], 64)[1]).toBeNaN();
});
