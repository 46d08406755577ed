import { describe, expect, it } from 'vitest';
import {
  hasExploded,
  smoothedLoss,
  suggestedEnds,
  suggestRates,
  usualSweep,
  type SweepPoint,
} from '../../server/protocol/learningRates.ts';

/** Of these smoothed losses, at rates a factor apart, which is 10 where none is given. */
function pointsOf(smoothed: readonly number[], factors: Readonly<Record<number, number>> = {}): SweepPoint[] {
  let learningRate = 1e-6;
  return smoothed.map((loss, index) => {
    if (index > 0) learningRate *= factors[index] ?? 10;
    return { step: index + 1, learningRate, loss, smoothed: loss };
  });
}

/** At which point each suggestion lies, by its order. */
function placesIn(points: readonly SweepPoint[]): [string, number][] {
  const placeOf = (rate: number) => points.findIndex(({ learningRate }) => learningRate === rate);
  return suggestRates(points).map(({ name, learningRate }) => [name, placeOf(learningRate)]);
}

describe('the smoothed loss', () => {
  it('is an exponential average at 0.9, corrected for its beginning', () => {
    expect(smoothedLoss([2])).toBeCloseTo(2, 12);
    expect(smoothedLoss([1, 2])).toBeCloseTo((0.9 * 0.1 + 0.1 * 2) / 0.19, 12);
    expect(smoothedLoss([1, 2, 4])).toBeCloseTo((0.81 * 0.1 + 0.09 * 2 + 0.1 * 4) / (1 - 0.729), 12);
  });
});

describe('a sweep', () => {
  it('has 100 steps from 1e-6 to 1 where nothing else is asked for', () => {
    expect(usualSweep).toEqual({ from: 1e-6, to: 1, steps: 100 });
  });

  it('has exploded where a loss is not finite, or beyond four times its least after more than five points', () => {
    expect(hasExploded([])).toBe(true);
    expect(hasExploded(pointsOf([1, Infinity]))).toBe(true);
    expect(hasExploded(pointsOf([1, 1, 1, 1, 9]))).toBe(false);
    expect(hasExploded(pointsOf([3, 3, 2, 3, 3, 8]))).toBe(false);
    expect(hasExploded(pointsOf([3, 3, 2, 3, 3, 8.001]))).toBe(true);
  });
});

describe('rates that a sweep suggests', () => {
  it('are where a tenth of the fall is over, two thirds down its longest stretch, and the steepest by the logarithm', () => {
    // Point 5 falls the most, over three decades; what is not finite, or behind the least, says nothing.
    expect(placesIn(pointsOf([10, 10.1, 10, 9.5, 7, 3, 1, 2, NaN], { 5: 1000 }))).toEqual([
      ['plateau-end', 4],
      ['valley', 4],
      ['steepest', 4],
    ]);
    expect(placesIn(pointsOf([10, 9, 8, 7, 1]))).toEqual([
      ['plateau-end', 1],
      ['valley', 3],
      ['steepest', 4],
    ]);
  });

  it('are in the order of their rates', () => {
    expect(placesIn(pointsOf([10, 8, 7.5, 7, 6.9, 6.8, 6.7, 6.6]))).toEqual([
      ['plateau-end', 1],
      ['steepest', 1],
      ['valley', 5],
    ]);
    expect(placesIn(pointsOf([10, 10.2, 9.9, 9.8, 9.7, 9.6, 9.5, 5, 10]))).toEqual([
      ['valley', 5],
      ['plateau-end', 6],
      ['steepest', 7],
    ]);
  });

  it('take of equal stretches, slopes and losses the first', () => {
    expect(placesIn(pointsOf([10, 8, 6, 9, 7, 5]))).toEqual([
      ['plateau-end', 1],
      ['valley', 1],
      ['steepest', 1],
    ]);
    expect(placesIn(pointsOf([10, 9, 1, 1, 1]))).toEqual([
      ['plateau-end', 1],
      ['valley', 1],
      ['steepest', 2],
    ]);
    // The second of two stretches is the longer one.
    expect(placesIn(pointsOf([10, 11, 9, 8, 12, 7, 6, 5]))).toContainEqual(['valley', 6]);
    expect(placesIn(pointsOf([10, 11, 9, 12, 5]))).toContainEqual(['valley', 2]);
    // Just less than a tenth of the fall is over at point 1.
    expect(placesIn(pointsOf([0.1, 0.0905, 0.05, 0]))).toContainEqual(['plateau-end', 2]);
    // A stretch on which nothing changes is no fall.
    expect(placesIn(pointsOf([10, 9, 9, 9, 9, 8, 7]))).toContainEqual(['valley', 5]);
  });

  it('are none where the loss did not fall, or at its second point at the latest', () => {
    expect(suggestRates([])).toEqual([]);
    expect(suggestRates(pointsOf([1, 2, 3]))).toEqual([]);
    expect(suggestRates(pointsOf([2, 1, 3]))).toEqual([]);
    expect(suggestRates(pointsOf([1, 1, 1, 1]))).toEqual([]);
    expect(suggestRates(pointsOf([3, 2, 1]))).toHaveLength(3);
  });
});

describe('the ends of a schedule', () => {
  const at = (name: 'plateau-end' | 'valley' | 'steepest', learningRate: number) => ({
    name,
    learningRate,
    reason: '',
  });

  it('are from where the loss begins to fall to the larger of the two others, in two digits', () => {
    expect(suggestedEnds([at('plateau-end', 0.001234), at('valley', 0.0127), at('steepest', 0.0563)])).toEqual({
      min: 0.0012,
      max: 0.056,
    });
    expect(suggestedEnds([at('plateau-end', 0.01), at('valley', 0.01)])).toEqual({ min: 0.01, max: 0.01 });
  });

  it('are none where the others are below, or without suggestions', () => {
    expect(suggestedEnds([])).toBeNull();
    expect(suggestedEnds([at('valley', 0.1)])).toBeNull();
    expect(suggestedEnds([at('plateau-end', 0.1)])).toBeNull();
    expect(suggestedEnds([at('plateau-end', 0.1), at('valley', 0.05)])).toBeNull();
  });
});
