// What is kept in the cache of data sets: rows as they were written, whole or not at all, whoever else makes them.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DataError } from '../../server/data/dataError.ts';
import { RowReader } from '../../server/data/rows.ts';
import { cachedRows, type CachedRows, type RowWriter } from '../../server/data/rowCache.ts';
import { cleanHost } from '../../server/protocol/serverLock.ts';
import { temporaryFolder } from '../run/scriptedRun.ts';

const made = { classes: ['a', 'b', 'c'] };

function place(type: 'uint8' | 'float32' = 'float32') {
  const cacheFolder = temporaryFolder();
  const datasets = path.join(cacheFolder, 'datasets');
  const make = (
    write: (writer: RowWriter) => void = (writer) => {
      writer.append(Float32Array.of(1, 2), 1);
    },
    key: unknown = 'key',
  ) =>
    cachedRows({ cacheFolder, key, type }, (writer) => {
      write(writer);
      return Promise.resolve(made);
    });
  const keep = () =>
    make(() => {
      throw new Error('it is made anew');
    });
  return { cacheFolder, datasets, make, keep };
}

function contents({ rows }: CachedRows) {
  const reader = new RowReader();
  const { values, labels } = reader.read(
    rows,
    Uint32Array.from({ length: rows.nSamples }, (_, row) => row),
  );
  reader.close();
  return { values, labels };
}

describe('cached rows', () => {
  it('come back as they were written, in their order, more of them than fit into memory at first', async () => {
    const { make, keep } = place();
    const [nRows, size] = [2500, 300];
    await make((writer) => {
      for (let row = 0; row < nRows; row++) writer.append(new Float32Array(size).fill(row).fill(-row, 1), row % 3);
    });
    const kept = await keep();
    expect(kept).toMatchObject({ classes: ['a', 'b', 'c'], columns: [], rows: { nSamples: nRows, sampleSize: size } });
    const { values, labels } = contents(kept);
    for (const row of [0, 1, 872, 873, 874, 1023, 1024, 1025, 2047, 2048, 2499]) {
      expect([values[row * size], values[row * size + 1], values[(row + 1) * size - 1]]).toEqual([row, -row, -row]);
      expect(labels[row]).toBe(row % 3);
    }
  });

  it('may be larger than what is written at a time, and lie beside small ones', async () => {
    const { make } = place('uint8');
    const size = (1 << 20) + 1;
    const { values } = contents(
      await make((writer) => {
        for (const row of [1, 2, 3]) writer.append(new Uint8Array(size).fill(255 * (row % 2)), row);
      }),
    );
    expect([0, size - 1, size, 2 * size - 1, 2 * size, 3 * size - 1].map((at) => values[at])).toEqual([
      1, 1, 0, 0, 1, 1,
    ]);
  });

  it('have the classes that they belong to, also those of the largest numbers', async () => {
    const { cacheFolder } = place();
    const { rows } = await cachedRows({ cacheFolder, key: 1, type: 'float32' }, (writer) => {
      for (const label of [0, 1, 2]) writer.append(Float32Array.of(label), label);
      return Promise.resolve({ classes: ['x'], classOf: [65_535, 256, 0], columns: ['column'] });
    });
    expect([...rows.labels]).toEqual([65_535, 256, 0]);
  });

  it('are others for another key or another type', async () => {
    const { cacheFolder, datasets, make } = place();
    await make();
    await make(undefined, { other: 'key' });
    await cachedRows({ cacheFolder, key: 'key', type: 'uint8' }, (writer) => {
      writer.append(Uint8Array.of(1), 0);
      return Promise.resolve(made);
    });
    expect(fs.readdirSync(datasets)).toHaveLength(3);
  });

  it.each([
    [
      'samples.bin',
      (file: string) => {
        fs.appendFileSync(file, 'x');
      },
    ],
    [
      'labels.bin',
      (file: string) => {
        fs.truncateSync(file, 1);
      },
    ],
    [
      'labels.bin',
      (file: string) => {
        fs.appendFileSync(file, 'xx');
      },
    ],
    [
      'about.json',
      (file: string) => {
        fs.writeFileSync(file, '{"version":2}');
      },
    ],
    [
      'about.json',
      (file: string) => {
        fs.rmSync(file);
      },
    ],
  ])('are made anew where %s is not whole', async (name, spoil) => {
    const { datasets, make, keep } = place();
    await make();
    spoil(path.join(datasets, fs.readdirSync(datasets)[0]!, name));
    await expect(keep()).rejects.toThrow('it is made anew');
    expect([
      ...contents(
        await make((writer) => {
          writer.append(Float32Array.of(7), 2);
        }),
      ).values,
    ]).toEqual([7]);
  });

  it('leave nothing behind where they could not be made, and say what the disk refused', async () => {
    const { datasets, cacheFolder, make } = place();
    await expect(
      make(() => {
        throw new DataError('a wrong picture');
      }),
    ).rejects.toThrow('a wrong picture');
    expect(fs.readdirSync(datasets)).toEqual([]);
    const full = vi.spyOn(fs, 'writeFileSync').mockImplementation(() => {
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    });
    onTestFinished(() => {
      full.mockRestore();
    });
    await expect(make()).rejects.toThrow(`The cache of data sets in ${cacheFolder} can't be written (ENOSPC).`);
    expect(fs.readdirSync(datasets)).toEqual([]);
  });
});

describe('rows that others make at the same time', () => {
  it('are left alone where their maker lives or is of another host; those of a dead one of this host go', async () => {
    const { datasets, make } = place();
    const dead = spawnSync('true').pid;
    const here = cleanHost(os.hostname());
    const parts = [
      `0a.${here}.${String(process.ppid)}.part`,
      `0a.elsewhere.${String(dead)}.part`,
      `0a.${here}.${String(dead)}.part`,
    ];
    for (const part of parts) fs.mkdirSync(path.join(datasets, part), { recursive: true });
    await make();
    expect(
      fs
        .readdirSync(datasets)
        .filter((name) => name.endsWith('.part'))
        .sort(),
    ).toEqual(parts.slice(0, 2).sort());
  });

  it('and have finished first are taken as they are: they may be read already', async () => {
    const { datasets, make } = place();
    let theirs: fs.Stats | null = null;
    const file = () =>
      path.join(
        datasets,
        fs.readdirSync(datasets).find((name) => !name.endsWith('.part'))!,
        'samples.bin',
      );
    const first = await make((writer) => {
      writer.append(Float32Array.of(1), 0);
      // The other host, in the midst of our own work.
      const own = path.join(datasets, fs.readdirSync(datasets)[0]!);
      const folder = own.replace(/\..*$/, '');
      fs.mkdirSync(folder);
      fs.writeFileSync(path.join(folder, 'samples.bin'), new Uint8Array(Float32Array.of(5).buffer));
      fs.writeFileSync(path.join(folder, 'labels.bin'), Uint8Array.of(2, 0));
      const about = { version: 1, nSamples: 1, sampleSize: 1, type: 'float32', ...made, columns: [] };
      fs.writeFileSync(path.join(folder, 'about.json'), JSON.stringify(about));
      theirs = fs.statSync(path.join(folder, 'samples.bin'));
    });
    expect([...contents(first).values]).toEqual([5]);
    expect(fs.statSync(file()).ino).toBe(theirs!.ino);
    expect(fs.readdirSync(datasets)).toHaveLength(1);
  });
});
