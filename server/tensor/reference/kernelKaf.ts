// Kernel activation functions of any kernels in float64, as the direct sum over kernels and dictionary: the reference of the runtimes and
// the kernel of the plain one.
import { curveOf } from '../../formula/evaluate.ts';
import { kafKernelFormula, kafKernels, type KafKernelName } from '../../formula/kafKernels.ts';

export interface KernelKafReference {
  /** Number of channels C, the length of x's last axis. */
  readonly channels: number;
  readonly kernels: readonly KafKernelName[];
  /** Number D of elements, uniform on [−boundary, boundary]. */
  readonly dictionary: number;
  readonly boundary: number;
  readonly gamma: number;
  readonly base: 'none' | 'swish';
}

/** Beyond which a kernel is taken for what it is there, and one that rises for a straight line: so that infinities have limits. */
export const farAway = 1e9;

/** f(x) = base(x) + Σₘ Σᵢ αₘᵢ κₘ(x, dᵢ); x `[…, C]`, alpha `[C, M·D]`. */
export function kernelKaf(x: ArrayLike<number>, alpha: ArrayLike<number>, options: KernelKafReference): Float64Array {
  const { channels, base } = options;
  const width = options.kernels.length * options.dictionary;
  const y = Float64Array.from(x, (value) => (base === 'swish' ? swish(value) : 0));
  const rises = new Float64Array(channels);
  forEachColumn(x, options, (column, { values }, rise) => {
    for (let channel = 0; channel < channels; channel++) rises[channel]! += rise * alpha[channel * width + column]!;
    values.forEach((kernel, n) => {
      y[n]! += alpha[(n % channels) * width + column]! * kernel;
    });
  });
  if (!options.kernels.some((name) => kafKernels[name].rise > 0)) return y;
  return y.map((sum, n) => (x[n]! > farAway ? sum + rises[n % channels]! * (x[n]! - farAway) : sum));
}

/** dx = dy·∂f/∂x and dalpha = Σ dy κ over the rows, `[C, M·D]`. */
export function kernelKafGradients(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  alpha: ArrayLike<number>,
  options: KernelKafReference,
): { dx: Float64Array; dalpha: Float64Array } {
  const { channels, base } = options;
  const width = options.kernels.length * options.dictionary;
  const slope = Float64Array.from(x, (value) => (base === 'swish' ? swishSlope(value) : 0));
  const dalpha = new Float64Array(channels * width);
  forEachColumn(x, options, (column, { values, slopes }, rise) => {
    for (let n = 0; n < x.length; n++) {
      const at = (n % channels) * width + column;
      slope[n]! += alpha[at]! * slopes[n]!;
      const overshoot = rise > 0 && x[n]! > farAway ? x[n]! - farAway : 0;
      dalpha[at]! += dy[n]! * (values[n]! + overshoot);
    }
  });
  // What is constant on either side of an element would take NaN for the left one.
  return { dx: slope.map((steepness, n) => (Number.isNaN(x[n]) ? Number.NaN : dy[n]! * steepness)), dalpha };
}

/** Calls back with κ and κ′ at every |x| ≤ `farAway`, for each column of alpha. */
function forEachColumn(
  x: ArrayLike<number>,
  { kernels, dictionary, boundary, gamma }: KernelKafReference,
  visit: (column: number, curve: { values: Float64Array; slopes: Float64Array }, rise: 0 | 1) => void,
): void {
  kernels.forEach((name, m) => {
    const formula = kafKernelFormula(name, gamma);
    for (let i = 0; i < dictionary; i++) {
      const element = (2 * boundary * i) / (dictionary - 1) - boundary;
      const distances = Float64Array.from(x, (value) => Math.min(Math.max(value, -farAway), farAway) - element);
      visit(m * dictionary + i, curveOf(formula, distances, []), kafKernels[name].rise);
    }
  });
}

function swish(x: number): number {
  return x === -Infinity ? 0 : x / (1 + Math.exp(-x));
}

function swishSlope(x: number): number {
  if (Math.abs(x) === Infinity) return x > 0 ? 1 : 0;
  const sigmoid = 1 / (1 + Math.exp(-x));
  return sigmoid + x * sigmoid * (1 - sigmoid);
}
