// What series are made of, and their values, against values counted by hand: of a row at once, and of its columns.
import { describe, expect, it } from 'vitest';
import { normTags, stepTags, testRowTags, updateTags, type SeriesTags } from '../../../server/run/series/seriesTags.ts';

const parameters = ['block.conv.kernel', 'block.conv.bias', 'block.scale.gamma', 'dense.kernel'].map((name) => ({
  ...{ name, layer: name.slice(0, name.lastIndexOf('.')), shape: [2] },
}));

/** Norms of weights before those of gradients, of two rows. One is negative: what a log says of a tensor stays as it is. */
const norms = [
  [3, 4, 12, -8, 8, 6, 24, 2],
  [6, 8, 24, 5, 20, 0, 15, 1],
];

/** By its name, what it is made of and what it is in both rows. */
const expectedNorms: [string, number[], number, number][] = [
  ['gradientNorm', [8], 31, 77],
  ['weights/block.conv.kernel', [0], 3, 6],
  ['gradients/block.conv.kernel', [4], 8, 20],
  ['ratio/block.conv.kernel', [0, 4], 8 / 3, 20 / 6],
  ['weights/block.conv.bias', [1], 4, 8],
  ['gradients/block.conv.bias', [5], 6, 0],
  ['ratio/block.conv.bias', [1, 5], 1.5, 0],
  ['weights/block.scale.gamma', [2], 12, 24],
  ['gradients/block.scale.gamma', [6], 24, 15],
  ['ratio/block.scale.gamma', [2, 6], 2, 0.625],
  ['weights/dense.kernel', [3], -8, 5],
  ['gradients/dense.kernel', [7], 2, 1],
  ['ratio/dense.kernel', [3, 7], -0.25, 0.2],
  ['weights/block.conv/*', [0, 1], 5, 10],
  ['gradients/block.conv/*', [4, 5], 10, 20],
  ['ratio/block.conv/*', [0, 1, 4, 5], 2, 2],
  ['weights/block/**', [0, 1, 2], 13, 26],
  ['gradients/block/**', [4, 5, 6], 26, 25],
  ['ratio/block/**', [0, 1, 2, 4, 5, 6], 2, 25 / 26],
];

const expectedUpdates: [string, number[], number, number][] = expectedNorms
  .filter(([name]) => name.startsWith('ratio/'))
  .map(([name, columns, ...values]) => [name.replace('ratio', 'update'), columns, ...values]);

function derived(tags: SeriesTags, row: readonly number[]): number[] {
  const series = new Float64Array(tags.nSeries);
  tags.derive(row, series);
  return [...series];
}

function check(
  tags: SeriesTags,
  rows: readonly number[][],
  expected: readonly [string, number[], number, number][],
): void {
  expect(tags.names).toEqual(expected.map(([name]) => name));
  expect([tags.nSeries, tags.nColumns]).toEqual([expected.length, rows[0]!.length]);
  rows.forEach((row, at) => {
    expect(derived(tags, row)).toEqual(expected.map((each) => Math.fround(each[2 + at] as number)));
  });
  expected.forEach(([, columns, ...values], series) => {
    expect(tags.columnsOf(series)).toEqual(columns);
    const stored = columns.map((column) => rows.map((row) => row[column]!));
    expect([...tags.valuesOf(series, stored)]).toEqual(values.map(Math.fround));
  });
}

describe('series', () => {
  it('of norms are those of tensors, layers, blocks and all gradients, and how large gradients are beside weights', () => {
    check(
      normTags(parameters),
      [
        [...norms[0]!, 31],
        [...norms[1]!, 77],
      ],
      expectedNorms,
    );
  });

  it('of updates are how large they are beside what they move', () => {
    check(updateTags(parameters), norms, expectedUpdates);
  });

  it('that are stored as they are keep every digit', () => {
    for (const tags of [stepTags, testRowTags]) {
      const row = tags.names.map((_, index) => index + 0.1);
      expect([tags.nSeries, tags.nColumns]).toEqual([row.length, row.length]);
      expect(derived(tags, row)).toEqual(row);
      row.forEach((value, series) => {
        expect(tags.columnsOf(series)).toEqual([series]);
        expect([...tags.valuesOf(series, [[value, 7]])]).toEqual([value, 7]);
      });
    }
  });
});
