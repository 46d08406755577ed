import { mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCifar } from '../../server/data/cifar.ts';
import { bytesOf } from './rowBytes.ts';
import { DataError } from '../../server/data/dataError.ts';

const fileBytes = 30_730_000;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'kafscope-cifar10-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A batch of the right size with a few records of its own; the rest is label 0 and black. */
async function writeBatch(name: string, records: readonly Uint8Array[] = [], sizeBytes = fileBytes): Promise<void> {
  const handle = await open(path.join(folder, name), 'w');
  await handle.truncate(sizeBytes);
  for (const [index, record] of records.entries()) await handle.write(record, 0, record.length, index * 3073);
  await handle.close();
}

function makeRecord(label: number, valueAt: (plane: number, pixel: number) => number): Uint8Array {
  const record = new Uint8Array(3073);
  record[0] = label;
  for (let plane = 0; plane < 3; plane++) {
    for (let pixel = 0; pixel < 1024; pixel++) record[1 + plane * 1024 + pixel] = valueAt(plane, pixel);
  }
  return record;
}

describe('openCifar', () => {
  it('reads labels, and planes as pixels, of the first so many records, across files', async () => {
    const last = makeRecord(3, () => 9);
    await writeBatch('data_batch_1.bin', [makeRecord(7, (plane, pixel) => (plane * 100 + pixel) % 256)]);
    await writeBatch('data_batch_2.bin', [last]);
    await writeBatch('test_batch.bin', [makeRecord(9, (plane) => plane)]);
    const { train, test, classes, sampleShape } = await openCifar({
      path: folder,
      trainSamples: 10_001,
      testSamples: 2,
    });
    expect(classes[7]).toBe('horse');
    expect(sampleShape).toEqual([32, 32, 3]);
    expect(train.nSamples).toBe(10_001);
    expect([train.labels[0], train.labels[1], train.labels[10_000]]).toEqual([7, 0, 3]);
    expect([...bytesOf(train).slice(0, 6)]).toEqual([0, 100, 200, 1, 101, 201]);
    expect([...bytesOf(train).slice(1023 * 3, 1024 * 3)]).toEqual([1023 % 256, 1123 % 256, 1223 % 256]);
    expect([...bytesOf(train).slice(10_000 * 3072)]).toEqual(Array(3072).fill(9));
    expect([...test.labels]).toEqual([9, 0]);
    expect([...bytesOf(test).slice(0, 3)]).toEqual([0, 1, 2]);
  });

  it('says which folder is missing and what belongs into it', async () => {
    const missing = path.join(folder, 'nowhere');
    const failed = openCifar({ path: missing, trainSamples: 1, testSamples: 1 });
    await expect(failed).rejects.toThrow(DataError);
    await expect(failed).rejects.toThrow(`There is no folder ${missing} with CIFAR-10. Set dataset.path`);
  });

  it('says which file is missing', async () => {
    await writeBatch('data_batch_1.bin');
    await expect(openCifar({ path: folder, trainSamples: 1, testSamples: 1 })).rejects.toThrow(
      `${path.join(folder, 'test_batch.bin')} can't be opened`,
    );
  });

  it('says how many bytes a truncated file should have and has', async () => {
    await writeBatch('data_batch_1.bin', [], fileBytes - 1);
    await expect(openCifar({ path: folder, trainSamples: 1, testSamples: 1 })).rejects.toThrow(
      `${path.join(folder, 'data_batch_1.bin')} should have 30730000 bytes, but has 30729999`,
    );
  });

  it('says which record has a label above 9', async () => {
    const black = () => 0;
    await writeBatch('data_batch_1.bin', [makeRecord(9, black), makeRecord(10, black)]);
    await writeBatch('test_batch.bin');
    await expect(openCifar({ path: folder, trainSamples: 2, testSamples: 1 })).rejects.toThrow(
      /Record 1 of .*data_batch_1.bin has the label 10/,
    );
  });

  it('says how many images there are when more are asked for', async () => {
    await expect(openCifar({ path: folder, trainSamples: 50_001, testSamples: 1 })).rejects.toThrow(
      'CIFAR-10 has 50000 images for trainSamples, but 50001 are asked for',
    );
  });
});

describe('openCifar of CIFAR-100', () => {
  it('takes the fine or the coarse label, and the pixels after both', async () => {
    const write = async (name: string, records: number) => {
      const handle = await open(path.join(folder, name), 'w');
      await handle.truncate(records * 3074);
      await handle.write(Uint8Array.of(19, 99, 1, 2, 3), 0, 5, 0);
      await handle.close();
    };
    await write('train.bin', 50_000);
    await write('test.bin', 10_000);
    const plan = { path: folder, trainSamples: 2, testSamples: 1 };
    const fine = await openCifar({ ...plan, labels: 'fine' });
    expect([fine.classes.length, fine.classes[99], [...fine.train.labels]]).toEqual([100, 'worm', [99, 0]]);
    expect([...bytesOf(fine.train).slice(0, 6)]).toEqual([1, 0, 0, 2, 0, 0]);
    const coarse = await openCifar({ ...plan, labels: 'coarse' });
    expect([coarse.classes.length, coarse.classes[19], [...coarse.train.labels]]).toEqual([20, 'vehicles_2', [19, 0]]);
    await rm(path.join(folder, 'test.bin'));
    await expect(openCifar({ ...plan, labels: 'fine' })).rejects.toThrow('The folder needs train.bin and test.bin');
  });
});

const real = process.env['KAFSCOPE_CIFAR10'];

if (real)
  describe('the real CIFAR-10', () => {
    it('has the published statistics', async () => {
      const { train, test } = await openCifar({ path: real, trainSamples: 50_000, testSamples: 10_000 });
      const sums = [0, 0, 0];
      const squares = [0, 0, 0];
      bytesOf(train).forEach((value, index) => {
        sums[index % 3]! += value / 255;
        squares[index % 3]! += (value / 255) ** 2;
      });
      const n = 50_000 * 1024;
      expect(sums.map((sum) => (sum / n).toFixed(5))).toEqual(['0.49140', '0.48216', '0.44653']);
      expect(squares.map((square, c) => Math.sqrt(square / n - (sums[c]! / n) ** 2).toFixed(5))).toEqual([
        ...['0.24703', '0.24349', '0.26159'],
      ]);
      const perClass = Array<number>(10).fill(0);
      for (const label of test.labels) perClass[label]!++;
      expect(perClass).toEqual(Array(10).fill(1000));
    });
  });
