// Float64 reference of the fixed activations, by their definitions.

export type ActivationType =
  'relu' | 'elu' | 'swish' | 'step' | 'sigmoid' | 'tanh' | 'leaky-relu' | 'gelu' | 'softplus' | 'smooth-relu';

/** The activation of each element; alpha is ELU's α, leaky ReLU's slope, softplus's a or SmoothReLU's β. */
export function activation(x: Float64Array, type: ActivationType, alpha: number): Float64Array {
  return x.map((value) => activationValue(value, type, alpha));
}

/** dy times the derivative at x; ReLU's at 0 is 0, a step's is 1 for |x| < alpha (straight through) and else 0. */
export function activationGradient(
  dy: Float64Array,
  x: Float64Array,
  type: ActivationType,
  alpha: number,
): Float64Array {
  return x.map((value, i) => dy[i]! * activationSlope(value, type, alpha));
}

export function activationValue(x: number, type: ActivationType, alpha: number): number {
  switch (type) {
    case 'relu':
      return Math.max(x, 0);
    case 'elu':
      return x > 0 ? x : alpha * (Math.exp(x) - 1);
    case 'swish':
      return x === -Infinity ? 0 : x / (1 + Math.exp(-x));
    case 'step':
      return Number.isNaN(x) ? NaN : x >= 0 ? 1 : 0;
    case 'sigmoid':
      return 1 / (1 + Math.exp(-x));
    case 'tanh':
      return Math.tanh(x);
    case 'leaky-relu':
      return x > 0 ? x : alpha * x;
    case 'gelu':
      return x === -Infinity ? 0 : x * normalDistribution(x);
    case 'softplus':
      // log(1 + e^z) as max(z, 0) + log(1 + e^−|z|), which is the same and can't overflow.
      return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(alpha * x))) / alpha;
    case 'smooth-relu':
      if (x === Infinity) return Infinity;
      return x < 0 ? 0 : x - Math.log1p(alpha * x) / alpha;
    default:
      return type satisfies never;
  }
}

export function activationSlope(x: number, type: ActivationType, alpha: number): number {
  switch (type) {
    case 'relu':
      // The comparison is false for NaN, through which the slope is 1, as in PyTorch.
      return x <= 0 ? 0 : 1;
    case 'elu':
      return x > 0 ? 1 : alpha * Math.exp(x);
    case 'swish': {
      if (Math.abs(x) === Infinity) return x > 0 ? 1 : 0;
      const sigmoid = 1 / (1 + Math.exp(-x));
      return sigmoid + x * sigmoid * (1 - sigmoid);
    }
    case 'step':
      return Math.abs(x) < alpha ? 1 : 0;
    case 'sigmoid': {
      const sigmoid = 1 / (1 + Math.exp(-x));
      return sigmoid * (1 - sigmoid);
    }
    case 'tanh':
      return 1 - Math.tanh(x) ** 2;
    case 'leaky-relu':
      return x > 0 ? 1 : alpha;
    case 'gelu':
      if (Math.abs(x) === Infinity) return x > 0 ? 1 : 0;
      return normalDistribution(x) + x * normalDensity(x);
    case 'softplus':
      return 1 / (1 + Math.exp(-alpha * x));
    case 'smooth-relu':
      return x <= 0 ? 0 : 1 - 1 / (1 + alpha * x);
    default:
      return type satisfies never;
  }
}

/** Φ(x) of the standard normal distribution, to about 1e-13 of itself. */
function normalDistribution(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (x > 2) return 1 - normalDistribution(-x);
  if (x < -2) {
    // Laplace's continued fraction of the tail, φ(x)/(x + 1/(x + 2/(x + …))).
    let fraction = 0;
    for (let k = 400; k > 0; k--) fraction = k / (-x + fraction);
    return normalDensity(x) / (-x + fraction);
  }
  // ½ + φ(x)(x + x³/3 + x⁵/15 + …): all terms of one sign.
  let term = x;
  let sum = x;
  for (let n = 3; n < 120; n += 2) {
    term *= (x * x) / n;
    sum += term;
  }
  return 0.5 + normalDensity(x) * sum;
}

function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}
