// Answers what charts ask of runs: for each tag of each run its buckets, all of as many rows, so that curves of several runs have points at
// the same steps.
import type { RunSeries, SeriesQuery, SeriesResult, SeriesTable, TagSeries } from '../../protocol/series.ts';
import type { Pyramid } from './pyramid.ts';
import { allTables, type Tables } from './runSeries.ts';

export interface ReadableRun {
  readonly runId: string;
  readonly cursor: number;
  readonly failure: string | null;
  /** Null where it can't be read. */
  readonly tables: Tables | null;
}

/** Of one answer; a message to a panel stays far below what a message may have. */
const maxValues = 2_000_000;

/** A tag that a run does not have is left out. */
export function readSeries(runs: readonly ReadableRun[], query: SeriesQuery): SeriesResult {
  const asked = runs.map((run) => ({ run, parts: run.tables ? partsOf(run.tables, query) : [] }));
  const longest = Math.max(...asked.flatMap(({ parts }) => parts.map(({ first, end }) => end - first)));
  const nSeries = asked.flatMap(({ parts }) => parts.map(({ series }) => series.length)).reduce((a, b) => a + b, 0);
  const most = Math.max(8, Math.min(query.pixels, Math.floor(maxValues / 4 / nSeries)));
  const rowsPerBucket = query.rowsPerBucket ?? bucketRows(longest, most);
  return {
    runs: asked.map(({ run: { runId, cursor, failure }, parts }): RunSeries => ({
      ...{ runId, cursor, failure },
      tables: parts.map((part) => readPart(part, fewEnough(part, rowsPerBucket), query)),
    })),
  };
}

interface Part {
  readonly table: Pyramid;
  readonly series: readonly number[];
  readonly first: number;
  readonly end: number;
}

/** Rows of a bucket, a power of two; each row by itself where they are at most twice as many as the buckets. */
export function bucketRows(nRows: number, buckets: number): number {
  return nRows <= 2 * buckets ? 1 : 2 ** Math.ceil(Math.log2(nRows / buckets));
}

/** Whoever asks for the size of buckets may ask for more of them than anybody can draw. */
function fewEnough({ series, first, end }: Part, rowsPerBucket: number): number {
  const most = Math.floor(maxValues / series.length);
  return Math.max(rowsPerBucket, 2 ** Math.ceil(Math.log2((end - first) / most)));
}

function partsOf(tables: Tables, { tags, from, to }: SeriesQuery): Part[] {
  return allTables(tables).flatMap((table): Part[] => {
    if (table.rows === 0) return [];
    const positions = new Map(table.tags.names.map((name, index) => [name, index]));
    const named = tags.flatMap((tag) => (tag.endsWith('/') ? layerTags(positions, tag) : tag));
    const series = [...new Set(named)].flatMap((tag) => positions.get(tag) ?? []);
    if (series.length === 0) return [];
    return [{ table, series, ...table.rowsBetween(from ?? -Infinity, to ?? Infinity) }];
  });
}

/** In the order of the network. A layer of one tensor is that tensor. */
function layerTags(positions: ReadonlyMap<string, number>, quantity: string): string[] {
  return [...positions.keys()].flatMap((tag) => {
    if (!tag.startsWith(quantity) || tag.endsWith('*')) return [];
    const layer = `${tag.slice(0, tag.lastIndexOf('.'))}/*`;
    return positions.has(layer) ? layer : tag;
  });
}

function readPart(
  { table, series, first, end }: Part,
  rowsPerBucket: number,
  { smoothing, means = false }: Pick<SeriesQuery, 'smoothing' | 'means'>,
): SeriesTable {
  const { firstRow, buckets } = table.read(series, { first, end, rowsPerBucket });
  const Values = table.bytesPerValue === 4 ? Float32Array : Float64Array;
  const column = (of: 'first' | 'low' | 'high' | 'last' | 'mean', index: number): Float32Array | Float64Array => {
    const values = new Values(buckets.length);
    for (let at = 0; at < values.length; at++) values[at] = buckets[at]![of][index]!;
    return values;
  };
  return {
    ...{ rowsPerBucket, firstRow },
    firstStep: Float64Array.from(buckets, ({ firstStep }) => firstStep),
    lastStep: Float64Array.from(buckets, ({ lastStep }) => lastStep),
    firstMs: Float64Array.from(buckets, ({ firstMs }) => firstMs),
    lastMs: Float64Array.from(buckets, ({ lastMs }) => lastMs),
    series: series.map((position, index): TagSeries => ({
      tag: table.tags.names[position]!,
      first: column('first', index),
      ...(rowsPerBucket === 1
        ? {}
        : { low: column('low', index), high: column('high', index), last: column('last', index) }),
      ...(means && rowsPerBucket > 1 ? { mean: column('mean', index) } : {}),
      marks: Uint8Array.from(buckets, ({ marks }) => marks[index]!),
      ...(smoothing === 0
        ? {}
        : {
            smooth: Values.from(
              smoothed(table, position, { first: firstRow, rowsPerBucket, nBuckets: buckets.length, smoothing }),
            ),
          }),
    })),
  };
}

/**
 * Debiased exponential moving average over all rows: m ← w·m + (1−w)·y, shown as m / (1 − wⁿ) after n values (Kingma and Ba 2015, §3), at the
 * last row of each bucket. A value that is not finite gives NaN at its place and leaves the average as it was.
 */
function smoothed(
  table: Pyramid,
  series: number,
  {
    first,
    rowsPerBucket,
    nBuckets,
    smoothing,
  }: { first: number; rowsPerBucket: number; nBuckets: number; smoothing: number },
): Float64Array {
  const result = new Float64Array(nBuckets);
  let average = 0;
  let debias = 1;
  let row = 0;
  for (const part of table.valuesOf(series, Math.min(table.rows, first + nBuckets * rowsPerBucket))) {
    for (const value of part) {
      const isFinite = value - value === 0;
      if (isFinite) {
        average = smoothing * average + (1 - smoothing) * value;
        debias *= smoothing;
      }
      if (row >= first)
        result[Math.floor((row - first) / rowsPerBucket)] = isFinite ? average / (1 - debias) : Number.NaN;
      row++;
    }
  }
  return result;
}
