// Statistics and histogram of a tensor's values, block by block: in a first round what their range is, in a second how they spread over
// it. The figures are those of all values at once, to the last bit, however they are cut into blocks.

const nBins = 40;

export interface TensorFigures {
  readonly l2: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly std: number;
  readonly nonFinite: number;
  readonly histogram: readonly number[];
}

/** Sums, all in float64. */
interface Moments {
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly squares: number;
  readonly nFinite: number;
  readonly nonFinite: number;
}

/** Of the finite values; all NaN but the counts where there is none. */
export class FirstRound {
  #moments: Moments = { min: Infinity, max: -Infinity, sum: 0, squares: 0, nFinite: 0, nonFinite: 0 };

  add(values: ArrayLike<number>): void {
    let { min, max, sum, squares, nFinite } = this.#moments;
    const before = nFinite;
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (!Number.isFinite(value)) continue;
      nFinite++;
      sum += value;
      squares += value * value;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    const nonFinite = this.#moments.nonFinite + values.length - (nFinite - before);
    this.#moments = { min, max, sum, squares, nFinite, nonFinite };
  }

  /** To which the same values are to be added again. */
  end(): SecondRound {
    return new SecondRound(this.#moments);
  }
}

export class SecondRound {
  readonly #moments: Moments;
  readonly #mean: number;
  readonly #histogram: Histogram;
  #spread = 0;

  constructor(moments: Moments) {
    this.#moments = moments;
    this.#mean = moments.sum / moments.nFinite;
    this.#histogram = new Histogram(moments);
  }

  add(values: ArrayLike<number>): void {
    const mean = this.#mean;
    const histogram = this.#histogram;
    let spread = this.#spread;
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (!Number.isFinite(value)) continue;
      spread += (value - mean) ** 2;
      histogram.add(value);
    }
    this.#spread = spread;
  }

  end(): TensorFigures {
    const { min, max, squares, nFinite, nonFinite } = this.#moments;
    const [mean, histogram] = [this.#mean, this.#histogram.counts];
    if (nFinite > 0) {
      return { l2: Math.sqrt(squares), min, max, mean, std: Math.sqrt(this.#spread / nFinite), nonFinite, histogram };
    }
    const none = Number.NaN;
    return { l2: none, min: none, max: none, mean: none, std: none, nonFinite, histogram };
  }
}

/** Counts of finite values in equal bins from `min` to `max`. */
export class Histogram {
  readonly counts = new Array<number>(nBins).fill(0);
  readonly #scale: number;
  readonly #first: number;
  readonly #binsPerUnit: number;

  constructor(range: { readonly min: number; readonly max: number }) {
    const { scale, first, binsPerUnit } = binsOf(range);
    this.#scale = scale;
    this.#first = first;
    this.#binsPerUnit = binsPerUnit;
  }

  add(value: number): void {
    const bin = Math.floor((value * this.#scale - this.#first) * this.#binsPerUnit);
    // A file that is written to meanwhile may give others than those that the range is of.
    this.counts[Math.max(0, Math.min(nBins - 1, bin))]! += 1;
  }
}

/** Ranges of float64 that are wider than its largest number, or next to nothing, are scaled first. */
function binsOf({ min, max }: { readonly min: number; readonly max: number }): {
  scale: number;
  first: number;
  binsPerUnit: number;
} {
  if (!(min < max)) return { scale: 0, first: 0, binsPerUnit: 0 };
  const scale = max - min === Infinity ? 2 ** -8 : nBins / (max - min) === Infinity ? 2 ** 200 : 1;
  const first = min * scale;
  return { scale, first, binsPerUnit: nBins / (max * scale - first) };
}
