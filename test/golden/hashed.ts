// Numbers that golden.py and the tests make alike, so that golden files need not hold them.

/** golden.py's numbers in [−1, 1): the hash lowbias32 of i + stream·0x9e3779b9, its upper 24 bits u as 2u/2²⁴ − 1. */
export function hashed(stream: number, n: number): Float64Array {
  const offset = Math.imul(stream, 0x9e3779b9);
  return Float64Array.from({ length: n }, (_, i) => {
    let h = (i + offset) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
    h = h ^ (h >>> 16);
    return (2 * (h >>> 8)) / 2 ** 24 - 1;
  });
}
