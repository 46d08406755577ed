// Float64 reference of the fixed activations, by their definitions.

export type ActivationType = 'relu' | 'elu' | 'swish';

/** ReLU, ELU(alpha) or Swish of each element. */
export function activation(x: Float64Array, type: ActivationType, alpha: number): Float64Array {
  return x.map((value) => activationValue(value, type, alpha));
}

/** dy times the derivative at x; ReLU's at 0 is 0. */
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
    default:
      return type satisfies never;
  }
}
