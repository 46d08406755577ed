// What is kept of the values of a stretch of rows: the first, the lowest and the highest finite one, the last, and which kinds of
// non-finite ones are among them. Joining two stretches loses nothing of that.

/** Bits of `marks`. */
export const isNaNMark = 1;
export const isPlusInfinityMark = 2;
export const isMinusInfinityMark = 4;

/** For each series, one value each. */
export class Bucket {
  readonly first: Float64Array;
  /** NaN where none is finite, as is `high`. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly last: Float64Array;
  readonly marks: Uint8Array;
  nRows = 0;

  constructor(nSeries: number) {
    this.first = new Float64Array(nSeries);
    this.low = new Float64Array(nSeries);
    this.high = new Float64Array(nSeries);
    this.last = new Float64Array(nSeries);
    this.marks = new Uint8Array(nSeries);
  }

  clear(): void {
    this.nRows = 0;
  }

  /** A row of values, one a series. */
  take(values: ArrayLike<number>): void {
    const { first, low, high, last, marks } = this;
    const isEmpty = this.nRows === 0;
    for (let index = 0; index < last.length; index++) {
      const value = values[index]!;
      last[index] = value;
      if (isEmpty) {
        first[index] = value;
        marks[index] = 0;
        low[index] = Number.NaN;
        high[index] = Number.NaN;
      }
      // What is not finite differs from itself or from its product with 0.
      if (value - value === 0) {
        if (!(value >= low[index]!)) low[index] = value;
        if (!(value <= high[index]!)) high[index] = value;
      } else marks[index]! |= markOf(value);
    }
    this.nRows++;
  }

  /** A later stretch. */
  join(later: Bucket): void {
    if (later.nRows === 0) return;
    const isEmpty = this.nRows === 0;
    for (let index = 0; index < this.last.length; index++) {
      this.last[index] = later.last[index]!;
      if (isEmpty) {
        this.first[index] = later.first[index]!;
        this.low[index] = later.low[index]!;
        this.high[index] = later.high[index]!;
        this.marks[index] = later.marks[index]!;
        continue;
      }
      const low = later.low[index]!;
      const high = later.high[index]!;
      if (low === low && !(low >= this.low[index]!)) this.low[index] = low;
      if (high === high && !(high <= this.high[index]!)) this.high[index] = high;
      this.marks[index]! |= later.marks[index]!;
    }
    this.nRows += later.nRows;
  }
}

function markOf(value: number): number {
  if (Number.isNaN(value)) return isNaNMark;
  return value > 0 ? isPlusInfinityMark : isMinusInfinityMark;
}
