import { describe, expect, test } from 'vitest';
import { compareColumns, groupRuns } from '../../../webview/compare/compareTable.ts';
import { parallelAxes } from '../../../webview/compare/parallelAxes.ts';
import { comparedRuns } from '../gallery/compareData.ts';
import { sweepCells } from '../gallery/sweepData.ts';

describe('parallel coordinates', () => {
  const { runs } = sweepCells('sweep-done');
  const rows = groupRuns(runs, 'seeds');
  const axes = parallelAxes(rows, compareColumns(runs));

  test('have the settings before the figures, without seeds and without what is the same in all', () => {
    expect(axes.map(({ title }) => title)).toEqual([
      ...['activation', 'loss', 'clean, %', 'AutoAttack standard, %', 'PGD-50-10, %'],
    ]);
  });

  test('have words one a step, the first at the head, and numbers by their size', () => {
    expect(axes[0]!.ticks.map(({ text, place }) => [text, place])).toEqual([
      ['relu', 1],
      ['swish', 0.5],
      ['kaf dictionary 20', 0],
    ]);
    expect(axes[0]!.places).toEqual([1, 0.5, 0]);
    const clean = axes[2]!.places;
    expect([clean[0], clean[2]]).toEqual([0, 1]);
    expect(clean[1]).toBeCloseTo(0.5, 1);
    for (const { ticks } of axes) for (const { place } of ticks) expect(place >= 0 && place <= 1).toBe(true);
  });

  test('have no place for what a row lacks', () => {
    const some = comparedRuns('busy');
    const size = parallelAxes(groupRuns(some, 'run'), compareColumns(some)).find(({ key }) => /size/.test(key));
    expect(size).toBeUndefined();
    const two = some.map((one, index) =>
      index === 8 ? { ...one, settings: { ...one.settings!, 'model.activation.size': 30 } } : one,
    );
    const sizes = parallelAxes(groupRuns(two, 'run'), compareColumns(two)).find(({ key }) => /size/.test(key))!;
    expect(sizes.places).toEqual([NaN, NaN, NaN, NaN, NaN, NaN, 0, 0, 1]);
  });
});
