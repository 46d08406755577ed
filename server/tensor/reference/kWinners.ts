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
  const kept = new Float64Array(values.length);
  for (let sample = 0; sample < nSamples; sample++) {
    for (let lane = 0; lane < Math.min(nLanes, length); lane++) {
      const first = sample * length + lane;
      const group = Float64Array.from({ length: length / nLanes }, (_, k) => x[first + k * nLanes]!);
      group.forEach((_, k) => {
        if (isWinner(group, k, options)) kept[first + k * nLanes] = values[first + k * nLanes]!;
      });
    }
  }
  return kept;
}

/** Whether fewer than `count` are larger, or as large and before it where ties go by index; NaN is larger than any number. */
function isWinner(group: Float64Array, index: number, { count, ties }: WinnersReference): boolean {
  const value = group[index]!;
  if (Number.isNaN(value)) return true;
  let nBefore = 0;
  for (let at = 0; at < group.length; at++) {
    const other = group[at]!;
    if (other > value || Number.isNaN(other) || (ties === 'index' && other === value && at < index)) nBefore++;
  }
  return nBefore < count;
}
