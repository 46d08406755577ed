// Tables whose rows are told by their number, at every border of their levels, against a walk over all rows.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ColumnFile } from '../../../server/run/series/columnFile.ts';
import type { PlacedBucket } from '../../../server/run/series/placedBuckets.ts';
import { Pyramid } from '../../../server/run/series/pyramid.ts';
import { stepTags, type SeriesTags } from '../../../server/run/series/seriesTags.ts';
import { temporaryFolder } from '../scriptedRun.ts';

/** Whole numbers, so that a mean is exact; then one with all that is not finite; then one of which no bucket has a finite value. */
function rowOf(row: number): [number, number, number] {
  const seldom = { 17: Number.NaN, 83: Infinity, 260: -Infinity }[row % 331];
  return [(row * 37) % 101, seldom ?? row, Number.NaN];
}

const stepOf = (row: number): number => 3 * row + 5;
const timeOf = (row: number): number => 7 * row + 1;

function open(folder: string, nRows = 0): Pyramid {
  return new Pyramid({ folder, name: 'table', tags: stepTags, nRows, bytesPerValue: 8 });
}

function append(table: Pyramid, from: number, to: number): Pyramid {
  for (let row = from; row < to; row++) table.append(stepOf(row), timeOf(row), rowOf(row));
  return table;
}

/** Of rows [start, stop). */
function expected(start: number, stop: number): unknown {
  const rows = Array.from({ length: stop - start }, (_, index) => rowOf(start + index));
  const finite = rows.map(([, value]) => value).filter(Number.isFinite);
  const has = (is: (value: number) => boolean, mark: number): number =>
    rows.some(([, value]) => is(value)) ? mark : 0;
  const whole = rows.map(([value]) => value);
  const extreme = (of: (...values: number[]) => number): number[] => [
    ...[of(...whole), finite.length > 0 ? of(...finite) : Number.NaN],
    Number.NaN,
  ];
  return {
    ...{ first: [...rows[0]!], last: [...rows.at(-1)!], low: extreme(Math.min), high: extreme(Math.max) },
    marks: [
      0,
      has(Number.isNaN, 1) + has((value) => value === Infinity, 2) + has((value) => value === -Infinity, 4),
      1,
    ],
    mean: (whole.reduce((a, b) => a + b) / rows.length).toFixed(9),
    nRows: stop - start,
    places: [stepOf(start), stepOf(stop - 1), timeOf(start), timeOf(stop - 1)],
  };
}

function told({ first, last, low, high, marks, mean, nRows, ...places }: PlacedBucket): unknown {
  return {
    ...{ first: [...first], last: [...last], low: [...low], high: [...high], marks: [...marks] },
    ...{ mean: mean[0]!.toFixed(9), nRows },
    places: [places.firstStep, places.lastStep, places.firstMs, places.lastMs],
  };
}

function expectRows(table: Pyramid, first: number, end: number, rowsPerBucket: number): void {
  const read = table.read([0, 1, 2], { first, end, rowsPerBucket });
  let start = Math.floor(first / rowsPerBucket) * rowsPerBucket;
  expect([read.firstRow, read.rowsPerBucket]).toEqual([start, rowsPerBucket]);
  for (const bucket of read.buckets) {
    const stop = start + bucket.nRows;
    expect(told(bucket)).toEqual(expected(start, stop));
    if (bucket !== read.buckets.at(-1)) expect(bucket.nRows).toBe(rowsPerBucket);
    else expect(bucket.nRows).toBeLessThanOrEqual(rowsPerBucket);
    start = stop;
  }
  expect(start).toBeGreaterThanOrEqual(end);
  expect(read.buckets).toHaveLength(Math.ceil((end - read.firstRow) / rowsPerBucket));
}

function expectTable(table: Pyramid, nRows: number): void {
  expect([table.rows, table.lastStep]).toEqual([nRows, nRows === 0 ? -Infinity : stepOf(nRows - 1)]);
  for (const rowsPerBucket of [1, 8, 64, 128, 256, 1024, 2048]) {
    const third = Math.floor(nRows / 3);
    for (const [first, end] of [
      [0, nRows],
      [third, nRows - third],
      [Math.max(0, nRows - 70), nRows],
    ] as const)
      if (first < end && (rowsPerBucket >= 64 || end - first < 300)) expectRows(table, first, end, rowsPerBucket);
  }
}

const sizes = [1, 63, 64, 65, 256, 300, 1023, 1024, 1420];

