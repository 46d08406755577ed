import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openArrays } from '../../server/data/arrays.ts';
import { RowReader, type Rows } from '../../server/data/rows.ts';
import type { ArraysPlan } from '../../server/protocol/plan.ts';
import golden from '../golden/arrays.json' with { type: 'json' };

const goldenFolder = path.join(import.meta.dirname, '../golden');
let home: string;

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-arrays-'));
});

afterEach(() => {
  fs.rmSync(home, { recursive: true });
});

/** As NumPy's format 1 says. */
function writeNpy(
  name: string,
  type: string,
  shape: readonly number[],
  values: readonly number[],
  order = 'False',
): void {
  const header = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': (${shape.join(', ')},), }`;
  const head = Buffer.alloc(128, ' ');
  head.write('\u0093NUMPY\u0001\u0000', 0, 'latin1');
  head.writeUInt16LE(118, 8);
  head.write(header, 10);
  const made = { '<f4': Float32Array, '<f8': Float64Array, '|u1': Uint8Array, '<i4': Int32Array, '<i8': null }[type];
  const body = made
    ? new Uint8Array(made.from(values).buffer)
    : new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer);
  fs.writeFileSync(path.join(home, `${name}.npy`), Buffer.concat([head, body]));
}

const open = (changes: Partial<ArraysPlan> = {}) =>
  openArrays(
    {
      ...{ name: 'arrays', path: home, x: 'x_train', y: 'y_train', xTest: 'x_test', yTest: 'y_test' },
      ...{ testShare: 0.2, seed: 0, trainSamples: null, testSamples: null },
      ...changes,
    },
    {
      ...{ assetsFolder: '', cacheFolder: path.join(home, 'cache'), signal: new AbortController().signal },
      onProgress: () => {},
    },
  );

const all = (rows: Rows) =>
  new RowReader().read(
    rows,
    Uint32Array.from({ length: rows.nSamples }, (_, i) => i),
  );

