import { expect, it } from 'vitest';
import type { Features, Scorer } from '../../server/detector/detector.ts';
import { metzen } from '../../server/detector/metzen.ts';
import { completeEvaluation } from '../../server/protocol/evaluationPlan.ts';
import type { PlanOfDetector } from '../../server/protocol/detectorTable.ts';
import { rocOf } from '../../server/protocol/roc.ts';
import { uniformValues } from '../../server/tensor/ops/random.ts';

const plan = completeEvaluation('metzen', {}, { trainedEpsilon: null, testSamples: 10 }) as PlanOfDetector<'metzen'>;

/** Points of [−1, 1]² in the quadrants where the signs are alike, or where they differ: no straight line parts them. */
function quadrants(areAlike: boolean, n: number, stream: number): Features {
  const values = uniformValues(2 * n, -1, 1, { seed: 1, stream, counter: 0 });
  for (let i = 0; i < n; i++) if (values[2 * i]! * values[2 * i + 1]! > 0 !== areAlike) values[2 * i]! *= -1;
  return { values, width: 2 };
}

function learn(clean: Features, attacked: Features, seed = 3): Scorer {
  const labels = new Int32Array(clean.values.length / clean.width);
  const learning = metzen({ clean, attacked, labels, nClasses: 2, seed }, plan);
  let step = learning.next();
  while (!step.done) step = learning.next();
  return step.value;
}

it('learns what no straight line tells apart, however many there are of each, the same from the same seed', () => {
  const [clean, attacked] = [quadrants(true, 240, 1), quadrants(false, 60, 2)];
  const score = learn(clean, attacked);
  const [others, fooling] = [score(quadrants(true, 200, 3)), score(quadrants(false, 200, 4))];
  expect(rocOf(others, fooling).area).toBeGreaterThan(0.97);
  expect(learn(clean, attacked)(attacked)).toEqual(score(attacked));
  expect(learn(clean, attacked, 4)(attacked)).not.toEqual(score(attacked));
});

it('finds nothing where there is nothing, and says so where PGD fools too few images', () => {
  const score = learn(quadrants(true, 200, 1), quadrants(true, 200, 5));
  expect(Math.abs(rocOf(score(quadrants(true, 300, 6)), score(quadrants(true, 300, 7))).area - 0.5)).toBeLessThan(0.1);
  expect(() => learn(quadrants(true, 50, 1), quadrants(false, 3, 2))).toThrow(
    /PGD fools only 3 of the 50 training images/,
  );
});
