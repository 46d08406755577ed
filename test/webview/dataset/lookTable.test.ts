import { expect, test } from 'vitest';
import type { DatasetLook } from '../../../server/protocol/datasetLook.ts';
import { lookTable } from '../../../webview/dataset/lookTable.ts';

const look: DatasetLook = {
  ...{ title: 'A table', places: [], sampleShape: [1], nClasses: 2, pictures: null, table: null },
  splits: [
    { name: 'train', nSamples: 5, nLooked: 5 },
    { name: 'test', nSamples: 3, nLooked: 3 },
  ],
  classes: [
    { name: 'a', counts: [2, 1] },
    { name: 'b', counts: [3, 2] },
  ],
};

test('of pictures the counts of each class with its mean and deviation', () => {
  const figures = [
    { mean: 0.5, std: 0.1 },
    { mean: NaN, std: NaN },
  ];
  const none = { nSamples: 0, samples: new Uint8Array(), mean: new Uint8Array(), deviation: new Uint8Array() };
  const pictures = {
    ...{ height: 1, width: 1, channels: 1 as const, shrink: 1, figures: [] },
    classes: figures.map((each) => ({ ...none, figures: each })),
  };
  expect(lookTable({ ...look, pictures })).toEqual({
    columns: ['class', 'train', 'test', 'mean', 'deviation'],
    rows: [
      ['a', 2, 1, 0.5, 0.1],
      ['b', 3, 2, NaN, NaN],
    ],
  });
});

test('of a table every bin of every column, of all and of each class', () => {
  const part = (mean: number, bins: number[]) => ({ mean, std: 1, bins });
  const column = {
    ...{ name: 'x', least: 0, most: 4, all: part(2, [2, 3]) },
    classes: [part(1, [2, 0]), part(3, [0, 3])],
  };
  const { rows } = lookTable({ ...look, table: { nColumns: 1, columns: [column] } });
  expect(rows).toEqual([
    ['x', 'all', 2, 1, 0, 2, 2],
    ['x', 'all', 2, 1, 2, 4, 3],
    ['x', 'a', 1, 1, 0, 2, 2],
    ['x', 'a', 1, 1, 2, 4, 0],
    ['x', 'b', 3, 1, 0, 2, 0],
    ['x', 'b', 3, 1, 2, 4, 3],
  ]);
});
