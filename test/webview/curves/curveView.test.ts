import { describe, expect, test } from 'vitest';
import { defaultCurveView, matches, sliderOf, smoothingOf, withoutChosenY } from '../../../webview/curves/curveView.ts';
import { OuterRanges, quantile, withoutOutliers } from '../../../webview/curves/quantiles.ts';
import { deriveCurves, wholeExtent } from '../../../webview/curves/runCurves.ts';
import { makeSnapshot } from '../gallery/runData.ts';

describe('what is set of curves', () => {
  test('as a filter is a regular expression, and plain text where it is none', () => {
    expect(['vgg-kaf', 'vgg-relu'].map((text) => matches(text, 'KAF|swish'))).toEqual([true, false]);
    expect(matches('a(b', '(b')).toBe(true);
    expect(matches('x', ' ')).toBe(true);
    expect(matches('loss', ' loss ')).toBe(true);
  });

  test('as smoothing goes from none to 0.999 in decades', () => {
    expect([0, 1 / 3, 2 / 3, 1].map(smoothingOf)).toEqual([0, 0.9, 0.99, 0.999]);
    expect([0, 0.9, 0.99, 0.999].map((weight) => Math.round(300 * sliderOf(weight)))).toEqual([0, 100, 200, 300]);
  });

  test('of a card’s y is forgotten with its scale, and nothing else of the card', () => {
    const cards = { loss: { isWide: true, y: { from: -1, to: 1 } } };
    expect(withoutChosenY(cards)).toEqual({ loss: { isWide: true } });
  });
});

test('quantiles lie on straight lines between the values', () => {
  expect([0, 0.25, 0.5, 0.75, 1].map((part) => quantile([1, 2, 4, 8], part))).toEqual([1, 1.75, 3, 5, 8]);
  expect(quantile([], 0.5)).toBeNaN();
});

describe('the range of y without outliers', () => {
  const y = [...Array.from({ length: 100 }, (_, index) => 1 + index / 100), 1e6, Number.NaN, -5];
  const x = y.map((_, index) => index);
  const of = (range: { from: number; to: number } | null, scale: 'linear' | 'log') =>
    withoutOutliers([{ x, y }], { range, scale });

  test('is that of nineteen values in twenty, by the scale', () => {
    const range = of(null, 'linear')!;
    expect(range.to).toBeLessThan(2.2);
    expect(range.from).toBeGreaterThan(0.8);
    expect(of(null, 'log')!.to).toBeLessThan(2.3);
    expect(of(null, 'log')!.from).toBeGreaterThan(0.8);
  });

  test('is found once for the same curves, and again for another part or scale of them', () => {
    const ranges = new OuterRanges();
    const curves = [{ x, y }];
    const whole = ranges.of(curves, { range: null, scale: 'linear' });
    expect(ranges.of(curves, { range: null, scale: 'linear' })).toBe(whole);
    const part = { from: 0, to: 10 };
    expect(ranges.of(curves, { range: part, scale: 'linear' })!.to).toBeLessThan(1.2);
    expect(ranges.of(curves, { range: part, scale: 'log' })).not.toEqual(
      ranges.of([{ x, y }], { range: null, scale: 'log' }),
    );
    expect(ranges.of(curves, { range: null, scale: 'linear' })).toEqual(whole);
  });

  test('is that of what is seen', () => {
    expect(of({ from: 100, to: 100 }, 'linear')!.to).toBeGreaterThan(1e6);
    expect(of({ from: 0, to: 10 }, 'linear')!.to).toBeLessThan(1.2);
    expect(of({ from: 5000, to: 6000 }, 'linear')).toBeNull();
  });
});

describe('all of x', () => {
  const snapshot = makeSnapshot({ steps: 800, status: 'training' });
  const curves = deriveCurves(snapshot, []);
  const extent = (axis: 'step' | 'epoch' | 'relative' | 'wall', xScale: 'linear' | 'log' = 'linear') =>
    wholeExtent(curves, { axis, xScale });

  test('begins at 0, or with the clock at the first step, and ends at the newest', () => {
    expect(extent('step')).toEqual({ from: 0, to: 800 });
    expect(extent('epoch')).toEqual({ from: 0, to: 800 / 391 });
    const [first, last] = [snapshot.steps.timeMs[0]!, snapshot.steps.timeMs.at(-1)!];
    expect(extent('relative')).toEqual({ from: 0, to: last - first });
    expect(extent('wall')).toEqual({ from: first, to: last });
  });

  test('has no 0 on a logarithmic axis', () => {
    expect(extent('step', 'log').from).toBe(1);
    expect(extent('relative', 'log').from).toBeGreaterThan(0);
  });

  test('of a run without a step is one', () => {
    const none = deriveCurves(makeSnapshot({ steps: 0, status: 'queued' }), []);
    expect(wholeExtent(none, defaultCurveView)).toEqual({ from: 0, to: 1 });
  });
});
