import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { consecutiveBatches, readAhead } from '../../server/data/batches.ts';
import { BatchThread } from '../../server/data/batchThread.ts';
import { columnFigures } from '../../server/data/columnFigures.ts';
import { datasetHere, openDataset } from '../../server/data/dataset.ts';
import { memoryRows, RowReader, someRows, splitOf, type Rows } from '../../server/data/rows.ts';
import { makeShapes } from '../../server/data/shapes.ts';
import type { Samples, Split } from '../../server/data/split.ts';
import { assetsFolder } from '../tensor/wasm/builds.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-rows-'));
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

/** Row r is [r, r + 0.5], after eight bytes of something else. */
function fileRows(type: 'float32' | 'float64', nRows: number): Rows {
  const file = path.join(folder, `${type}-${nRows}.bin`);
  const values = Array.from({ length: 2 * nRows }, (_, index) => index / 2);
  const bytes = new Uint8Array((type === 'float32' ? Float32Array.from(values) : Float64Array.from(values)).buffer);
  fs.writeFileSync(file, Buffer.concat([Buffer.alloc(8), bytes]));
  return {
    ...{ nSamples: nRows, sampleSize: 2, order: null, first: 0 },
    values: { where: 'file', file, type, offsetBytes: 8 },
    labels: Uint16Array.from({ length: nRows }, (_, row) => row % 3),
  };
}

describe('RowReader', () => {
  it.each(['float32', 'float64'] as const)('reads rows of a file of %s in any order', (type) => {
    const reader = new RowReader();
    const rows = fileRows(type, 6);
    const { values, labels } = reader.read(rows, Uint32Array.of(4, 5, 0, 4));
    expect([...values]).toEqual([4, 4.5, 5, 5.5, 0, 0.5, 4, 4.5]);
    expect([...labels]).toEqual([1, 2, 0, 1]);
    expect([...reader.read(someRows(rows, 3, 2), Uint32Array.of(1)).values]).toEqual([4, 4.5]);
    const ordered = { ...rows, order: Uint32Array.of(5, 0, 2), nSamples: 3 };
    expect([...reader.read(someRows(ordered, 1, 2), Uint32Array.of(1, 0)).values]).toEqual([2, 2.5, 0, 0.5]);
    reader.close();
  });

  it('says that a file is gone, or shorter than it was', () => {
    const rows = fileRows('float32', 5);
    const { file } = rows.values as { file: string };
    fs.truncateSync(file, 40);
    expect(() => new RowReader().read(rows, Uint32Array.of(4))).toThrow(`${file} has become shorter`);
    fs.rmSync(file);
    expect(() => new RowReader().read(rows, Uint32Array.of(0))).toThrow(`${file} can't be opened any more`);
  });
});

describe('columnFigures', () => {
  it('are mean and population deviation over more than one block, and 1 for a column that never changes', () => {
    const nRows = 10_001;
    const values = Float32Array.from({ length: 2 * nRows }, (_, index) => (index % 2 ? 0.1 : (index / 2) % 10));
    const { mean, std } = columnFigures(memoryRows(values, new Uint16Array(nRows), 2));
    const first = Array.from({ length: nRows }, (_, row) => row % 10);
    const expected = first.reduce((sum, value) => sum + value, 0) / nRows;
    const variance = first.reduce((sum, value) => sum + (value - expected) ** 2, 0) / nRows;
    expect(mean[0]).toBeCloseTo(expected, 10);
    expect(std[0]).toBeCloseTo(Math.sqrt(variance), 10);
    expect(mean[1]).toBeCloseTo(Math.fround(0.1), 12);
    expect(std[1]).toBe(1);
  });
});

