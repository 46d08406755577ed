// Made-up data sets for pictures: ten figures of colour, and a table.
import type { ClassPictures, ColumnPart, DatasetLook } from '../../../server/protocol/datasetLook.ts';

const side = 32;

export function makePicturesLook(): DatasetLook {
  const names = [
    'disk',
    'ring',
    'square',
    'frame',
    'triangle',
    'cross',
    'star',
    'bars',
    'checker',
    'none of these at all',
  ];
  return {
    title: 'A folder of pictures',
    places: ['/home/ada/pictures/of-many-things/training', '/home/ada/pictures/of-many-things/test'],
    sampleShape: [side, side, 3],
    splits: [
      { name: 'train', nSamples: 48_000, nLooked: 20_000 },
      { name: 'validation', nSamples: 2000, nLooked: 2000 },
      { name: 'test', nSamples: 10_000, nLooked: 10_000 },
    ],
    nClasses: 112,
    classes: names.map((name, index) => ({ name, counts: index === 9 ? [0, 1, 0] : [2000 + 7 * index, 200, 1000] })),
    pictures: {
      ...{ height: side, width: side, channels: 3, shrink: 1 },
      figures: [0.49, 0.47, 0.44].map((mean) => ({ mean, std: 0.25 })),
      classes: names.map((_, index) => pictures(index, index === 9 ? 0 : index === 8 ? 3 : 8)),
    },
    table: null,
  };
}

function pictures(index: number, nSamples: number): ClassPictures {
  const size = side * side * 3;
  const samples = Uint8Array.from({ length: nSamples * size }, (_, at) => {
    const pixel = Math.floor((at % size) / 3);
    const wave = Math.sin(((pixel % side) * (index + 1)) / 9) + Math.cos((pixel / side) * 0.3 + Math.floor(at / size));
    return 128 + 60 * wave * (1 - 0.4 * (at % 3));
  });
  const isNone = nSamples === 0;
  return {
    figures: isNone ? { mean: Number.NaN, std: Number.NaN } : { mean: 0.41 + index / 100, std: 0.213 },
    nSamples,
    samples,
    mean: samples.slice(0, isNone ? 0 : size),
    deviation: samples.slice(0, isNone ? 0 : size).map((value) => value / 3),
  };
}

export function makeTableLook(): DatasetLook {
  const names = ['adult', 'child', 'a class with a rather long name'];
  const column = (name: string, scale: number) => ({
    name,
    least: -3 * scale,
    most: 4 * scale,
    all: part(scale, 12),
    classes: names.map((_, index) => part(scale, 5 + 7 * index)),
  });
  return {
    title: 'A table',
    places: ['/home/ada/people.csv'],
    sampleShape: [60],
    splits: [
      { name: 'train', nSamples: 4211, nLooked: 4211 },
      { name: 'test', nSamples: 1404, nLooked: 1404 },
    ],
    nClasses: 3,
    classes: names.map((name, index) => ({ name, counts: [1400 + index, 468 - index] })),
    pictures: null,
    table: {
      nColumns: 60,
      columns: ['age', 'height', 'income', 'distance to the next railway station', 'x4', 'x5', 'x6'].map(
        (name, index) => column(name, 10 ** (index - 3)),
      ),
    },
  };
}

function part(scale: number, centre: number): ColumnPart {
  const bins = Array.from({ length: 24 }, (_, at) => Math.round(300 * Math.exp(-((at - centre) ** 2) / 18)));
  return { mean: (scale * (centre - 10)) / 3, std: scale / 1.7, bins };
}
