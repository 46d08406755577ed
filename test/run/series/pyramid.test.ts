// Tables by step against what can be said by looking at every row.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ParameterInfo } from '../../../server/protocol/records.ts';
import { Pyramid } from '../../../server/run/series/pyramid.ts';
import { normTags, stepTags, type SeriesTags } from '../../../server/run/series/seriesTags.ts';
import { temporaryFolder } from '../scriptedRun.ts';

const parameters: ParameterInfo[] = ['conv1.kernel', 'conv1.bias', 'dense.kernel'].map((name) => ({
  ...{ name, layer: name.split('.')[0]!, shape: [2] },
}));

const value = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e6), max: Math.fround(1e6) }),
  },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity) },
);

interface PlainRow {
  readonly step: number;
  readonly values: readonly number[];
}

function open(folder: string, tags: SeriesTags, nRows = 0): Pyramid {
  return new Pyramid({ folder, name: 'table', tags, nRows, bytesPerValue: tags === stepTags ? 8 : 4 });
}

/** What a row has for every series, by the definition of each. */
function seriesOf(tags: SeriesTags, row: readonly number[]): number[] {
  if (tags === stepTags) return [...row];
  const length = (places: readonly number[]): number =>
    places.length === 1 ? row[places[0]!]! : Math.fround(Math.sqrt(places.reduce((sum, at) => sum + row[at]! ** 2, 0)));
  const lines = [[0], [1], [2], [0, 1]];
  return [
    row[6]!,
    ...lines.flatMap((members) => {
      const weight = length(members);
      const gradient = length(members.map((member) => member + 3));
      return [weight, gradient, Math.fround(gradient / weight)];
    }),
  ];
}

function bucketOf(rows: readonly PlainRow[], tags: SeriesTags, series: number) {
  const all = rows.map(({ values }) => seriesOf(tags, values)[series]!);
  const finite = all.filter((one) => Number.isFinite(one));
  const has = (is: (one: number) => boolean, bit: number): number => (all.some(is) ? bit : 0);
  return {
    first: all[0],
    low: finite.length === 0 ? Number.NaN : finite.reduce((a, b) => Math.min(a, b)),
    high: finite.length === 0 ? Number.NaN : finite.reduce((a, b) => Math.max(a, b)),
    last: all.at(-1),
    marks: has(Number.isNaN, 1) + has((one) => one === Infinity, 2) + has((one) => one === -Infinity, 4),
  };
}

/** Not −0, which is no other value than 0. */
function plain(values: readonly (number | undefined)[]): (number | undefined)[] {
  return values.map((one) => (one === 0 ? 0 : one));
}

function expectSame(
  table: Pyramid,
  rows: readonly PlainRow[],
  rowsPerBucket: number,
  first: number,
  end: number,
): void {
  const series = Array.from({ length: table.tags.nSeries }, (_, index) => index);
  const read = table.read(series, { first, end, rowsPerBucket });
  expect(read.firstRow).toBe(Math.floor(first / rowsPerBucket) * rowsPerBucket);
  expect(read.buckets.length).toBe(end > first ? Math.ceil((end - read.firstRow) / rowsPerBucket) : 0);
  read.buckets.forEach((bucket, index) => {
    const start = read.firstRow + index * rowsPerBucket;
    const isLast = index === read.buckets.length - 1;
    // The last one may hold rows beyond the end that was asked for, never fewer.
    const stop = rows.findLastIndex(({ step }) => step === bucket.lastStep) + 1;
    if (isLast) expect(stop).toBeGreaterThanOrEqual(end);
    else expect(stop).toBe(start + rowsPerBucket);
    expect(stop).toBeLessThanOrEqual(start + rowsPerBucket);
    const inside = rows.slice(start, stop);
    expect(bucket).toMatchObject({
      firstStep: inside[0]!.step,
      firstMs: inside[0]!.step * 10,
      lastMs: bucket.lastStep * 10,
    });
    for (const one of series) {
      const expected = bucketOf(inside, table.tags, one);
      const got = [bucket.first[one], bucket.low[one], bucket.high[one], bucket.last[one], bucket.marks[one]];
      expect(plain(got)).toEqual(plain([expected.first, expected.low, expected.high, expected.last, expected.marks]));
    }
  });
}

