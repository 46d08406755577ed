// Gradients by central differences in float64, to check analytic ones against.
import { expectClose } from '../expectClose.ts';

/**
 * Checks a gradient of Σ dy·f(x) with respect to x. The step 1e-5 leaves about 1e-10 of truncation and 1e-11/1e-5 of
 * rounding, for functions and derivatives of magnitude 1.
 */
export function expectGradient(
  gradient: Float64Array,
  f: (x: Float64Array) => Float64Array,
  x: Float64Array,
  dy: Float64Array,
  name: string,
): void {
  const step = 1e-5;
  const weighted = (at: Float64Array) => f(at).reduce((total, value, i) => total + dy[i]! * value, 0);
  const numeric = x.map((value, i) => {
    const above = Float64Array.from(x);
    const below = Float64Array.from(x);
    above[i] = value + step;
    below[i] = value - step;
    return (weighted(above) - weighted(below)) / (above[i] - below[i]);
  });
  expectClose(gradient, numeric, { absolute: 2e-7, relative: 1e-6 }, name);
}
