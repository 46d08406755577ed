// What is kept of the values of a stretch of rows: the first, the lowest and the highest finite one, their mean, the last, and which kinds of
// non-finite ones are among them. Joining two stretches loses nothing of that, but for the mean beside values that are not finite.

/** Bits of `marks`. */
export const isNaNMark = 1;
export const isPlusInfinityMark = 2;
export const isMinusInfinityMark = 4;

/** Of a stretch of rows, for each series one value each. */
export interface BucketParts {
  readonly first: Float64Array;
  /** NaN where none is finite, as is `high`. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly last: Float64Array;
  readonly marks: Uint8Array;
  /** Of the finite ones; 0 where none is. Beside others exact only before it is joined, when it counts for as many rows as there are. */
  readonly mean: Float64Array;
  readonly nRows: number;
}

/** Gathers them. */
export class Bucket implements BucketParts {
  readonly first: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly last: Float64Array;
  readonly marks: Uint8Array;
  nRows = 0;
  /** Of what is finite. */
  readonly #sums: Float64Array;
  /** Rows without. */
  readonly #nMissing: Uint32Array;
  readonly #mean: Float64Array;

  constructor(nSeries: number) {
    this.first = new Float64Array(nSeries);
    this.low = new Float64Array(nSeries);
    this.high = new Float64Array(nSeries);
    this.last = new Float64Array(nSeries);
    this.marks = new Uint8Array(nSeries);
    this.#sums = new Float64Array(nSeries);
    this.#nMissing = new Uint32Array(nSeries);
    this.#mean = new Float64Array(nSeries);
  }

  /** The same array each time. */
  get mean(): Float64Array {
    const mean = this.#mean;
    for (let index = 0; index < mean.length; index++) {
      const count = this.nRows - this.#nMissing[index]!;
      mean[index] = count > 0 ? this.#sums[index]! / count : 0;
    }
    return mean;
  }

  clear(): void {
    this.nRows = 0;
  }

  /** A row of values, one a series. */
  take(values: ArrayLike<number>): void {
    if (this.nRows === 0) this.#begin(values);
    const { low, high, last, marks } = this;
    const sums = this.#sums;
    last.set(values);
    for (let index = 0; index < last.length; index++) {
      const value = last[index]!;
      // What is not finite differs from itself.
      if (value - value === 0) {
        if (!(value >= low[index]!)) low[index] = value;
        if (!(value <= high[index]!)) high[index] = value;
        sums[index]! += value;
      } else {
        marks[index]! |= markOf(value);
        this.#nMissing[index]!++;
      }
    }
    this.nRows++;
  }

  /** A later stretch. */
  join({ first, low, high, last, marks, mean, nRows }: BucketParts): void {
    if (nRows === 0) return;
    if (this.nRows === 0) this.#begin(first);
    this.last.set(last);
    for (let index = 0; index < last.length; index++) {
      this.marks[index]! |= marks[index]!;
      const lowest = low[index]!;
      if (lowest !== lowest) {
        this.#nMissing[index]! += nRows;
        continue;
      }
      if (!(lowest >= this.low[index]!)) this.low[index] = lowest;
      if (!(high[index]! <= this.high[index]!)) this.high[index] = high[index]!;
      this.#sums[index]! += mean[index]! * nRows;
    }
    this.nRows += nRows;
  }

  #begin(first: ArrayLike<number>): void {
    this.first.set(first);
    this.low.fill(Number.NaN);
    this.high.fill(Number.NaN);
    this.marks.fill(0);
    this.#sums.fill(0);
    this.#nMissing.fill(0);
  }
}

function markOf(value: number): number {
  if (Number.isNaN(value)) return isNaNMark;
  return value > 0 ? isPlusInfinityMark : isMinusInfinityMark;
}