describe('openArrays', () => {
  it.each(['arrays.npz', 'arraysPacked.npz'])(
    'reads %s of NumPy: bytes as pictures, int64 labels, a share to test',
    async (file) => {
      const { train, test, sampleShape, classes, isTable } = await open({
        path: path.join(goldenFolder, file),
        xTest: '-',
        yTest: '-',
      });
      expect([sampleShape, classes, isTable, train.nSamples, test.nSamples]).toEqual([
        [3, 2, 3],
        ['0', '1', '2'],
        false,
        5,
        1,
      ]);
      const whole = { ...train, order: null, nSamples: 6 };
      expect([...all(whole).values]).toEqual(golden.x_train.map((value) => Math.fround(value / 255)));
      expect([...all(whole).labels]).toEqual(golden.y_train);
    },
  );

  it('reads float64 to train and float32 to test, as a table', async () => {
    const { train, test, isTable } = await open({ path: path.join(goldenFolder, 'arrays.npz'), x: 'table' });
    expect(isTable).toBe(true);
    expect([...all(train).values]).toEqual(golden.table.map(Math.fround));
    expect([...all(test).values]).toEqual(golden.x_test.map(Math.fround));
    expect([...all(test).labels]).toEqual(golden.y_test);
  });

  it('takes what another process has unpacked meanwhile: it may be read already', async () => {
    const create = fs.createWriteStream;
    const arrays = path.join(home, 'cache', 'arrays');
    const created = vi.spyOn(fs, 'createWriteStream').mockImplementationOnce((file, options) => {
      const folder = (file as string).replace(/\.[^/]*\.part\/.*$/, '');
      fs.mkdirSync(folder);
      for (const name of ['x_train', 'y_train']) {
        fs.copyFileSync(path.join(home, `${name}.npy`), path.join(folder, `${name}.npy`));
      }
      return create(file, options);
    });
    onTestFinished(() => {
      created.mockRestore();
    });
    writeNpy('x_train', '<f4', [3, 1], [1, 2, 3]);
    writeNpy('y_train', '<i8', [3], [0, 1, 0]);
    const { train, test } = await open({ path: path.join(goldenFolder, 'arrays.npz') });
    expect([...all(train).values, ...all(test).values].sort()).toEqual([1, 2, 3]);
    expect(fs.readdirSync(arrays)).toHaveLength(1);
  });

  it('reads .npy files of a folder; pictures without channels have one', async () => {
    writeNpy(
      'x_train',
      '<f4',
      [4, 2, 2],
      Array.from({ length: 16 }, (_, i) => i / 16),
    );
    writeNpy('y_train', '<i4', [4], [0, 1, 1, 0]);
    const { sampleShape, train, test } = await open({ testShare: 0.5 });
    expect([sampleShape, train.nSamples, test.nSamples]).toEqual([[2, 2, 1], 2, 2]);
  });

  it('names the array and the index of what is wrong', async () => {
    writeNpy('x_train', '<f4', [3, 2], [1, 2, 3, 4, 5, 6]);
    writeNpy('y_train', '<i8', [3], [0, -1, 1]);
    await expect(open()).rejects.toThrow('y_train of');
    await expect(open()).rejects.toThrow('the label at index 1 is -1, but labels go from 0 to 9999');
    writeNpy('y_train', '<i8', [2], [0, 1]);
    await expect(open()).rejects.toThrow(
      /y_train of .* has the shape \(2\), but the array x_train of .* has 3 samples/,
    );
    writeNpy('y_train', '<f4', [3], [0, 1, 1]);
    await expect(open()).rejects.toThrow('is of the type <f4, but labels are whole numbers');
    writeNpy('y_train', '<i8', [3], [0, 1, 1]);
    writeNpy('x_train', '<f4', [3, 2], [1, 2, 3, 4, NaN, 6]);
    await expect(open()).rejects.toThrow(/x_train of .*: the sample at index 2 holds NaN; expected a finite number/);
    writeNpy('x_train', '<f4', [3, 1, 1], [0, 1, 255]);
    await expect(open()).rejects.toThrow('the sample at index 2 holds 255; expected a pixel value in [0, 1]');
    writeNpy('x_train', '<f4', [3, 1, 1, 1, 1], [0, 1, 1]);
    await expect(open()).rejects.toThrow('has the shape (3, 1, 1, 1, 1), but samples are [N, features]');
    writeNpy('x_train', '<i4', [3, 1], [0, 1, 1]);
    await expect(open()).rejects.toThrow('is of the type <i4, but samples are float32, float64 or uint8');
    writeNpy('x_train', '>f4', [3, 1], [0, 1, 1]);
    await expect(open()).rejects.toThrow("is of the type >f4, which Kafscope can't read");
    writeNpy('x_train', '<f4', [3, 1], [0, 1, 1], 'True');
    await expect(open()).rejects.toThrow('is in Fortran order. Write numpy.ascontiguousarray(a)');
    writeNpy('x_train', '<f4', [4, 1], [0, 1, 1]);
    await expect(open()).rejects.toThrow('should have 144 bytes, but has 140: it is cut off');
  });

  it('takes no pictures with the channels first, and no labels from 1, for something else', async () => {
    const write = (shape: number[], labels: number[]) => {
      const size = shape.reduce((product, length) => product * length, 1);
      writeNpy(
        'x_train',
        '|u1',
        shape,
        Array.from({ length: size }, (_, index) => index % 256),
      );
      writeNpy('y_train', '<i8', [shape[0]!], labels);
    };
    for (const shape of [
      [3, 3, 6, 5],
      [3, 1, 7, 8],
      [3, 4, 4, 9],
    ]) {
      write(shape, [0, 1, 0]);
      await expect(open(), shape.join()).rejects.toThrow(
        'looks like pictures with the channels first. Write x.transpose(0, 2, 3, 1)',
      );
    }
    for (const shape of [
      [3, 3, 5, 3],
      [3, 1, 4, 4],
      [3, 5, 6, 7],
      [3, 2, 6, 7],
    ]) {
      write(shape, [0, 1, 0]);
      expect((await open()).sampleShape).toEqual(shape.slice(1));
    }
    write([3, 2, 2, 1], [2, 1, 2]);
    await expect(open()).rejects.toThrow('has labels from 1 to 2, but labels go from 0. Write y - 1.');
  });

  it('says of labels of another form how they are written, and which arrays there are', async () => {
    writeNpy('x_train', '<f4', [3, 2], [1, 2, 3, 4, 5, 6]);
    writeNpy('y_train', '<i8', [3, 1], [0, 1, 0]);
    await expect(open()).rejects.toThrow('[3]. Write y.reshape(-1).');
    writeNpy('y_train', '<i8', [3, 2], [0, 1, 0, 1, 0, 1]);
    await expect(open()).rejects.toThrow('[3]. Of a column for each class write y.argmax(axis=1).');
    writeNpy('y_train', '<U1', [3], [0, 1, 0]);
    await expect(open()).rejects.toThrow('numpy.unique(y, return_inverse=True)[1] of texts');
    const other = { x: 'images', y: 'labels' };
    await expect(open(other)).rejects.toThrow('has no arrays images and labels, but x_train, y_train. Name those');
    const packed = open({ ...other, path: path.join(goldenFolder, 'arrays.npz') });
    await expect(packed).rejects.toThrow(
      'has no arrays images and labels, but x_train, y_train, table, x_test, y_test.',
    );
  });

  it('holds test arrays to the shape and the classes of those to train on', async () => {
    writeNpy('x_train', '<f4', [3, 2], [1, 2, 3, 4, 5, 6]);
    writeNpy('y_train', '<i8', [3], [0, 1, 1]);
    writeNpy('x_test', '<f4', [1, 3], [1, 2, 3]);
    await expect(open()).rejects.toThrow(/has the array x_test, but not y_test/);
    writeNpy('y_test', '<i8', [1], [2]);
    await expect(open()).rejects.toThrow(/x_test of .* has samples of 3, but the array x_train of .* of 2/);
    writeNpy('x_test', '<f4', [1, 2], [1, 2]);
    await expect(open()).rejects.toThrow(
      /y_test of .*: the label at index 0 is 2, but labels go from 0 to 1, as those to train on do/,
    );
  });

  it('says what is missing, or no archive', async () => {
    await expect(open({ path: path.join(home, 'no.npz') })).rejects.toThrow(/There is no .*no.npz. Set dataset.path/);
    await expect(open()).rejects.toThrow('has no arrays x_train and y_train');
    fs.writeFileSync(path.join(home, 'bad.npz'), 'no archive');
    await expect(open({ path: path.join(home, 'bad.npz') })).rejects.toThrow(/bad.npz can't be unpacked/);
    fs.writeFileSync(path.join(home, 'x_train.npy'), 'no array at all');
    await expect(open()).rejects.toThrow(/x_train of .* is no array of NumPy/);
  });
});