describe('the levels of a table', () => {
  it('say what the rows say as they fill, and after it was opened anew', () => {
    const folder = temporaryFolder();
    let table = open(folder);
    expectTable(table, 0);
    let nRows = 0;
    for (const size of sizes) {
      append(table, nRows, size);
      nRows = size;
      expectTable(table, size);
      table.flush();
      table.close();
      table = open(folder, size);
      expectTable(table, size);
    }
    table.close();
  });

  it('go on from wherever they ended', () => {
    for (const size of sizes) {
      const folder = temporaryFolder();
      const early = append(open(folder), 0, size);
      early.flush();
      early.close();
      const table = append(open(folder, size), size, size + 1100);
      expectTable(table, size + 1100);
      table.close();
    }
  });

  it('are read as coarse as they may be, with the whole of the last bucket', () => {
    const table = append(open(temporaryFolder()), 0, 1420);
    const sizesOf = (end: number, rowsPerBucket: number): number[] =>
      table.read([0], { first: 0, end, rowsPerBucket }).buckets.map(({ nRows }) => nRows);
    expect([sizesOf(100, 64), sizesOf(100, 32)]).toEqual([
      [64, 64],
      [32, 32, 32, 4],
    ]);
    expect(sizesOf(700, 256)).toEqual([256, 256, 256]);
    const read = vi.spyOn(ColumnFile.prototype, 'read');
    try {
      expect(sizesOf(1420, 1024)).toEqual([1024, 396]);
      const asked = read.mock.calls.map(([columns, from, to]) => columns.length * (to - from));
      // Of a bucket four places and six values, of a row two and one: a bucket of 1024 rows, one of 256, two of 64, twelve rows.
      expect(asked).toEqual([4, 6, 4, 6, 8, 12, 24, 12]);
    } finally {
      read.mockRestore();
    }
    table.close();
  });

  it('say so of the rows that are kept, and of those that come after', () => {
    const table = open(temporaryFolder());
    for (let row = 0; row < 1420; row++) table.append(stepOf(row), timeOf(row), [-1, -1, -1]);
    append(table, 0, 1420);
    for (const size of [...sizes, 0].sort((a, b) => b - a)) {
      table.truncate(size);
      expectTable(table, size);
    }
    append(table, 0, 1100);
    table.append(stepOf(700) - 1, 0, [0, 0, 0]);
    expect(table.rows).toBe(701);
    table.append(stepOf(700) - 1, 0, [0, 0, 0]);
    expect(table.rows).toBe(701);
    append(table, 700, 1300);
    table.truncate(700);
    append(table, 700, 1300);
    expectTable(table, 1300);
    table.close();
  });

  it('say so over the parts in which they are read', () => {
    const table = append(open(temporaryFolder()), 0, 8500);
    for (const [first, end, rowsPerBucket] of [
      [0, 8500, 64],
      [100, 8400, 64],
      [10, 8500, 32],
      [0, 8500, 4096],
      [4000, 8500, 8192],
    ] as const)
      expectRows(table, first, end, rowsPerBucket);
    const parts = [...table.valuesOf(0, 8200)];
    expect(parts.map(({ length }) => length)).toEqual([4096, 4096, 8]);
    expect(parts.flatMap((part) => [...part])).toEqual(Array.from({ length: 8200 }, (_, row) => rowOf(row)[0]));
    expect([...table.valuesOf(0, 0)]).toEqual([]);
    table.close();
  });

  it('are no buckets where no rows are asked for', () => {
    const table = append(open(temporaryFolder()), 0, 300);
    expect(table.read([0], { first: 100, end: 100, rowsPerBucket: 64 })).toEqual({
      ...{ firstRow: 64, rowsPerBucket: 64, buckets: [] },
    });
    table.close();
  });

  it('are in files of their own, with chunks of as many rows as fit into a megabyte, all of them closed', () => {
    const folder = temporaryFolder();
    const [opened, closed] = [vi.spyOn(fs, 'openSync'), vi.spyOn(fs, 'closeSync')];
    try {
      const table = append(open(folder), 0, 600);
      table.flush();
      table.close();
      open(folder, 600).close();
      expect(closed.mock.calls.map(([descriptor]) => descriptor).sort()).toEqual(
        opened.mock.results.map(({ value }) => value as number).sort(),
      );
    } finally {
      opened.mockRestore();
      closed.mockRestore();
    }
    const sizeOf = (name: string): number => fs.statSync(path.join(folder, name)).size;
    expect(Object.fromEntries(fs.readdirSync(folder).map((name) => [name, sizeOf(name)]))).toEqual({
      ...{ 'table-rows-at': 8 * 2 * 1024, 'table-rows': 8 * 3 * 4096 },
      ...{ 'table-level-0-at': 8 * 4 * 1024, 'table-level-0': 8 * 18 * 64 },
      ...{ 'table-level-1-at': 8 * 4 * 1024, 'table-level-1': 8 * 18 * 64 },
      ...{ 'table-level-2-at': 0, 'table-level-2': 0 },
    });
    const plain = { ...stepTags, nColumns: 1, nSeries: 1000, derive: () => undefined };
    const long = new Pyramid({ folder, name: 'long', tags: plain, nRows: 0, bytesPerValue: 4 });
    for (let row = 0; row < 64; row++) long.append(row, row, [row]);
    long.flush();
    long.close();
    expect(sizeOf('long-level-0')).toBe(4 * 6000 * 16);
    for (const [nColumns, rows] of [
      [64, 2048],
      [65, 1024],
      [50_000, 2],
      [200_000, 1],
    ] as const) {
      const tags: SeriesTags = { ...stepTags, nColumns };
      const wide = new Pyramid({ folder, name: 'wide', tags, nRows: 0, bytesPerValue: 4 });
      wide.append(1, 1, new Float32Array(nColumns));
      wide.flush();
      wide.close();
      expect(sizeOf('wide-rows')).toBe(4 * nColumns * rows);
    }
  });
});
