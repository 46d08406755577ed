// Float64 reference of the activations with trained coefficients per channel, by their definitions.

export type ChannelActivationType = 'prelu' | 'generalized-tanh' | 'srelu' | 'apl' | 'polynomial';

/** f(x) by channel; x `[…, C]`, coefficients `[C, P]`. */
export function channelActivation(
  x: Float64Array,
  coefficients: Float64Array,
  type: ChannelActivationType,
  channels: number,
): Float64Array {
  const length = coefficients.length / channels;
  return x.map((value, n) => {
    const start = (n % channels) * length;
    return definitions[type](value, coefficients.subarray(start, start + length)).y;
  });
}

/** dx = dy·∂f/∂x, and dcoefficients = Σ dy·∂f/∂c over the rows. */
export function channelActivationGradients(
  dy: Float64Array,
  x: Float64Array,
  coefficients: Float64Array,
  type: ChannelActivationType,
  channels: number,
): { dx: Float64Array; dcoefficients: Float64Array } {
  const length = coefficients.length / channels;
  const dcoefficients = new Float64Array(coefficients.length);
  const dx = x.map((value, n) => {
    const start = (n % channels) * length;
    const { slope, partials } = definitions[type](value, coefficients.subarray(start, start + length));
    partials.forEach((partial, p) => {
      dcoefficients[start + p] = dcoefficients[start + p]! + dy[n]! * partial;
    });
    return dy[n]! * slope;
  });
  return { dx, dcoefficients };
}

interface Evaluated {
  readonly y: number;
  /** ∂f/∂x. */
  readonly slope: number;
  /** ∂f/∂c for each coefficient. */
  readonly partials: readonly number[];
}

const definitions: Readonly<Record<ChannelActivationType, (x: number, c: Float64Array) => Evaluated>> = {
  prelu: (x, [a]) => ({ y: x > 0 ? x : a! * x, slope: x > 0 ? 1 : a!, partials: [x > 0 ? 0 : x] }),
  'generalized-tanh': (x, [a, b]) => {
    const t = Math.tanh((b! * x) / 2);
    // Where the slope of tanh is 0, an infinite x adds nothing.
    const flank = 1 - t * t === 0 ? 0 : 1 - t * t;
    return { y: a! * t, slope: (a! * b! * flank) / 2, partials: [t, flank === 0 ? 0 : (a! * x * flank) / 2] };
  },
  srelu: (x, [left, leftSlope, right, rightSlope]) => {
    if (x >= right!) {
      const y = right! + rightSlope! * (x - right!);
      return { y, slope: rightSlope!, partials: [0, 0, 1 - rightSlope!, x - right!] };
    }
    if (x <= left!) {
      const y = left! + leftSlope! * (x - left!);
      return { y, slope: leftSlope!, partials: [1 - leftSlope!, x - left!, 0, 0] };
    }
    return { y: x, slope: 1, partials: [0, 0, 0, 0] };
  },
  apl: (x, c) => {
    const a = [...c.subarray(0, c.length / 2)];
    const b = [...c.subarray(c.length / 2)];
    const hinges = b.map((hinge) => Math.max(0, hinge - x));
    return {
      y: a.reduce((sum, weight, i) => sum + weight * hinges[i]!, Math.max(0, x)),
      slope: a.reduce((sum, weight, i) => sum - (hinges[i]! > 0 ? weight : 0), x > 0 ? 1 : 0),
      partials: [...hinges, ...a.map((weight, i) => (hinges[i]! > 0 ? weight : 0))],
    };
  },
  polynomial: (x, c) => ({
    y: c.reduce((sum, coefficient, power) => sum + coefficient * x ** power, 0),
    slope: c.reduce((sum, coefficient, power) => sum + (power > 0 ? power * coefficient * x ** (power - 1) : 0), 0),
    partials: [...c.keys()].map((power) => x ** power),
  }),
};
