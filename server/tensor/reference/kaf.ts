// Float64 reference of the kernel activation function: the direct sum over the dictionary, with all four gradients.

export interface KafReference {
  /** Number of channels C, the length of x's last axis. */
  readonly channels: number;
  /** The D dictionary elements, shared by all channels. */
  readonly dictionary: Float64Array;
  readonly gamma: number;
  readonly base: 'none' | 'swish';
}

/** D elements, uniform on [−boundary, boundary]. */
export function uniformDictionary(length: number, boundary: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => -boundary + (2 * boundary * i) / (length - 1));
}

/** f(x) = base(x) + Σᵢ αᵢ exp(−γ(x − dᵢ)²); x `[…, C]`, alpha `[C, D]`. */
export function kaf(x: Float64Array, alpha: Float64Array, options: KafReference): Float64Array {
  const { channels, dictionary, gamma, base } = options;
  return x.map((value, n) => {
    let sum = base === 'swish' ? swish(value) : 0;
    dictionary.forEach((d, i) => {
      sum += alpha[(n % channels) * dictionary.length + i]! * Math.exp(-gamma * (value - d) ** 2);
    });
    return sum;
  });
}

/**
 * dx = dy(base′(x) − 2γ Σ αᵢ(x − dᵢ)κᵢ), dalpha = Σ dy κᵢ, ddictionary = Σ dy·2γ(x − dᵢ)αᵢκᵢ, dgamma = −Σ dy Σ αᵢ(x − dᵢ)²κᵢ.
 * The last three for each channel: `[C, D]`, `[C, D]`, `[C]`.
 */
export function kafGradients(
  dy: Float64Array,
  x: Float64Array,
  alpha: Float64Array,
  options: KafReference,
): { dx: Float64Array; dalpha: Float64Array; ddictionary: Float64Array; dgamma: Float64Array } {
  const { channels, dictionary, gamma, base } = options;
  const dx = new Float64Array(x.length);
  const dalpha = new Float64Array(alpha.length);
  const ddictionary = new Float64Array(alpha.length);
  const dgamma = new Float64Array(channels);
  x.forEach((value, n) => {
    const channel = n % channels;
    let slope = base === 'swish' ? swishSlope(value) : 0;
    dictionary.forEach((d, i) => {
      const k = channel * dictionary.length + i;
      const kernel = Math.exp(-gamma * (value - d) ** 2);
      // At an infinite x kernel and slope have the limit 0, which 0·∞ is not.
      const offset = kernel === 0 ? 0 : value - d;
      slope -= 2 * gamma * alpha[k]! * offset * kernel;
      dalpha[k] = dalpha[k]! + dy[n]! * kernel;
      ddictionary[k] = ddictionary[k]! + dy[n]! * 2 * gamma * offset * alpha[k]! * kernel;
      dgamma[channel] = dgamma[channel]! - dy[n]! * alpha[k]! * offset ** 2 * kernel;
    });
    dx[n] = dy[n]! * slope;
  });
  return { dx, dalpha, ddictionary, dgamma };
}

function swish(x: number): number {
  return x === -Infinity ? 0 : x / (1 + Math.exp(-x));
}

function swishSlope(x: number): number {
  if (Math.abs(x) === Infinity) return x > 0 ? 1 : 0;
  const sigmoid = 1 / (1 + Math.exp(-x));
  return sigmoid + x * sigmoid * (1 - sigmoid);
}
