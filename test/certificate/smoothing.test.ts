import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Target } from '../../server/attack/target.ts';
import type { Certifier, Subject, Verdicts } from '../../server/certificate/certificate.ts';
import { smoothing } from '../../server/certificate/smoothing.ts';
import { completeEvaluation } from '../../server/protocol/evaluationPlan.ts';
import type { PlanOfCertificate } from '../../server/protocol/certificateTable.ts';
import { openCpu } from '../trainer/tinyPlan.ts';

beforeAll(openCpu);

/** Says class 1 where the first of two values is above 0: the boundary is as far away as that value. */
const halves = {
  forward: (x: tf.Tensor) => tf.concat([tf.zeros([x.shape[0]!, 1]), tf.slice(x, [0, 0], [-1, 1])], 1) as tf.Tensor2D,
};

function planOf(given: Readonly<Record<string, unknown>>): PlanOfCertificate<'smoothing'> {
  const context = { trainedEpsilon: null, testSamples: 100 };
  return completeEvaluation('smoothing', given, context) as PlanOfCertificate<'smoothing'>;
}

function certify(
  places: readonly number[],
  labels: readonly number[],
  given: Readonly<Record<string, unknown>>,
  first = 0,
  seed = 3,
): Verdicts {
  const target = new Target(halves, { nClasses: 2, shape: [2], passes: { forward: 0, backward: 0 } });
  const subject = {
    target,
    network: halves,
    layouts: [],
    normalization: null,
    bounds: null,
    epoch: 0,
    seed,
  } as unknown as Subject;
  const opening = smoothing(subject, planOf(given)); // its first look
  opening.next();
  const certifier = opening.next().value as Certifier;
  const n = places.length;
  const verdicts: Verdicts = { nDone: 0, radii: new Float64Array(n), outcomes: new Uint8Array(n) };
  const images = tf.tensor2d(
    places.flatMap((place) => [place, 0.3]),
    [n, 2],
  );
  const batch = { images, labels: Int32Array.from(labels), logits: new Float32Array(2 * n), first };
  for (const _ of certifier.certify(batch, verdicts));
  images.dispose();
  expect(verdicts.nDone).toBe(n);
  expect(target.passes.forward).toBe(n * (planOf(given).selection + planOf(given).draws));
  return verdicts;
}

describe('randomised smoothing', () => {
  const given = { sigma: 0.5, selection: 50, draws: 2000, failure: 0.001, epsilon: 0.3 };

  it('certifies up to a radius that is no longer than the way to the boundary, and not much shorter', () => {
    const places = [0.9, 0.6, 0.4, -0.5, -0.8];
    const { radii, outcomes } = certify(places, [1, 1, 1, 0, 0], given);
    places.forEach((place, row) => {
      expect(radii[row]).toBeLessThan(Math.abs(place));
      expect(radii[row]).toBeGreaterThan(0.75 * Math.abs(place));
    });
    expect([...outcomes]).toEqual([2, 2, 2, 2, 2]);
  });

  it('gives no radius where the vote is for another class, none that it can for a large ε, and abstains at the boundary', () => {
    const { radii, outcomes } = certify([0.6, 0.2, 0], [0, 1, 1], given);
    expect([...outcomes]).toEqual([0, 1, 3]);
    expect([radii[0], radii[2]]).toEqual([0, 0]);
    expect(radii[1]).toBeGreaterThan(0.1);
  });

  it("draws an image's noise by seed and position alone, whatever goes through the network at once", () => {
    const at = (position: number, batchSize: number, seed?: number) =>
      certify([0.4], [1], { ...given, batchSize }, position, seed).radii[0];
    expect(at(7, 33)).toBe(at(7, 2000));
    expect(at(7, 33)).not.toBe(at(8, 33));
    expect(at(7, 33)).not.toBe(at(7, 33, 4));
  });
});