describe('readAhead', () => {
  const orders = [...consecutiveBatches(7, 2)];

  it('gives every batch in order, the last one smaller', async () => {
    const split = splitOf(
      memoryRows(
        Float32Array.from({ length: 7 }, (_, i) => i),
        new Uint16Array(7),
        1,
      ),
    );
    const seen: number[][] = [];
    for await (const { values } of readAhead(split, orders)) seen.push([...values]);
    expect(seen).toEqual([[0, 1], [2, 3], [4, 5], [6]]);
  });

  it('asks for the next batches before the first is used, and tells when one is waited for', async () => {
    const asked: ((samples: Samples) => void)[] = [];
    const split: Split = { nSamples: 7, read: () => new Promise((resolve) => asked.push(resolve)) };
    const waits: boolean[] = [];
    const batches = readAhead(split, orders, { onWait: (isWaiting) => waits.push(isWaiting) });
    const made = (value: number) => ({ values: Float32Array.of(value), labels: Int32Array.of(0) });
    const first = batches.next();
    expect([asked.length, waits]).toEqual([3, [true]]);
    asked[0]!(made(0));
    asked[1]!(made(1));
    expect((await first).value?.values[0]).toBe(0);
    expect(waits).toEqual([true, false]);
    expect((await batches.next()).value?.values[0]).toBe(1);
    expect(waits).toEqual([true, false]);
    await batches.return();
  });

  it('asks for more of small batches, and for two where one is large', async () => {
    const askedAfterTwo = async (nValues: number): Promise<number> => {
      let nAsked = 0;
      const values = new Float32Array(nValues);
      const read = (): Promise<Samples> => {
        nAsked++;
        return Promise.resolve({ values, labels: new Int32Array(1) });
      };
      const batches = readAhead({ nSamples: 100, read }, consecutiveBatches(100, 1));
      await batches.next();
      await batches.next();
      await batches.return();
      return nAsked;
    };
    // Those that were used, and those that wait.
    expect(await askedAfterTwo(1)).toBe(1 + 17);
    expect(await askedAfterTwo((1 << 18) / 4)).toBe(1 + 5);
    expect(await askedAfterTwo(1 << 18)).toBe(1 + 3);
    expect(await askedAfterTwo(1 << 20)).toBe(1 + 3);
  });

  it('tells a failure when its turn comes', async () => {
    let nAsked = 0;
    const split: Split = {
      nSamples: 7,
      read: () =>
        nAsked++ === 1
          ? Promise.reject(new Error('gone'))
          : Promise.resolve({ values: new Float32Array(1), labels: new Int32Array(1) }),
    };
    const batches = readAhead(split, orders);
    expect((await batches.next()).done).toBe(false);
    await expect(batches.next()).rejects.toThrow('gone');
  });
});

describe('a data set with its thread', () => {
  it('has the same bits as without, also of the samples kept back', async () => {
    const plan = { name: 'shapes', trainSamples: 20, testSamples: 5, seed: 3, validationSamples: 6 } as const;
    const around = { assetsFolder, cacheFolder: folder, signal: new AbortController().signal, onProgress: () => {} };
    const threaded = await openDataset(plan, around);
    const here = datasetHere(plan, makeShapes(plan));
    expect([here.train.nSamples, here.validation!.nSamples, here.test.nSamples]).toEqual([14, 6, 5]);
    for (const split of ['train', 'validation', 'test'] as const) {
      const [first, second] = [Uint32Array.of(4, 0, 1), Uint32Array.of(2)];
      const [a, b] = await Promise.all([threaded[split]!.read(first), threaded[split]!.read(second)]);
      expect([a, b]).toEqual([await here[split]!.read(first), await here[split]!.read(second)]);
    }
    const whole = await datasetHere({ name: 'shapes' }, makeShapes(plan)).train.read(Uint32Array.of(14, 19));
    expect(await here.validation!.read(Uint32Array.of(0, 5))).toEqual(whole);
    await threaded.close();
  });

  it('keeps its process alive while somebody waits for a batch, and not one moment longer', () => {
    const main = path.join(import.meta.dirname, 'scriptedReadingMain.ts');
    const output = execFileSync(process.execPath, [main, assetsFolder], { encoding: 'utf8' });
    expect(output).toBe('20,10,20\nnothing is left to do\n');
  });

  it('tells what a file does, and ends what is asked after its end', async () => {
    const thread = new BatchThread(assetsFolder);
    const rows = fileRows('float32', 9);
    const split = thread.split(rows);
    expect([...(await split.read(Uint32Array.of(8))).values]).toEqual([8, 8.5]);
    fs.truncateSync((rows.values as { file: string }).file, 20);
    await expect(split.read(Uint32Array.of(8))).rejects.toThrow('has become shorter');
    await thread.close();
    await expect(split.read(Uint32Array.of(0))).rejects.toThrow('has ended');
  });
});
