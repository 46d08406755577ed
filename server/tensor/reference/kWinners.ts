// Reference of k-winners-take-all, by sorting each sample.

/** `values` where x is a winner of its sample, and 0 elsewhere: with x itself the output, with dy the gradient. */
export function keepWinners(values: Float64Array, x: Float64Array, nSamples: number, count: number): Float64Array {
  const size = x.length / nSamples;
  return values.map((value, i) => {
    const sample = Math.floor(i / size);
    const others = x.subarray(sample * size, (sample + 1) * size);
    return isWinner(x[i]!, others, count) ? value : 0;
  });
}

/** Whether fewer than `count` of the sample are larger; NaN is larger than any number. */
function isWinner(value: number, sample: Float64Array, count: number): boolean {
  if (Number.isNaN(value)) return true;
  return sample.filter((other) => other > value || Number.isNaN(other)).length < count;
}
