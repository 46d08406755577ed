// Reference of the histogram: each bin's elements by their bounds.

/** Counts in bins of [low, high], the last closed; then below, above and not finite. */
export function histogram(x: Float64Array, low: number, high: number, nBins: number): Int32Array {
  const width = (high - low) / nBins;
  const count = (isIn: (value: number) => boolean) => x.filter((value) => Number.isFinite(value) && isIn(value)).length;
  const bins = Array.from({ length: nBins }, (_, bin) => {
    const start = low + bin * width;
    return count((value) => value >= start && (value < start + width || (bin === nBins - 1 && value === high)));
  });
  const nonFinite = x.filter((value) => !Number.isFinite(value)).length;
  return Int32Array.from([...bins, count((value) => value < low), count((value) => value > high), nonFinite]);
}
