// One table of a run by step: every row as it is, and above it buckets of 64 rows, of 256, of 1024, …. Any stretch of rows is answered in
// any number of buckets without reading more than a few values a bucket, and none of them is left out. Files alone: next to nothing is in memory.
import path from 'node:path';
import { Bucket } from './buckets.ts';
import { ColumnFile } from './columnFile.ts';
import { Joined, placed, type PlacedBucket } from './placedBuckets.ts';
import type { SeriesTags } from './seriesTags.ts';

export interface PyramidOptions {
  readonly folder: string;
  /** Of its files. */
  readonly name: string;
  readonly tags: SeriesTags;
  readonly bytesPerValue: 4 | 8;
  /** Held already, as `rows` was when it was flushed; 0 begins anew. */
  readonly nRows: number;
}

/** Rows of a bucket of the lowest level, and how many buckets make one of the next. */
const lowestRows = 64;
const fanOut = 4;
const partsOfBucket = 6;

/** The step and the time of a row; of a bucket the first and the last of both. */
const rowPlaces = 2;
const bucketPlaces = 4;

interface Level {
  readonly rowsPerBucket: number;
  readonly places: ColumnFile;
  readonly values: ColumnFile;
  /** What has no whole bucket of this level yet. */
  readonly open: Bucket;
  openPlaces: [number, number, number, number];
}

/** A stretch of rows in buckets; a bucket of one row is that row. */
export interface Stretch {
  /** Of the table, of its first bucket. */
  readonly firstRow: number;
  readonly rowsPerBucket: number;
  readonly buckets: readonly PlacedBucket[];
}

export class Pyramid {
  readonly tags: SeriesTags;
  readonly #options: PyramidOptions;
  readonly #places: ColumnFile;
  readonly #rows: ColumnFile;
  readonly #levels: Level[] = [];
  readonly #derived: Float64Array;
  #lastStep = -Infinity;

