// The table of data sets against what their authors publish of them.
import { describe, expect, it } from 'vitest';
import { datasetDeclaration, datasetNames, downloadable, type DatasetName } from '../../server/protocol/datasets.ts';

describe('a published data set', () => {
  it.each<[DatasetName, string, readonly number[], number, number | null, number | null]>([
    ['shapes', 'shapes', [32, 32, 3], 10, 200_000, 100_000],
    ['cifar10', 'cifar', [32, 32, 3], 10, 50_000, 10_000],
    ['cifar100', 'cifar', [32, 32, 3], 100, 50_000, 10_000],
    ['mnist', 'idx', [28, 28, 1], 10, 60_000, 10_000],
    ['fashion-mnist', 'idx', [28, 28, 1], 10, 60_000, 10_000],
    ['sensorless', 'publishedTable', [48], 11, null, null],
    ['susy', 'publishedTable', [18], 2, null, null],
  ])('%s has the shape, the classes and the samples of its authors', (name, reader, shape, nClasses, train, test) => {
    const { ends, samples, ...declaration } = datasetDeclaration(name);
    expect([declaration.reader, ends!.sampleShape, ends!.classes.length]).toEqual([reader, shape, nClasses]);
    expect(new Set(ends!.classes).size).toBe(nClasses);
    expect([samples?.train ?? null, samples?.test ?? null]).toEqual([train, test]);
  });

  it('that is made here has as many samples as asked for, by default 10,000 and 2,000', () => {
    expect(datasetDeclaration('shapes').samples).toMatchObject({ trainByDefault: 10_000, testByDefault: 2000 });
  });

  it('is fetched in its form, with a checksum where one is published, and never in more bytes than it may have', () => {
    const files = downloadable().flatMap((name) =>
      datasetDeclaration(name).download!.files.map(({ checksum, unpack, maxBytes, ...file }) => [
        ...[name, file.name, checksum?.algorithm ?? null, checksum?.hex.length ?? null],
        ...[unpack?.form ?? null, maxBytes, unpack?.maxBytes ?? null],
      ]),
    );
    const idx = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
    const ofIdx = (name: string) => idx.map((file) => [name, `${file}-ubyte.gz`, 'md5', 32, null, 40_000_000, null]);
    expect(files).toEqual([
      ['cifar10', 'cifar-10-binary.tar.gz', 'md5', 32, 'tar.gz', 180_000_000, 200_000_000],
      ['cifar100', 'cifar-100-binary.tar.gz', 'md5', 32, 'tar.gz', 180_000_000, 200_000_000],
      ...ofIdx('mnist'),
      ...ofIdx('fashion-mnist'),
      ['sensorless', 'sensorless.zip', null, null, 'zip', 30_000_000, 60_000_000],
      ['susy', 'SUSY.csv.gz', null, null, null, 1_200_000_000, null],
    ]);
  });
});

it('the data of users are read by what they are, and known by the disk alone', () => {
  const own = datasetNames.filter((name) => datasetDeclaration(name).ends === null);
  expect(own.map((name) => [name, datasetDeclaration(name).reader])).toEqual([
    ['folder', 'folder'],
    ['table', 'table'],
    ['arrays', 'arrays'],
  ]);
  expect(own.every((name) => datasetDeclaration(name).download === null)).toBe(true);
});
