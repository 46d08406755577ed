// The density detector against numpy, ROC curves against scipy.
import { expect, it } from 'vitest';
import { density } from '../../server/detector/density.ts';
import { completeEvaluation } from '../../server/protocol/evaluationPlan.ts';
import type { PlanOfDetector } from '../../server/protocol/detectorTable.ts';
import { detectionsAt, rocOf } from '../../server/protocol/roc.ts';
import type { Scorer } from '../../server/detector/detector.ts';
import { readGolden, toFloat32, type GoldenTensor } from './readGolden.ts';

const golden = readGolden<{
  readonly clean: GoldenTensor;
  readonly labels: readonly number[];
  readonly asked: GoldenTensor;
  readonly scores: GoldenTensor;
  readonly rocs: readonly { clean: GoldenTensor; attacked: GoldenTensor; area: number; at5: number }[];
}>('detector');

it('scores by the nearest class, as numpy does', () => {
  const plan = completeEvaluation('density', {}, { trainedEpsilon: null, testSamples: 10 });
  const width = golden.clean.shape[1]!;
  const features = (tensor: GoldenTensor) => ({ values: toFloat32(tensor), width });
  const lessons = { clean: features(golden.clean), labels: Int32Array.from(golden.labels), nClasses: 4, seed: 0 };
  const learning = density({ ...lessons, attacked: features(golden.clean) }, plan as PlanOfDetector<'density'>);
  let step = learning.next();
  while (!step.done) step = learning.next();
  const score: Scorer = step.value;
  const found = score(features(golden.asked));
  golden.scores.values.forEach((expected, row) => {
    expect(found[row]! / expected).toBeCloseTo(1, 5);
  });
});

it('areas under ROC curves, ties among them, and detections at 5 % are those of scipy', () => {
  for (const { clean, attacked, area, at5 } of golden.rocs) {
    const roc = rocOf(toFloat32(clean), toFloat32(attacked));
    expect(roc.area).toBeCloseTo(area, 7);
    expect(detectionsAt(roc, 0.05)).toBeCloseTo(at5, 8);
    expect([roc.falseAlarms[0], roc.detections[0], roc.falseAlarms.at(-1), roc.detections.at(-1)]).toEqual([
      0, 0, 1, 1,
    ]);
  }
});

it('a ROC curve counts each score once, a share of false alarms up to its own end, and says nothing of no images', () => {
  const { falseAlarms, detections, area } = rocOf([1, 2, 2, 5], [2, 4, 6]);
  expect(falseAlarms).toEqual([0, 0, 0.25, 0.25, 0.75, 1]);
  expect(detections).toEqual([0, 1 / 3, 1 / 3, 2 / 3, 1, 1]);
  expect(area).toBeCloseTo(9 / 12, 15);
  const at = (share: number) => detectionsAt({ falseAlarms, detections, area }, share);
  expect([0, 0.2, 0.25, 0.7, 0.75, 1].map(at)).toEqual([1 / 3, 1 / 3, 2 / 3, 2 / 3, 1, 1]);
  for (const [clean, attacked] of [
    [[], []],
    [[], [1]],
    [[1], []],
  ])
    expect(rocOf(clean!, attacked!).area).toBeNaN();
});