  constructor(options: PyramidOptions) {
    const { nRows, tags } = options;
    this.#options = options;
    this.tags = tags;
    this.#derived = new Float64Array(tags.nSeries);
    this.#places = this.#placesFile('rows-at', rowPlaces, nRows);
    this.#rows = new ColumnFile(
      this.#file('rows'),
      {
        ...{ nColumns: tags.nColumns, bytesPerValue: options.bytesPerValue },
        rowsPerChunk: chunkRows(tags.nColumns, 4096),
      },
      nRows,
    );
    if (nRows > 0) this.#restore(nRows);
  }

  get rows(): number {
    return this.#places.rows;
  }

  get bytesPerValue(): 4 | 8 {
    return this.#options.bytesPerValue;
  }

  /** −∞ before the first. */
  get lastStep(): number {
    return this.#lastStep;
  }

  /** Ascending steps: a row at or before the last ones takes their place, as training that goes back does. */
  append(step: number, timeMs: number, row: ArrayLike<number>): void {
    if (step <= this.#lastStep) this.truncate(this.#firstRow((each) => each >= step));
    this.#lastStep = step;
    this.#places.append([step, timeMs]);
    this.#rows.append(row);
    this.tags.derive(row, this.#derived);
    const lowest = this.#level(0);
    this.#takeRow(lowest, step, timeMs);
    this.#closeFull(0);
  }

  /** Keeps the first rows alone. */
  truncate(nRows: number): void {
    this.#places.truncate(nRows);
    this.#rows.truncate(nRows);
    for (const level of this.#levels) {
      const nBuckets = Math.floor(nRows / level.rowsPerBucket);
      level.places.truncate(nBuckets);
      level.values.truncate(nBuckets);
    }
    this.#reopen(nRows);
  }

  flush(): void {
    for (const file of this.#files()) file.flush();
  }

  close(): void {
    for (const file of this.#files()) file.close();
  }

  /** The last row whose step is at most that; −1 where there is none. */
  rowAt(step: number): number {
    return this.#firstRow((each) => each > step) - 1;
  }

  /** Rows of the steps in [from, to] with one neighbour beyond each end. */
  rowsBetween(from: number, to: number): { first: number; end: number } {
    const first = Math.max(0, this.#firstRow((each) => each >= from) - 1);
    return { first, end: Math.max(first, Math.min(this.rows, this.rowAt(to) + 2)) };
  }

  /**
   * Rows [first, end) of some series in buckets whose borders are multiples of their size in the table, so that a growing table keeps them.
   * @param series positions in `tags` @param rowsPerBucket a power of two
   */
  read(
    series: readonly number[],
    { first, end, rowsPerBucket }: { first: number; end: number; rowsPerBucket: number },
  ): Stretch {
    const firstRow = Math.floor(first / rowsPerBucket) * rowsPerBucket;
    const buckets: PlacedBucket[] = [];
    if (end <= first) return { firstRow, rowsPerBucket, buckets };
    if (rowsPerBucket < lowestRows) {
      this.#eachRow(series, firstRow, end, rowsPerBucket, (bucket) => buckets.push(bucket));
      return { firstRow, rowsPerBucket, buckets };
    }
    const level = this.#levels.findLast((each) => each.rowsPerBucket <= rowsPerBucket)!;
    const whole = Math.min(end, level.places.rows * level.rowsPerBucket);
    const open = new Joined(series.length);
    const close = (): void => {
      const closed = open.close();
      if (closed) buckets.push(closed);
    };
    if (firstRow < whole) {
      this.#eachBucket(
        level,
        series,
        firstRow,
        Math.ceil(whole / level.rowsPerBucket) * level.rowsPerBucket,
        (part, row) => {
          if (row % rowsPerBucket === 0) close();
          open.join(part);
        },
      );
    }
    // What no whole bucket of the level holds: by ever finer ones, at last by rows.
    let at = Math.max(firstRow, Math.ceil(whole / level.rowsPerBucket) * level.rowsPerBucket);
    for (const finer of this.#levels.slice(0, this.#levels.indexOf(level)).reverse()) {
      const until = Math.floor(end / finer.rowsPerBucket) * finer.rowsPerBucket;
      if (at >= until) continue;
      this.#eachBucket(finer, series, at, until, (part, row) => {
        if (row % rowsPerBucket === 0) close();
        open.join(part);
      });
      at = until;
    }
    if (at % rowsPerBucket === 0) close();
    this.#eachRow(series, at, end, lowestRows, (part) => {
      open.join(part);
    });
    close();
    return { firstRow, rowsPerBucket, buckets };
  }

  /** All values of one series up to a row, a part at a time, in their order. */
  *valuesOf(series: number, end: number): Generator<Float64Array, void> {
    const columns = this.tags.columnsOf(series);
    for (let start = 0; start < end; start += 4096) {
      const parts = this.#rows.read(columns, start, Math.min(end, start + 4096));
      yield this.tags.valuesOf(series, parts);
    }
  }

  #eachRow(
    series: readonly number[],
    first: number,
    end: number,
    rowsPerBucket: number,
    visit: (bucket: PlacedBucket) => void,
  ): void {
    const columns = [...new Set(series.flatMap((one) => this.tags.columnsOf(one)))];
    const places = new Map(columns.map((column, index) => [column, index]));
    const partRows = 4096;
    for (let start = first; start < end; start += partRows) {
      const until = Math.min(end, start + partRows);
      const [steps, times] = this.#places.read([0, 1], start, until) as [Float64Array, Float64Array];
      const read = this.#rows.read(columns, start, until);
      const values = series.map((one) =>
        this.tags.valuesOf(
          one,
          this.tags.columnsOf(one).map((column) => read[places.get(column)!]!),
        ),
      );
      const row = new Float64Array(series.length);
      for (let at = 0; at < until - start; at += rowsPerBucket) {
        const stop = Math.min(until - start, at + rowsPerBucket);
        const bucket = new Bucket(series.length);
        for (let place = at; place < stop; place++) {
          for (let index = 0; index < series.length; index++) row[index] = values[index]![place]!;
          bucket.take(row);
        }
        visit(
          placed(bucket, {
            firstStep: steps[at]!,
            lastStep: steps[stop - 1]!,
            firstMs: times[at]!,
            lastMs: times[stop - 1]!,
          }),
        );
      }
    }
  }

  #eachBucket(
    level: Level,
    series: readonly number[],
    firstRow: number,
    endRow: number,
    visit: (bucket: PlacedBucket, firstRow: number) => void,
  ): void {
    const columns = series.flatMap((one) =>
      Array.from({ length: partsOfBucket }, (_, part) => one * partsOfBucket + part),
    );
    const partBuckets = 128;
    const end = endRow / level.rowsPerBucket;
    for (let start = firstRow / level.rowsPerBucket; start < end; start += partBuckets) {
      const until = Math.min(end, start + partBuckets);
      const [firstStep, lastStep, firstMs, lastMs] = level.places.read([0, 1, 2, 3], start, until);
      const read = level.values.read(columns, start, until);
      for (let at = 0; at < until - start; at++) {
        const values = (part: number): Float64Array =>
          Float64Array.from(series, (_, index) => read[index * partsOfBucket + part]![at]!);
        const [first, low, high, last] = [values(0), values(1), values(2), values(3)];
        visit(
          {
            ...{ first, low, high, last, marks: Uint8Array.from(values(4)), mean: values(5) },
            nRows: level.rowsPerBucket,
            ...{ firstStep: firstStep![at]!, lastStep: lastStep![at]! },
            ...{ firstMs: firstMs![at]!, lastMs: lastMs![at]! },
          },
          (start + at) * level.rowsPerBucket,
        );
      }
    }
  }

  #takeRow(level: Level, step: number, timeMs: number): void {
    if (level.open.nRows === 0) level.openPlaces = [step, step, timeMs, timeMs];
    level.openPlaces[1] = step;
    level.openPlaces[3] = timeMs;
    level.open.take(this.#derived);
  }

  /** A bucket that has all its rows is written, and counts for the level above. */
  #closeFull(index: number): void {
    const level = this.#levels[index]!;
    if (level.open.nRows < level.rowsPerBucket) return;
    level.places.append(level.openPlaces);
    level.values.append(asRow(level.open));
    const above = this.#level(index + 1);
    if (above.open.nRows === 0) above.openPlaces = [...level.openPlaces];
    above.openPlaces[1] = level.openPlaces[1];
    above.openPlaces[3] = level.openPlaces[3];
    above.open.join(level.open);
    level.open.clear();
    this.#closeFull(index + 1);
  }

  #level(index: number, nRows = 0): Level {
    const { tags, bytesPerValue } = this.#options;
    const rowsPerBucket = lowestRows * fanOut ** index;
    const nBuckets = Math.floor(nRows / rowsPerBucket);
    return (this.#levels[index] ??= {
      rowsPerBucket,
      places: this.#placesFile(`level-${String(index)}-at`, bucketPlaces, nBuckets),
      values: new ColumnFile(
        this.#file(`level-${String(index)}`),
        {
          ...{ nColumns: tags.nSeries * partsOfBucket, bytesPerValue },
          rowsPerChunk: chunkRows(tags.nSeries * partsOfBucket, 64),
        },
        nBuckets,
      ),
      open: new Bucket(tags.nSeries),
      openPlaces: [0, 0, 0, 0],
    });
  }

  #restore(nRows: number): void {
    for (let index = 0; index === 0 || nRows >= lowestRows * fanOut ** (index - 1); index++) this.#level(index, nRows);
    this.#reopen(nRows);
  }

  /** What is not yet in a whole bucket is gathered again: of rows, and of buckets of the level below. */
  #reopen(nRows: number): void {
    this.#lastStep = nRows === 0 ? -Infinity : this.#places.read([0], nRows - 1, nRows)[0]![0]!;
    const all = Array.from({ length: this.tags.nSeries }, (_, index) => index);
    this.#levels.forEach((level, index) => {
      level.open.clear();
      const from = level.places.rows * level.rowsPerBucket;
      const gather = (part: PlacedBucket, nPartRows: number): void => {
        if (level.open.nRows === 0) level.openPlaces = [part.firstStep, part.lastStep, part.firstMs, part.lastMs];
        level.open.join({ ...part, nRows: nPartRows });
      };
      if (index === 0) {
        this.#eachRow(all, from, nRows, 1, (part) => {
          gather(part, 1);
        });
        return;
      }
      const below = this.#levels[index - 1]!;
      this.#eachBucket(below, all, from, below.places.rows * below.rowsPerBucket, (part) => {
        gather(part, below.rowsPerBucket);
      });
    });
  }

  /** The first row whose step is so, where all later ones are, too; their number where none is. */
  #firstRow(isSo: (step: number) => boolean): number {
    let low = 0;
    let high = this.rows;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isSo(this.#places.read([0], middle, middle + 1)[0]![0]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #placesFile(name: string, nColumns: number, nRows: number): ColumnFile {
    return new ColumnFile(this.#file(name), { nColumns, rowsPerChunk: 1024, bytesPerValue: 8 }, nRows);
  }

  #file(name: string): string {
    return path.join(this.#options.folder, `${this.#options.name}-${name}`);
  }

  #files(): ColumnFile[] {
    return [this.#places, this.#rows, ...this.#levels.flatMap(({ places, values }) => [places, values])];
  }
}

/** Rows of a chunk, a power of two: it is in memory while it is filled. */
function chunkRows(nColumns: number, most: number): number {
  const valuesPerChunk = 1 << 17;
  return Math.max(1, Math.min(most, 2 ** Math.floor(Math.log2(valuesPerChunk / nColumns))));
}

function asRow({ first, low, high, last, marks, mean }: Bucket): Float64Array {
  const row = new Float64Array(first.length * partsOfBucket);
  for (let index = 0; index < first.length; index++) {
    const parts = [first[index]!, low[index]!, high[index]!, last[index]!, marks[index]!, mean[index]!];
    row.set(parts, index * partsOfBucket);
  }
  return row;
}
