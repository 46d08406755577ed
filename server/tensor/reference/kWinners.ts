// Reference of k-winners-take-all, by counting for each value how many are before it.

export interface WinnersReference {
  readonly nSamples: number;
  readonly count: number;
  /** Channels, the last axis, where each has winners of its own; else 1. */
  readonly nLanes: number;
  readonly ties: 'index' | 'all';
}

/** `values` where x is a winner of its group, and 0 elsewhere: with x itself the output, with dy the gradient. */
export function keepWinners(values: Float64Array, x: Float64Array, options: WinnersReference): Float64Array {
  const { nSamples, nLanes } = options;
  const length = x.length / nSamples;
  return values.map((value, i) => {
    const start = Math.floor(i / length) * length;
    const group = x.subarray(start, start + length).filter((_, k) => k % nLanes === i % nLanes);
    return isWinner(group, Math.floor((i - start) / nLanes), options) ? value : 0;
  });
}

/** Whether fewer than `count` are larger, or as large and before it where ties go by index; NaN is larger than any number. */
function isWinner(group: Float64Array, index: number, { count, ties }: WinnersReference): boolean {
  const value = group[index]!;
  if (Number.isNaN(value)) return true;
  const isBefore = (other: number, at: number) =>
    other > value || Number.isNaN(other) || (ties === 'index' && other === value && at < index);
  return group.filter(isBefore).length < count;
}
