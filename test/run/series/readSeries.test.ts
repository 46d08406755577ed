// How large buckets are for what is asked, and what an answer has of each, against values counted by hand.
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SeriesQuery } from '../../../server/protocol/series.ts';
import { Pyramid } from '../../../server/run/series/pyramid.ts';
import { readSeries } from '../../../server/run/series/readSeries.ts';
import type { Tables } from '../../../server/run/series/runSeries.ts';
import { stepTags, testRowTags, type SeriesTags } from '../../../server/run/series/seriesTags.ts';
import { temporaryFolder } from '../scriptedRun.ts';

const query: SeriesQuery = { tags: ['loss'], from: null, to: null, pixels: 100, rowsPerBucket: null, smoothing: 0 };

function table(name: string, tags: SeriesTags, rows: readonly number[][]): Pyramid {
  const made = new Pyramid({ folder: temporaryFolder(), name, tags, nRows: 0, bytesPerValue: 8 });
  onTestFinished(() => {
    made.close();
  });
  rows.forEach((row, index) => {
    made.append(10 * (index + 1), 1000 + index, row);
  });
  return made;
}

function answer(tables: readonly Pick<Tables, 'steps' | 'tests'>[], asked: Partial<SeriesQuery>) {
  const runs = tables.map((each, index) => ({
    ...{ runId: String(index), cursor: 7, failure: null },
    tables: { ...each, norms: null, updates: null },
  }));
  return readSeries(runs, { ...query, ...asked }).runs;
}

describe('an answer', () => {
  const losses = [3, 1, 9, 5, 2, NaN, 4];
  const steps = losses.map((loss, index) => [loss, index, 0.1]);

  it('has of each bucket the first, lowest, highest and last value, the mean, and what is not finite', () => {
    const tables = { steps: table('steps', stepTags, steps), tests: table('tests', testRowTags, []) };
    const [run] = answer([tables], { tags: ['test/loss', 'loss'], rowsPerBucket: 4, means: true });
    expect(run).toEqual({
      ...{ runId: '0', cursor: 7, failure: null },
      tables: [
        {
          ...{ rowsPerBucket: 4, firstRow: 0 },
          ...{ firstStep: Float64Array.of(10, 50), lastStep: Float64Array.of(40, 70) },
          ...{ firstMs: Float64Array.of(1000, 1004), lastMs: Float64Array.of(1003, 1006) },
          series: [
            {
              ...{ tag: 'loss', first: Float64Array.of(3, 2), low: Float64Array.of(1, 2) },
              ...{ high: Float64Array.of(9, 4), last: Float64Array.of(5, 4), mean: Float64Array.of(4.5, 3) },
              marks: Uint8Array.of(0, 1),
            },
          ],
        },
      ],
    });
    const [low] = answer([tables], { rowsPerBucket: 2 })[0]!.tables[0]!.series;
    expect(low!.first).toEqual(Float64Array.of(3, 9, 2, 4));
    expect(low!.low).toEqual(Float64Array.of(1, 5, 2, 4));
  });

  it('has each row by itself without more than its value, and of a table the only row', () => {
    const tables = {
      steps: table('steps', stepTags, steps),
      tests: table('tests', testRowTags, [[0.25, 0.5, NaN, NaN, NaN, NaN]]),
    };
    const [run] = answer([tables], { tags: ['loss', 'test/loss'], means: true });
    expect(run!.tables.map(({ series }) => series)).toEqual([
      [{ tag: 'loss', first: Float64Array.from(losses), marks: Uint8Array.of(0, 0, 0, 0, 0, 1, 0) }],
      [{ tag: 'test/loss', first: Float64Array.of(0.25), marks: Uint8Array.of(0) }],
    ]);
  });

  it('has a moving average over all rows, that leaves out what is not finite', () => {
    const tables = { steps: table('steps', stepTags, steps), tests: table('tests', testRowTags, []) };
    const expected = [3, 5 / 3, (0.75 + 0.5 + 9) / 1.75, (0.375 + 0.25 + 4.5 + 5) / 1.875];
    const [row] = answer([tables], { smoothing: 0.5, to: 50 })[0]!.tables[0]!.series;
    expected.forEach((value, index) => {
      expect(row!.smooth![index]).toBeCloseTo(value, 12);
    });
    const before = (0.1875 + 0.125 + 2.25 + 2.5 + 2) / 1.9375;
    expect(row!.smooth![4]).toBeCloseTo(before, 12);
    expect(row!.smooth![5]).toBeNaN();
    const [pair] = answer([tables], { smoothing: 0.5, rowsPerBucket: 2 })[0]!.tables[0]!.series;
    expect(pair!.smooth!.length).toBe(4);
    expect(pair!.smooth![1]).toBeCloseTo(expected[3]!, 12);
    expect(pair!.smooth![2]).toBeNaN();
    expect(pair!.smooth![3]).toBeCloseTo((before * 1.9375 * 0.5 + 4) / (1.9375 / 2 + 1), 12);
  });
});

/** Says how many rows and series it has, and that it has no bucket of them. */
function tableOf(nRows: number, nSeries: number, first = 0): Pyramid {
  const names = Array.from({ length: nSeries }, (_, index) => String(index));
  const made: Partial<Pyramid> = {
    ...{ rows: nRows, bytesPerValue: 8, tags: { ...stepTags, names } },
    rowsBetween: () => ({ first, end: first + nRows }),
    read: (_series, { rowsPerBucket }) => ({ firstRow: 0, rowsPerBucket, buckets: [] }),
  };
  return made as Pyramid;
}

function sizes(tables: readonly Pyramid[], asked: Partial<SeriesQuery>): number[] {
  const tags = Array.from({ length: tables[0]!.tags.names.length }, (_, index) => String(index));
  const none = tableOf(0, 0);
  return answer(
    tables.map((steps) => ({ steps, tests: none })),
    { tags, ...asked },
  ).flatMap(({ tables: [answered] }) => answered!.rowsPerBucket);
}

describe('rows of a bucket', () => {
  it.each([
    { nRows: [16], nSeries: 1, pixels: 1, expected: 1 },
    { nRows: [17], nSeries: 1, pixels: 1, expected: 4 },
    { nRows: [332], nSeries: 3000, pixels: 4096, expected: 1 },
    { nRows: [333], nSeries: 3000, pixels: 4096, expected: 4 },
    { nRows: [250, 9], nSeries: 2000, pixels: 4096, expected: 1 },
    { nRows: [9, 251], nSeries: 2000, pixels: 4096, expected: 4 },
  ])('of runs of $nRows rows of $nSeries series in $pixels pixels are $expected', (each) => {
    const tables = each.nRows.map((nRows) => tableOf(nRows, each.nSeries));
    expect(sizes(tables, { pixels: each.pixels })).toEqual(each.nRows.map(() => each.expected));
  });

  it.each([
    [666, 1, 1],
    [667, 1, 2],
    [5 * 666, 1, 8],
    [5 * 666, 16, 16],
  ])('of %d rows of 3000 series where %d are asked for are %d', (nRows, rowsPerBucket, expected) => {
    expect(sizes([tableOf(nRows, 3000, 500)], { rowsPerBucket })).toEqual([expected]);
  });

  it('of runs of which none has what is asked for matter to nobody', () => {
    expect(answer([{ steps: tableOf(0, 1), tests: tableOf(0, 1) }], {})).toMatchObject([{ tables: [] }]);
    expect(readSeries([], query)).toEqual({ runs: [] });
  });
});
