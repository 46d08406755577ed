// What there is to see of a data set, against plain loops over its samples.
import { describe, expect, it } from 'vitest';
import { nBins } from '../../server/data/columnLook.ts';
import { datasetHere } from '../../server/data/dataset.ts';
import { lookAtDataset, maxLooked } from '../../server/data/datasetLook.ts';
import { memoryRows } from '../../server/data/rows.ts';
import { makeShapes } from '../../server/data/shapes.ts';
import type { Dataset, Samples, Split } from '../../server/data/split.ts';

const look = (dataset: Dataset, signal = new AbortController().signal, told: string[] = []) =>
  lookAtDataset(dataset, {
    signal,
    onProgress: (what, done, total) => told.push(`${what} ${String(done)} of ${String(total)}`),
  });

const readAll = (split: Split): Promise<Samples> =>
  split.read(Uint32Array.from({ length: split.nSamples }, (_, i) => i));

function momentsOf(values: readonly number[]) {
  let mean = 0;
  for (const value of values) mean += value / values.length;
  let square = 0;
  for (const value of values) square += (value - mean) ** 2 / values.length;
  return { mean, std: Math.sqrt(square) };
}

function expectMoments(got: { mean: number; std: number }, values: readonly number[]): void {
  const { mean, std } = momentsOf(values);
  // Sums in float64: of values of this size the difference is rounding alone.
  expect(got.mean).toBeCloseTo(mean, 9);
  expect(got.std).toBeCloseTo(std, 9);
}

const noise = (index: number): number => ((index * 7919) % 1009) / 1009;

/** Rows of pseudo-random values, their labels in turn. */
function datasetOf(
  sampleShape: readonly number[],
  { nTrain, nClasses, value = noise }: { nTrain: number; nClasses: number; value?: (index: number) => number },
): Dataset {
  const size = sampleShape.reduce((a, b) => a * b, 1);
  const rows = (n: number, shift: number) =>
    memoryRows(
      Float32Array.from({ length: n * size }, (_, i) => value(i + shift)),
      Uint16Array.from({ length: n }, (_, i) => i % nClasses),
      size,
    );
  return datasetHere(
    { name: 'arrays', validationSamples: 3 },
    {
      classes: Array.from({ length: nClasses }, (_, i) => `class ${String(i)}`),
      ...{ sampleShape, isTable: sampleShape.length === 1 },
      ...{ train: rows(nTrain, 0), test: rows(5, 13) },
      columnNames: ['first'],
    },
  );
}

describe('a look at pictures', () => {
  it('counts each class in each split', async () => {
    const { splits, classes, nClasses, table } = await look(datasetOf([2, 2, 3], { nTrain: 20, nClasses: 4 }));
    expect(splits).toEqual([
      { name: 'train', nSamples: 17, nLooked: 17 },
      { name: 'validation', nSamples: 3, nLooked: 3 },
      { name: 'test', nSamples: 5, nLooked: 5 },
    ]);
    expect(nClasses).toBe(4);
    expect(classes).toEqual([
      { name: 'class 0', counts: [5, 0, 2] },
      { name: 'class 1', counts: [4, 1, 1] },
      { name: 'class 2', counts: [4, 1, 1] },
      { name: 'class 3', counts: [4, 1, 1] },
    ]);
    expect(table).toBeNull();
  });

  it('has samples, mean and deviation of each class, and of each channel', async () => {
    const dataset = datasetHere({ name: 'shapes' }, makeShapes({ seed: 3, trainSamples: 300, testSamples: 10 }));
    const { pictures, classes } = await look(dataset);
    const { values, labels } = await readAll(dataset.train);
    const size = 32 * 32 * 3;
    for (let channel = 0; channel < 3; channel++)
      expectMoments(
        pictures!.figures[channel]!,
        [...values].filter((_, i) => i % 3 === channel),
      );
    for (const [index, { figures, nSamples, samples, mean, deviation }] of pictures!.classes.entries()) {
      const own = [...labels.keys()].filter((row) => labels[row] === index);
      const pictureOf = (row: number) => [...values.subarray(row * size, (row + 1) * size)];
      expect(classes[index]!.counts[0]).toBe(own.length);
      expectMoments(figures, own.flatMap(pictureOf));
      expect(nSamples).toBe(8);
      expect([...samples]).toEqual(
        own
          .slice(0, 8)
          .flatMap(pictureOf)
          .map((value) => Math.round(value * 255)),
      );
      for (const at of [0, 1000, size - 1]) {
        const pixel = momentsOf(own.map((row) => values[row * size + at]!));
        expect(Math.abs(mean[at]! - 255 * pixel.mean)).toBeLessThanOrEqual(0.501);
        expect(Math.abs(deviation[at]! - 510 * pixel.std)).toBeLessThanOrEqual(0.501);
      }
    }
  });

  it('draws large ones smaller, by the mean of what each pixel covers, and the first three of more channels', async () => {
    const [height, width, depth] = [70, 65, 4];
    const dataset = datasetOf([height, width, depth], { nTrain: 4, nClasses: 1 });
    const { pictures } = await look(dataset);
    expect(pictures).toMatchObject({ height: 35, width: 33, channels: 3, shrink: 2 });
    const { values } = await readAll(dataset.train);
    const at = (y: number, x: number, channel: number) => values[(y * width + x) * depth + channel]!;
    const drawn = (y: number, x: number, channel: number) => pictures!.classes[0]!.samples[(y * 33 + x) * 3 + channel]!;
    const inside = (at(68, 10, 2) + at(68, 11, 2) + at(69, 10, 2) + at(69, 11, 2)) / 4;
    expect(drawn(34, 5, 2)).toBe(Math.round(255 * inside));
    expect(drawn(3, 32, 1)).toBe(Math.round((255 * (at(6, 64, 1) + at(7, 64, 1))) / 2));
  });

  it('draws one channel of two, and says what a class without samples has', async () => {
    const { pictures } = await look(datasetOf([1, 2, 2], { nTrain: 4, nClasses: 2, value: (i) => i / 10 }));
    expect(pictures).toMatchObject({ channels: 1, width: 2 });
    expect([...pictures!.classes[0]!.samples]).toEqual([0, 51]);
    expect(pictures!.classes[1]).toMatchObject({ nSamples: 0, samples: new Uint8Array(), mean: new Uint8Array() });
  });

  it('has no deviation where every value is the same', async () => {
    const { pictures } = await look(datasetOf([3, 3, 1], { nTrain: 50, nClasses: 1, value: () => 90 / 255 }));
    const same = { mean: Math.fround(90 / 255), std: 0 };
    expect([...pictures!.figures, pictures!.classes[0]!.figures]).toEqual([same, same]);
  });

  it('shows no more than a hundred classes', async () => {
    const { nClasses, classes, pictures } = await look(datasetOf([1, 1, 1], { nTrain: 250, nClasses: 120 }));
    expect([nClasses, classes.length, pictures!.classes.length]).toEqual([120, 100, 100]);
  });
});

