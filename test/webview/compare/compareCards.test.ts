import { describe, expect, test } from 'vitest';
import type { RunSeries } from '../../../server/protocol/series.ts';
import { compareCard, comparedTags } from '../../../webview/compare/compareCards.ts';
import { groupRuns } from '../../../webview/compare/compareTable.ts';
import { smoothingOf, sliderOf } from '../../../webview/compare/smoothingScale.ts';
import {
  defaultCompareView,
  groupingOf,
  keptView,
  matches,
  type CompareView,
} from '../../../webview/compare/compareView.ts';
import { groupCurve, quantile, withoutOutliers } from '../../../webview/compare/runGroups.ts';
import { comparedRuns } from '../gallery/compareData.ts';

const runs = comparedRuns('plain').slice(0, 3);

/** Losses at steps 1 … n; the moment of a step is 1000 × it later than 5000 × the run's place. */
function seriesOf(runId: string, losses: readonly number[], place: number): RunSeries {
  const step = Float64Array.from(losses, (_, index) => index + 1);
  const ms = step.map((each) => 5000 * place + 1000 * each);
  const series = [{ tag: 'loss', first: Float64Array.from(losses), marks: new Uint8Array(losses.length) }];
  const table = { rowsPerBucket: 1, firstRow: 0, firstStep: step, lastStep: step, firstMs: ms, lastMs: ms, series };
  return { runId, cursor: 9, failure: null, tables: [table] };
}

const losses = [
  [3, 2, 1],
  [5, 4, Number.NaN, 2],
  [4, 3, 2],
];
const series = new Map(runs.map(({ run }, index) => [run.id, seriesOf(run.id, losses[index]!, index)] as const));

function cards(change: Partial<CompareView> = {}) {
  const view = { ...defaultCompareView, ...change };
  const options = {
    ...{ view, series, rows: groupRuns(runs, groupingOf(view)) },
    startMs: new Map(runs.map(({ run }, index) => [run.id, 5000 * index + 1000])),
    colorOf: (key: string) => `color of ${key}`,
  };
  return comparedTags.flatMap((tag) => compareCard(tag, options) ?? []);
}

describe('cards of several runs', () => {
  test('have a curve a run, in its colour, and say its name with its value', () => {
    const [card, ...others] = cards();
    expect(others).toEqual([]);
    expect(card!.tag).toBe('loss');
    expect(card!.curves.map(({ color }) => color)).toEqual(runs.map(({ run }) => `color of ${run.id}`));
    expect(card!.read(null).map(({ name, text }) => [name, text])).toEqual([
      ['vgg-relu · seed 0', '1.000'],
      ['vgg-relu · seed 1', '2.000'],
      ['vgg-relu · seed 2', '2.000'],
    ]);
    expect(card!.read(4).map(({ text }) => text)).toEqual(['NaN', '2.000', 'NaN']);
    expect(card!.read(2.5).map(({ text }) => text)).toEqual(['2.000', '4.000', '3.000']);
  });

  test('have a curve a group with its band over common steps, and mark what of a run is not finite', () => {
    const [card] = cards({ grouping: 'seeds' });
    const [group, ...marks] = card!.curves;
    expect(group).toMatchObject({ name: 'vgg-relu (3)', x: [1, 2, 3], y: [4, 3, 1.5] });
    expect(group!.band).toMatchObject({ low: [3, 2, 1.5 - Math.SQRT1_2], high: [5, 4, 1.5 + Math.SQRT1_2] });
    expect(marks.map(({ x, hasNoLine }) => [[...(x as number[])], hasNoLine])).toEqual([
      [[], true],
      [[3], true],
      [[], true],
    ]);
    expect(cards({ grouping: 'seeds', band: 'quantile' })[0]!.curves[0]!.band).toEqual({
      ...{ low: [3.5, 2.5, 1.25], high: [4.5, 3.5, 1.75] },
    });
  });

  test('are placed by step, by epoch, by the clock, or by the time since each run began', () => {
    const x = (axis: CompareView['axis']) => cards({ axis })[0]!.curves.map((curve) => curve.x[1]);
    const perEpoch = runs[0]!.run.steps / runs[0]!.run.epochs;
    expect(x('step')).toEqual([2, 2, 2]);
    expect(x('epoch')).toEqual([2 / perEpoch, 2 / perEpoch, 2 / perEpoch]);
    expect(x('wall')).toEqual([2000, 7000, 12_000]);
    expect(x('relative')).toEqual([1000, 1000, 1000]);
  });
});

describe('a group', () => {
  test('of curves with several points at one x counts the first of each, and of none has no point', () => {
    expect(
      groupCurve(
        [
          { x: [1, 1, 2], y: [1, 9, 3] },
          { x: [1, 2], y: [3, 5] },
        ],
        'std',
      ).middle,
    ).toEqual([2, 4]);
    expect(groupCurve([], 'std').x).toEqual([]);
    const none = groupCurve([{ x: [1], y: [Number.NaN] }], 'std');
    expect([none.x, none.middle]).toEqual([[1], [Number.NaN]]);
  });

  test('quantiles lie on straight lines between the values', () => {
    expect([0, 0.25, 0.5, 0.75, 1].map((part) => quantile([1, 2, 4, 8], part))).toEqual([1, 1.75, 3, 5, 8]);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

test('outliers do not decide the range of y', () => {
  const y = [...Array.from({ length: 100 }, (_, index) => index / 100), 1e6, Number.NaN];
  const range = withoutOutliers([{ x: y, y }])!;
  expect(range.to).toBeLessThan(1.2);
  expect(range.from).toBeLessThan(0.03);
  expect(withoutOutliers([])).toBeNull();
});

describe('what was set', () => {
  test('is laid over the defaults, and what is of another kind is left out', () => {
    expect(keptView({ smoothing: 'much', tab: 'table', baseline: 5, unknown: 1 })).toMatchObject({
      ...{ smoothing: 0.9, tab: 'table', baseline: null },
    });
    expect(keptView(null)).toBe(defaultCompareView);
  });

  test('as a filter is a regular expression, and plain text where it is none', () => {
    expect(['vgg-kaf', 'vgg-relu'].map((text) => matches(text, 'KAF|swish'))).toEqual([true, false]);
    expect(matches('a(b', '(b')).toBe(true);
    expect(matches('x', ' ')).toBe(true);
  });

  test('as smoothing goes from none to 0.999 in decades', () => {
    expect([0, 1 / 3, 2 / 3, 1].map(smoothingOf)).toEqual([0, 0.9, 0.99, 0.999]);
    expect([0, 0.9, 0.99, 0.999].map((weight) => Math.round(300 * sliderOf(weight)))).toEqual([0, 100, 200, 300]);
  });
});
