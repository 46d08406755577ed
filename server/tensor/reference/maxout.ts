// Float64 reference of maxout, by its definition.

/** y_c = max_k x_{k·C + c}; x `[…, K·C]`, `channels` C. NaN wins. */
export function maxout(x: Float64Array, maps: number, channels: number): Float64Array {
  return Float64Array.from(candidates(x, maps, channels), (places) => Math.max(...places.map((place) => x[place]!)));
}

/** dx: dy where the largest is, the first of equal ones; 0 elsewhere. */
export function maxoutGradient(dy: Float64Array, x: Float64Array, maps: number, channels: number): Float64Array {
  const dx = new Float64Array(x.length);
  const largest = maxout(x, maps, channels);
  candidates(x, maps, channels).forEach((places, n) => {
    dx[places.find((place) => Object.is(x[place], largest[n]) || x[place] === largest[n])!] = dy[n]!;
  });
  return dx;
}

/** For each output, the places in x that it is the largest of. */
function candidates(x: Float64Array, maps: number, channels: number): number[][] {
  return Array.from({ length: x.length / maps }, (_, n) => {
    const row = Math.floor(n / channels);
    return Array.from({ length: maps }, (__, map) => (row * maps + map) * channels + (n % channels));
  });
}
