// Which of some figures are the best.

/** Positions of the largest, with all that equal it; none where fewer than two are known (others are NaN). */
export function bestOf(values: readonly number[]): ReadonlySet<number> {
  const known = values.filter((value) => !Number.isNaN(value));
  const best = Math.max(...known);
  return new Set(known.length < 2 ? [] : values.flatMap((value, index) => (value === best ? [index] : [])));
}
