// The one comparison of numeric arrays in these tests: strict about everything that a tolerance must not hide.

export type NumericArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/**
 * Passes if both arrays are of the same class and length and |actual − expected| ≤ absolute + relative·|expected| for
 * each element; NaN equals only NaN, an infinity only itself.
 * @throws Error that names the worst index, and how many elements are off.
 */
export function expectClose(
  actual: NumericArray,
  expected: NumericArray,
  { absolute, relative }: Tolerance,
  name = 'array',
): void {
  if (actual.constructor !== expected.constructor) {
    throw new Error(`${name}: expected a ${expected.constructor.name}, got a ${actual.constructor.name}`);
  }
  if (actual.length !== expected.length) {
    throw new Error(`${name}: expected length ${String(expected.length)}, got ${String(actual.length)}`);
  }
  let worst = -1;
  let worstExcess = 0;
  let nWrong = 0;
  actual.forEach((value: number, index: number) => {
    const wanted = expected[index]!;
    const excess = excessOf(value, wanted, absolute + relative * Math.abs(wanted));
    if (excess > 0) nWrong++;
    if (excess > worstExcess) {
      worst = index;
      worstExcess = excess;
    }
  });
  if (nWrong > 0) {
    throw new Error(
      `${name}: ${String(nWrong)} of ${String(actual.length)} elements are off; the worst is [${String(worst)}]: ` +
        `expected ${String(expected[worst])}, got ${String(actual[worst])} ` +
        `(absolute ${String(absolute)}, relative ${String(relative)})`,
    );
  }
}

/** By how much a value exceeds its tolerance: 0 or less if it is within, Infinity if no tolerance applies. */
function excessOf(value: number, wanted: number, tolerance: number): number {
  if (Number.isFinite(value) && Number.isFinite(wanted)) return Math.abs(value - wanted) - tolerance;
  return Object.is(value, wanted) ? 0 : Infinity;
}
