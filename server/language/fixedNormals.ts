// Normal numbers that are always the same: what is drawn by them does not change from one look to the next.

/** By Box and Muller (1958), of a linear congruential generator (Knuth's MMIX), whose upper bits are taken. */
export function fixedNormals(count: number): Float64Array {
  let state = 1n;
  const uniform = () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return (Number(state >> 32n) + 0.5) / 2 ** 32;
  };
  return Float64Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}
