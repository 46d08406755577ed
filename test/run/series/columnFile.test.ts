// Rows by column, against the bytes that are on the disk and counted reads.
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ColumnFile, type ColumnFileShape } from '../../../server/run/series/columnFile.ts';
import { temporaryFolder } from '../scriptedRun.ts';

/** Three rows a chunk: 24 bytes of it are a column. */
const shape: ColumnFileShape = { nColumns: 2, rowsPerChunk: 3, bytesPerValue: 8 };

function newFile(): string {
  return path.join(temporaryFolder(), 'columns');
}

/** Rows [r, 10·r] and so on, a column each. */
function fill(file: ColumnFile, from: number, to: number, nColumns = 2): ColumnFile {
  for (let row = from; row < to; row++)
    file.append(Array.from({ length: nColumns }, (_, column) => row * 10 ** column));
  return file;
}

function doublesOf(file: string): number[] {
  const bytes = fs.readFileSync(file);
  return Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readDoubleLE(8 * index));
}

function read(file: ColumnFile, columns: readonly number[], from: number, to: number): number[][] {
  return file.read(columns, from, to).map((values) => [...values]);
}

/** How many bytes each read asked for. */
function lengthsOf({ mock }: { readonly mock: { readonly calls: readonly (readonly unknown[])[] } }): unknown[] {
  return mock.calls.map((given) => given[3]);
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a file of columns', () => {
  it('writes a chunk when it is full, column beside column, and the rest when it is flushed', () => {
    const place = newFile();
    const file = fill(new ColumnFile(place, shape, 0), 1, 3);
    expect([file.rows, doublesOf(place)]).toEqual([2, []]);
    fill(file, 3, 6);
    expect([file.rows, doublesOf(place)]).toEqual([5, [1, 2, 3, 10, 20, 30]]);
    file.flush();
    const written = doublesOf(place);
    expect(written).toHaveLength(12);
    expect([written.slice(0, 8), written.slice(9, 11)]).toEqual([
      [1, 2, 3, 10, 20, 30, 4, 5],
      [40, 50],
    ]);
    file.close();
  });

  it('writes nothing when there is nothing new', () => {
    const place = newFile();
    const write = vi.spyOn(fs, 'writeSync');
    const file = new ColumnFile(place, shape, 0);
    file.flush();
    file.truncate(0);
    file.flush();
    expect(write).not.toHaveBeenCalled();
    fill(file, 1, 4).flush();
    expect(write).toHaveBeenCalledTimes(1);
    fill(file, 4, 5).truncate(4);
    expect(write).toHaveBeenCalledTimes(1);
    file.flush();
    file.flush();
    expect(write).toHaveBeenCalledTimes(2);
    file.close();
    const again = new ColumnFile(place, shape, 4);
    again.flush();
    fill(again, 5, 6).truncate(2);
    again.flush();
    expect(write).toHaveBeenCalledTimes(2);
    fill(again, 6, 7);
    expect(write).toHaveBeenCalledTimes(3);
    fill(again, 7, 8).truncate(0);
    again.flush();
    expect(write).toHaveBeenCalledTimes(3);
    again.close();
    const short = fill(new ColumnFile(newFile(), shape, 0), 1, 2);
    short.truncate(0);
    short.flush();
    expect(write).toHaveBeenCalledTimes(3);
    fill(short, 1, 2).flush();
    expect(write).toHaveBeenCalledTimes(4);
    short.close();
  });

  it('gives any rows of any columns, in the order in which they are asked for', () => {
    const file = fill(new ColumnFile(newFile(), shape, 0), 0, 8);
    for (let from = 0; from <= 8; from++) {
      for (let to = from; to <= 8; to++) {
        const rows = Array.from({ length: to - from }, (_, index) => from + index);
        const tens = rows.map((row) => 10 * row);
        expect(read(file, [1, 0], from, to)).toEqual([tens, rows]);
        expect(read(file, [1], from, to)).toEqual([tens]);
      }
    }
    expect(read(file, [0], 5, 3)).toEqual([[]]);
    expect(read(file, [], 0, 8)).toEqual([]);
    file.close();
  });

  it('holds numbers in the size that is asked for', () => {
    for (const bytesPerValue of [4, 8] as const) {
      const place = newFile();
      const file = new ColumnFile(place, { ...shape, bytesPerValue }, 0);
      for (const value of [0.1, 0.2, 0.3, 0.4]) file.append([value, -value]);
      file.flush();
      expect(fs.statSync(place).size).toBe(12 * bytesPerValue);
      const round = bytesPerValue === 4 ? Math.fround : (value: number): number => value;
      expect(read(file, [0, 1], 0, 4)).toEqual([[0.1, 0.2, 0.3, 0.4].map(round), [-0.1, -0.2, -0.3, -0.4].map(round)]);
      expect(file.read([0], 0, 1)[0]).toBeInstanceOf(bytesPerValue === 4 ? Float32Array : Float64Array);
      file.close();
    }
  });

  it('reads a chunk at once for a fifth of its columns, else what it needs, and none of the one that is filled', () => {
    const wide = { nColumns: 10, rowsPerChunk: 4, bytesPerValue: 8 } as const;
    const file = fill(new ColumnFile(newFile(), wide, 0), 0, 9, 10);
    const readSync = vi.spyOn(fs, 'readSync');
    const bytesFor = (columns: readonly number[], from: number, to: number): unknown[] => {
      readSync.mockClear();
      expect(read(file, columns, from, to)[0]).toEqual(
        Array.from({ length: to - from }, (_, index) => (from + index) * 10 ** columns[0]!),
      );
      return lengthsOf(readSync);
    };
    expect(bytesFor([2, 1], 1, 6)).toEqual([320, 320]);
    expect(bytesFor([2], 1, 6)).toEqual([24, 16]);
    expect(bytesFor([2, 1], 8, 9)).toEqual([]);
    expect(bytesFor([2], 7, 9)).toEqual([8]);
    file.close();
    const wider = fill(new ColumnFile(newFile(), { ...wide, nColumns: 11 }, 0), 0, 9, 11);
    readSync.mockClear();
    expect(read(wider, [2, 1], 3, 4)).toEqual([[300], [30]]);
    expect(lengthsOf(readSync)).toEqual([8, 8]);
    readSync.mockClear();
    const narrow = fill(new ColumnFile(newFile(), shape, 0), 0, 4);
    expect(read(narrow, [1], 0, 1)).toEqual([[0]]);
    expect(lengthsOf(readSync)).toEqual([8]);
    narrow.close();
    wider.close();
  });

  it('goes on where it ended when it is opened again, and begins anew for none', () => {
    for (const nRows of [2, 3, 4]) {
      const place = newFile();
      const early = fill(new ColumnFile(place, shape, 0), 0, nRows);
      early.flush();
      early.close();
      const file = new ColumnFile(place, shape, nRows);
      expect(file.rows).toBe(nRows);
      fill(file, nRows, 8);
      expect(read(file, [0, 1], 0, 8)).toEqual([
        [0, 1, 2, 3, 4, 5, 6, 7],
        [0, 10, 20, 30, 40, 50, 60, 70],
      ]);
      file.close();
      const anew = new ColumnFile(place, shape, 0);
      expect([anew.rows, fs.statSync(place).size]).toEqual([0, 0]);
      anew.close();
    }
  });

  it('is closed once, and goes on where a chunk is a row', () => {
    const place = newFile();
    const [opened, closed] = [vi.spyOn(fs, 'openSync'), vi.spyOn(fs, 'closeSync')];
    const byRow = { ...shape, rowsPerChunk: 1 };
    fill(new ColumnFile(place, byRow, 0), 7, 8).close();
    expect(closed.mock.calls).toEqual([[opened.mock.results[0]!.value]]);
    const file = fill(new ColumnFile(place, byRow, 1), 8, 10);
    file.truncate(1);
    fill(file, 5, 6);
    expect(read(file, [0, 1], 0, 2)).toEqual([
      [7, 5],
      [70, 50],
    ]);
    file.close();
  });

  it('is refused, and closed, where the file is shorter than its rows', () => {
    const place = newFile();
    const early = fill(new ColumnFile(place, shape, 0), 0, 3);
    early.close();
    const whole = new ColumnFile(place, shape, 3);
    whole.close();
    const closed = vi.spyOn(fs, 'closeSync');
    expect(() => new ColumnFile(place, shape, 4)).toThrow(`${place} is shorter than its 4 rows`);
    expect(closed).toHaveBeenCalledTimes(1);
    fs.truncateSync(place, 47);
    expect(() => new ColumnFile(place, shape, 1)).toThrow(`${place} is shorter than its 1 rows`);
  });

  it('says so where it ends while it is read', () => {
    const place = newFile();
    const file = fill(new ColumnFile(place, shape, 0), 0, 4);
    fs.truncateSync(place, 32);
    expect(read(file, [0], 0, 2)).toEqual([[0, 1]]);
    expect(() => file.read([1], 0, 3)).toThrow('a file of the series cache ends early');
    file.close();
  });

  it('reads and writes what a disk gives and takes in parts', () => {
    const place = newFile();
    const { readSync, writeSync } = fs;
    vi.spyOn(fs, 'writeSync').mockImplementation(((
      fd: number,
      bytes: Uint8Array,
      offset: number,
      length: number | undefined,
      position: number,
    ) => writeSync(fd, bytes, offset, Math.min(7, length ?? bytes.length - offset), position)) as never);
    vi.spyOn(fs, 'readSync').mockImplementation(((
      fd: number,
      bytes: Uint8Array,
      offset: number,
      length: number,
      position: number,
    ) => readSync(fd, bytes, offset, Math.min(5, length), position)) as never);
    const file = fill(new ColumnFile(place, shape, 0), 1, 8);
    expect(doublesOf(place)).toEqual([1, 2, 3, 10, 20, 30, 4, 5, 6, 40, 50, 60]);
    expect(read(file, [0, 1], 1, 5)).toEqual([
      [2, 3, 4, 5],
      [20, 30, 40, 50],
    ]);
    expect(read(file, [1], 1, 5)).toEqual([[20, 30, 40, 50]]);
    file.close();
  });

  it('keeps its first rows when it is cut off, and those that come take the place of the others', () => {
    for (const nRows of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      const place = newFile();
      const file = fill(new ColumnFile(place, shape, 0), 0, 8);
      file.truncate(nRows);
      const kept = Math.min(nRows, 8);
      expect(file.rows).toBe(kept);
      const ones = Array.from({ length: kept }, (_, row) => row);
      expect(read(file, [0], 0, kept)).toEqual([ones]);
      for (const row of [100, 200, 300, 400]) file.append([row, 10 * row]);
      const all = [...ones, 100, 200, 300, 400];
      expect(read(file, [0, 1], 0, file.rows)).toEqual([all, all.map((row) => 10 * row)]);
      file.flush();
      file.close();
      const again = new ColumnFile(place, shape, all.length);
      expect(read(again, [0], 0, all.length)).toEqual([all]);
      again.close();
    }
  });

  it('is cut off within what is on the disk, too', () => {
    const place = newFile();
    const file = fill(new ColumnFile(place, shape, 0), 0, 5);
    file.truncate(4);
    file.flush();
    file.close();
    const again = new ColumnFile(place, shape, 4);
    expect(read(again, [1], 0, 4)).toEqual([[0, 10, 20, 30]]);
    again.truncate(2);
    expect(read(again, [0, 1], 0, 2)).toEqual([
      [0, 1],
      [0, 10],
    ]);
    again.close();
  });
});
