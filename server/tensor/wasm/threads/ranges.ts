// Cutting work into ranges, and adding up what fixed parts of it gave.

/** [first, last) ranges over 0 … total, at most `nMost`, as equal as multiples of `grain` allow; none for a total of 0. */
export function rangesOf(total: number, grain: number, nMost: number): [first: number, last: number][] {
  const nGrains = Math.ceil(total / grain);
  const nRanges = Math.min(nGrains, nMost);
  const cut = (index: number) => Math.min(total, Math.floor((index * nGrains) / nRanges) * grain);
  return Array.from({ length: nRanges }, (_, index) => [cut(index), cut(index + 1)]);
}

/** Ranges that depend on the shape alone: sums over them, added in order, are the same for any number of threads. */
export function fixedParts(total: number, grain: number): [first: number, last: number][] {
  return rangesOf(total, grain, 16);
}

/** Σ over parts of `length` values each, in their order. */
export function addParts(values: Float64Array, length: number): Float64Array {
  const total = new Float64Array(length);
  for (let start = 0; start < values.length; start += length) {
    for (let i = 0; i < length; i++) total[i]! += values[start + i]!;
  }
  return total;
}
