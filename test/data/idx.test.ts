import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openIdx } from '../../server/data/idx.ts';
import { bytesOf } from './rowBytes.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'kafscope-idx-'));
  await writeIdx('train-images-idx3-ubyte', [3, 28, 28], (index) => index % 251);
  await writeIdx('train-labels-idx1-ubyte', [3], (index) => [7, 0, 9][index]!);
  await writeIdx('t10k-images-idx3-ubyte', [2, 28, 28], () => 255);
  await writeIdx('t10k-labels-idx1-ubyte', [2], () => 1);
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function writeIdx(name: string, shape: readonly number[], valueAt: (index: number) => number): Promise<void> {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  shape.forEach((length, index) => header.writeUInt32BE(length, 4 + 4 * index));
  const length = shape.reduce((product, size) => product * size, 1);
  const bytes = Buffer.concat([header, Uint8Array.from({ length }, (_, index) => valueAt(index))]);
  // The training files packed, the test files not.
  if (name.startsWith('train')) await writeFile(path.join(folder, `${name}.gz`), gzipSync(bytes));
  else await writeFile(path.join(folder, name), bytes);
}

const open = (trainSamples = 3, testSamples = 2, name: 'mnist' | 'fashion-mnist' = 'mnist') =>
  openIdx({ name, path: folder, trainSamples, testSamples });

describe('openIdx', () => {
  it('reads the first so many pictures and labels, packed or not', async () => {
    const { train, test, classes, sampleShape } = await open(2, 2);
    expect([sampleShape, classes[9], train.nSamples, test.nSamples]).toEqual([[28, 28, 1], '9', 2, 2]);
    expect([...train.labels, ...test.labels]).toEqual([7, 0, 1, 1]);
    expect([...bytesOf(train)]).toEqual(Array.from({ length: 2 * 784 }, (_, index) => index % 251));
    expect((await open(1, 1, 'fashion-mnist')).classes[9]).toBe('ankle boot');
  });

  it('says which folder or file is missing, and how the data set is had', async () => {
    await expect(
      openIdx({ name: 'fashion-mnist', path: path.join(folder, 'no'), trainSamples: 1, testSamples: 1 }),
    ).rejects.toThrow(/There is no folder .*no with Fashion-MNIST.*kafscope download fashion-mnist FOLDER/);
    await rm(path.join(folder, 't10k-labels-idx1-ubyte'));
    await expect(open()).rejects.toThrow('has neither t10k-labels-idx1-ubyte nor t10k-labels-idx1-ubyte.gz');
  });

  it('refuses what is damaged, names the file and what is wrong', async () => {
    await writeFile(path.join(folder, 'train-labels-idx1-ubyte.gz'), 'no gzip');
    await expect(open()).rejects.toThrow(/train-labels-idx1-ubyte.gz can't be unpacked/);
    await writeFile(path.join(folder, 'train-labels-idx1-ubyte'), Uint8Array.of(0, 0, 13, 1, 0, 0, 0, 0));
    await expect(open()).rejects.toThrow('train-labels-idx1-ubyte is no IDX file of bytes');
    await writeFile(path.join(folder, 'train-labels-idx1-ubyte'), Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 1, 2));
    await expect(open()).rejects.toThrow('train-labels-idx1-ubyte should hold 11 bytes, but holds 10');
    await writeFile(path.join(folder, 'train-labels-idx1-ubyte'), Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 1, 2));
    await expect(open()).rejects.toThrow(/holds 2 labels for the 3 pictures of .*train-images/);
    await writeFile(path.join(folder, 'train-labels-idx1-ubyte'), Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 10));
    await expect(open()).rejects.toThrow("is 10, but MNIST's go from 0 to 9");
  });

  it('says how many there are when more are asked for, and refuses pictures of another size', async () => {
    await expect(open(4)).rejects.toThrow(/has 3 images, but 4 are asked for. Lower dataset.trainSamples/);
    await writeIdx('t10k-images-idx3-ubyte', [2, 27, 28], () => 0);
    await expect(open()).rejects.toThrow('holds 2×27×28 bytes, but MNIST is pictures of 28×28');
  });
});

const real = process.env['KAFSCOPE_MNIST'];

if (real)
  describe('the real MNIST', () => {
    it('has the published counts and mean', async () => {
      const { train, test } = await openIdx({ name: 'mnist', path: real, trainSamples: 60_000, testSamples: 10_000 });
      const sum = bytesOf(train).reduce((total, value) => total + value, 0);
      expect((sum / 255 / (60_000 * 784)).toFixed(4)).toBe('0.1307');
      const perClass = Array<number>(10).fill(0);
      for (const label of test.labels) perClass[label]!++;
      expect(perClass).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    });
  });
