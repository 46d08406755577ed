import { describe, expect, test } from 'vitest';
import type { RunSeries } from '../../../server/protocol/series.ts';
import { answeredTags, cardName, compareCard, comparedTags } from '../../../webview/compare/compareCards.ts';
import { groupRuns } from '../../../webview/compare/compareTable.ts';
import { defaultCompareView, groupingOf, keptView, type CompareView } from '../../../webview/compare/compareView.ts';
import { groupCurve } from '../../../webview/compare/runGroups.ts';
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

function cards(change: Partial<CompareView> = {}, tags: readonly string[] | null = comparedTags) {
  const view = { ...defaultCompareView, ...change };
  const options = {
    ...{ view, series, rows: groupRuns(runs, groupingOf(view)) },
    startMs: new Map(runs.map(({ run }, index) => [run.id, 5000 * index + 1000])),
    colorOf: (key: string) => `color of ${key}`,
  };
  return (tags ?? answeredTags(series)).flatMap((tag) => compareCard(tag, options) ?? []);
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

test('have names for people', () => {
  expect(comparedTags.map(cardName).filter((name) => /[a-z][A-Z]|\//.test(name))).toEqual([]);
  expect(new Set(comparedTags.map(cardName)).size).toBe(comparedTags.length);
});

test('of norms are called by their layer, and there is one for each that a run has', () => {
  expect(['gradients/conv1/*', 'update/block1.conv2/*', 'weights/dense1.kernel', 'loss'].map(cardName)).toEqual([
    ...['conv1', 'block1.conv2', 'dense1.kernel', 'loss'],
  ]);
  expect(cards({}, null).map(({ tag }) => tag)).toEqual(['loss']);
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
});

describe('what was set', () => {
  test('is laid over the defaults, and what is of another kind is left out', () => {
    expect(
      keptView({ view: { smoothing: 'much', tab: 'table', grouping: null, unknown: 1 }, isOwnView: true }),
    ).toMatchObject({
      ...{ smoothing: 0.9, tab: 'table', grouping: 'run' },
    });
    expect(keptView({ view: null, isOwnView: true })).toBe(defaultCompareView);
  });

  test('of one set says of another what does not depend on its runs', () => {
    const zoom = { from: 1, to: 2 };
    const view = {
      ...defaultCompareView,
      hidden: ['a'],
      zoom,
      filter: 'x',
      axis: 'epoch',
      cards: { loss: { y: zoom } },
    };
    expect(keptView({ view, isOwnView: true })).toEqual(view);
    expect(keptView({ view, isOwnView: false })).toEqual({ ...defaultCompareView, axis: 'epoch', cards: { loss: {} } });
  });
});
