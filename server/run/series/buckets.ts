// What is kept of the values of a stretch of rows: the first, the lowest and the highest finite one, their mean, the last, and which kinds of
// non-finite ones are among them. Joining two stretches loses nothing of that, but for the mean beside values that are not finite.

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
  /** Of the finite ones; 0 where none is. Beside others exact only before it is joined, when it counts for as many rows as there are. */
  readonly mean: Float64Array;
  nRows = 0;
  /** Finite values so far, while rows are taken. */
  readonly #counts: Uint32Array;

  constructor(nSeries: number) {
    this.first = new Float64Array(nSeries);
    this.low = new Float64Array(nSeries);
    this.high = new Float64Array(nSeries);
    this.last = new Float64Array(nSeries);
    this.marks = new Uint8Array(nSeries);
    this.mean = new Float64Array(nSeries);
    this.#counts = new Uint32Array(nSeries);
  }

  clear(): void {
    this.nRows = 0;
  }

  /** A row of values, one a series. */
  take(values: ArrayLike<number>): void {
    const { first, low, high, last, marks, mean } = this;
    const counts = this.#counts;
    if (this.nRows === 0) {
      first.set(values);
      marks.fill(0);
      low.fill(Number.NaN);
      high.fill(Number.NaN);
      mean.fill(0);
      counts.fill(0);
    }
    last.set(values);
    for (let index = 0; index < last.length; index++) {
      const value = last[index]!;
      // What is not finite differs from itself or from its product with 0.
      if (value - value === 0) {
        if (!(value >= low[index]!)) low[index] = value;
        if (!(value <= high[index]!)) high[index] = value;
        mean[index]! += (value - mean[index]!) / ++counts[index]!;
      } else marks[index]! |= markOf(value);
    }
    this.nRows++;
  }

  /** A later stretch. */
  join(later: Bucket): void {
    if (later.nRows === 0) return;
    const isEmpty = this.nRows === 0;
    const share = later.nRows / (this.nRows + later.nRows);
    for (let index = 0; index < this.last.length; index++) {
      this.last[index] = later.last[index]!;
      if (isEmpty) {
        this.first[index] = later.first[index]!;
        this.low[index] = later.low[index]!;
        this.high[index] = later.high[index]!;
        this.marks[index] = later.marks[index]!;
        this.mean[index] = later.mean[index]!;
        continue;
      }
      const low = later.low[index]!;
      const high = later.high[index]!;
      if (low === low) {
        const weight = this.low[index] === this.low[index] ? share : 1;
        this.mean[index]! += (later.mean[index]! - this.mean[index]!) * weight;
      }
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