/** Steps ascend, but for some at which training goes back. */
function history(nColumns: number) {
  return fc.array(
    fc.record({
      advance: fc.oneof(
        { weight: 400, arbitrary: fc.integer({ min: 1, max: 3 }) },
        { weight: 1, arbitrary: fc.integer({ min: -90, max: 0 }) },
      ),
      values: fc.array(value, { minLength: nColumns, maxLength: nColumns }),
    }),
    { minLength: 1, maxLength: 700, size: 'max' },
  );
}

function appendAll(
  table: Pyramid,
  rows: PlainRow[],
  moves: readonly { advance: number; values: readonly number[] }[],
): void {
  for (const { advance, values } of moves) {
    const step = Math.max(1, (rows.at(-1)?.step ?? 0) + advance);
    while (rows.length > 0 && rows.at(-1)!.step >= step) rows.pop();
    rows.push({ step, values });
    table.append(step, step * 10, values);
  }
}

describe.each([
  ['scalars', stepTags],
  ['norms', normTags(parameters)],
] as const)('a pyramid of %s', (_name, tags) => {
  it('says of every stretch what its rows say, however it is cut into buckets, where training went back, and after it was opened anew', () => {
    fc.assert(
      fc.property(
        history(tags.nColumns),
        history(tags.nColumns),
        fc.array(
          fc.tuple(fc.nat(10), fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
          {
            minLength: 4,
            maxLength: 4,
          },
        ),
        (before, after, stretches) => {
          const folder = temporaryFolder();
          const rows: PlainRow[] = [];
          const early = open(folder, tags);
          appendAll(early, rows, before);
          early.flush();
          early.close();
          const table = open(folder, tags, rows.length);
          appendAll(table, rows, after);
          expect(table.rows).toBe(rows.length);
          expect(table.lastStep).toBe(rows.at(-1)!.step);
          for (const [power, a, b] of stretches) {
            const [first, end] = [a, b].map((part) => Math.round(part * rows.length)).sort((x, y) => x - y);
            expectSame(table, rows, 2 ** power, first!, end!);
          }
          table.close();
        },
      ),
      { numRuns: 12 },
    );
  });

  it('finds the rows of a stretch of steps, with one neighbour beyond each end', () => {
    const table = open(temporaryFolder(), tags);
    for (let step = 10; step <= 1000; step += 10) table.append(step, step, new Array<number>(tags.nColumns).fill(step));
    expect(table.rowsBetween(95, 125)).toEqual({ first: 8, end: 13 });
    expect(table.rowsBetween(100, 120)).toEqual({ first: 8, end: 13 });
    expect(table.rowsBetween(-Infinity, Infinity)).toEqual({ first: 0, end: 100 });
    expect(table.rowsBetween(5000, 6000)).toEqual({ first: 99, end: 100 });
    expect(table.rowsBetween(-5, 0)).toEqual({ first: 0, end: 1 });
    expect(table.rowAt(9)).toBe(-1);
    expect(table.rowAt(19)).toBe(0);
    table.close();
  });
});

describe('a long pyramid', () => {
  it('loses no spike of one step, at any zoom, and reads few values for it', () => {
    const table = open(temporaryFolder(), stepTags);
    const nRows = 300_000;
    const spike = 123_457;
    for (let step = 1; step <= nRows; step++)
      table.append(step, step, [step === spike ? 1e9 : Math.sin(step), 0.5, 0.1]);
    for (let rowsPerBucket = 1; rowsPerBucket <= 2 ** 19; rowsPerBucket *= 2) {
      const first = Math.max(0, spike - 500 * rowsPerBucket);
      const { buckets } = table.read([0], { first, end: Math.min(nRows, spike + 500 * rowsPerBucket), rowsPerBucket });
      const hit = buckets.filter(({ high }) => high[0] === 1e9);
      expect(hit).toHaveLength(1);
      expect(hit[0]!.firstStep).toBeLessThanOrEqual(spike);
      expect(hit[0]!.lastStep).toBeGreaterThanOrEqual(spike);
      expect(buckets.length).toBeLessThanOrEqual(1002);
    }
    table.close();
  });
});