describe('a look at a table', () => {
  it('has mean, deviation and histogram of each column, overall and by class', async () => {
    // A deviation that is small beside the mean.
    const dataset = datasetOf([3], { nTrain: 403, nClasses: 2, value: (i) => 1000 + noise(i) });
    const { table, pictures } = await look(dataset);
    expect(pictures).toBeNull();
    expect(table!.columns.map(({ name }) => name)).toEqual(['first', 'column 2', 'column 3']);
    const { values, labels } = await readAll(dataset.train);
    for (const [index, { all, classes, least, most }] of table!.columns.entries()) {
      const column = [...labels.keys()].map((row) => values[row * 3 + index]!);
      expect([least, most]).toEqual([Math.min(...column), Math.max(...column)]);
      const parts = [column, ...[0, 1].map((label) => column.filter((_, row) => labels[row] === label))];
      for (const [at, part] of [all, ...classes].entries()) {
        expectMoments(part, parts[at]!);
        const bins = new Array<number>(nBins).fill(0);
        for (const value of parts[at]!) {
          for (let bin = 0; bin < nBins; bin++) {
            const from = bin / nBins;
            const where = (value - least) / (most - least);
            if (where >= from && (where < (bin + 1) / nBins || bin === nBins - 1)) bins[bin]!++;
          }
        }
        expect(part.bins).toEqual(bins);
      }
    }
  });

  it('leaves what is not finite out of the histogram, not out of the mean', async () => {
    const value = (i: number) => (i === 4 ? Infinity : i % 3);
    const { table } = await look(datasetOf([1], { nTrain: 10, nClasses: 1, value }));
    const { all, least, most } = table!.columns[0]!;
    expect([least, most, all.mean]).toEqual([0, 2, Infinity]);
    expect(all.bins.reduce((a, b) => a + b)).toBe(6);
  });

  it('puts a column that never changes into one part', async () => {
    const { table } = await look(datasetOf([1], { nTrain: 10, nClasses: 1, value: () => 5 }));
    expect(table!.columns[0]).toMatchObject({ least: 5, most: 5, all: { mean: 5, std: 0 } });
    expect(table!.columns[0]!.all.bins).toEqual([7, ...new Array<number>(nBins - 1).fill(0)]);
  });

  it('shows no more than 48 columns and 8 classes', async () => {
    const { table, classes } = await look(datasetOf([50], { nTrain: 30, nClasses: 9 }));
    expect([table!.nColumns, table!.columns.length, classes.length]).toEqual([50, 48, 8]);
    expect(table!.columns[47]!.classes.length).toBe(8);
  });
});

describe('a look at many samples', () => {
  it('takes 20,000 of a split, evenly spread, and tells how far it is', async () => {
    const nTrain = 2 * maxLooked + 3;
    const told: string[] = [];
    const { splits, table } = await look(datasetOf([1], { nTrain, nClasses: 2, value: (i) => i }), undefined, told);
    expect(splits[0]).toEqual({ name: 'train', nSamples: 40_000, nLooked: 20_000 });
    expect(table!.columns[0]).toMatchObject({ least: 0, most: 39_998, all: { mean: 19_999 } });
    expect(told).toContain('looking at the training samples 1024 of 20000');
    expect(told.at(-1)).toBe('looking at the test samples 0 of 5');
  });

  it('ends with the reason of its signal', async () => {
    const abort = new AbortController();
    abort.abort(new Error('not wanted any more'));
    await expect(look(datasetOf([1], { nTrain: 10, nClasses: 1 }), abort.signal)).rejects.toThrow(
      'not wanted any more',
    );
  });
});
