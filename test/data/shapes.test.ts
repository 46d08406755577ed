import { describe, expect, it } from 'vitest';
import { memoryRows, type Rows } from '../../server/data/rows.ts';
import { figures } from '../../server/data/figures.ts';
import { makeShapes } from '../../server/data/shapes.ts';
import { linearAccuracy } from './linearClassifier.ts';
import { bytesOf } from './rowBytes.ts';

describe('makeShapes', () => {
  it('makes the same images from the same seed, others from another, and others to train than to test', () => {
    const plan = { trainSamples: 20, testSamples: 20, seed: 3 };
    const made = makeShapes(plan);
    expect(makeShapes(plan)).toEqual(made);
    expect(makeShapes({ ...plan, seed: 4 }).train.values).not.toEqual(made.train.values);
    expect(made.test.values).not.toEqual(made.train.values);
  });

  it('begins a larger set with the smaller one', () => {
    const small = makeShapes({ trainSamples: 7, testSamples: 3, seed: 1 });
    const large = makeShapes({ trainSamples: 20, testSamples: 20, seed: 1 });
    const [few, many] = [bytesOf(small.train), bytesOf(large.train)];
    expect(many.slice(0, few.length)).toEqual(few);
    expect(large.test.labels.slice(0, 3)).toEqual(small.test.labels);
  });

  it('has ten classes, each a tenth of the images', () => {
    const { classes, train, sampleShape } = makeShapes({ trainSamples: 100, testSamples: 0, seed: 1 });
    expect(classes).toEqual(figures.map(({ name }) => name));
    expect(new Set(classes).size).toBe(10);
    expect(sampleShape).toEqual([32, 32, 3]);
    const perClass = Array<number>(10).fill(0);
    for (const label of train.labels) perClass[label]!++;
    expect(perClass).toEqual(Array(10).fill(10));
  });

  it('uses all of the range of bytes', () => {
    const { train } = makeShapes({ trainSamples: 50, testSamples: 0, seed: 1 });
    expect(new Set(bytesOf(train)).size).toBe(256);
  });

  it('is beyond a linear model: below 60 % on images not trained on', () => {
    const { train, test } = makeShapes({ trainSamples: 2000, testSamples: 1000, seed: 0 });
    const accuracy = linearAccuracy(train, test, { nClasses: 10, epochs: 5, learningRate: 0.01 });
    expect(accuracy).toBeLessThan(0.6);
  });

  it('would let the linear model show itself: it learns a set that is linear', () => {
    const accuracy = linearAccuracy(brightness(1), brightness(2), { nClasses: 2, epochs: 5, learningRate: 0.01 });
    expect(accuracy).toBeGreaterThan(0.95);
  });
});

/** Dark and bright noise. */
function brightness(seed: number): Rows {
  const { train } = makeShapes({ trainSamples: 200, testSamples: 0, seed });
  const labels = train.labels.map((label) => label % 2);
  const images = bytesOf(train).map((value, index) => value / 2 + 100 * labels[Math.floor(index / 3072)]!);
  return memoryRows(images, labels, 3072);
}
