// Two-dimensional kernel activation functions in float64: the reference of the runtimes and the kernel of the plain one.

export interface Kaf2dReference {
  /** Number of pairs C: x has 2·C channels. */
  readonly channels: number;
  /** Number D of elements of each axis, uniform on [−boundary, boundary]. */
  readonly side: number;
  readonly boundary: number;
  readonly gamma: number;
}

/** f(u, v) = Σᵢ Σⱼ αᵢⱼ exp(−γ((u − dᵢ)² + (v − dⱼ)²)); x `[…, 2·C]`, alpha `[C, D·D]`, y `[…, C]`. */
export function kaf2d(x: ArrayLike<number>, alpha: ArrayLike<number>, options: Kaf2dReference): Float64Array {
  const y = new Float64Array(x.length / 2);
  forEachPair(x, options, (n, channel, u, v) => {
    let sum = 0;
    u.kernels.forEach((first, i) => {
      v.kernels.forEach((second, j) => {
        sum += alpha[(channel * u.kernels.length + i) * u.kernels.length + j]! * first * second;
      });
    });
    y[n] = sum;
  });
  return y;
}

/** dx = dy·∂f/∂x and dalpha = Σ dy κᵢκⱼ over the rows, `[C, D·D]`. */
export function kaf2dGradients(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  alpha: ArrayLike<number>,
  options: Kaf2dReference,
): { dx: Float64Array; dalpha: Float64Array } {
  const { channels, side } = options;
  const dx = new Float64Array(x.length);
  const dalpha = new Float64Array(channels * side * side);
  forEachPair(x, options, (n, channel, u, v, at) => {
    let [ofFirst, ofSecond] = [0, 0];
    for (let i = 0; i < side; i++) {
      for (let j = 0; j < side; j++) {
        const place = (channel * side + i) * side + j;
        ofFirst += alpha[place]! * u.slopes[i]! * v.kernels[j]!;
        ofSecond += alpha[place]! * u.kernels[i]! * v.slopes[j]!;
        dalpha[place]! += dy[n]! * u.kernels[i]! * v.kernels[j]!;
      }
    }
    dx[at] = dy[n]! * ofFirst;
    dx[at + channels] = dy[n]! * ofSecond;
  });
  return { dx, dalpha };
}

interface Axis {
  readonly kernels: Float64Array;
  readonly slopes: Float64Array;
}

function forEachPair(
  x: ArrayLike<number>,
  options: Kaf2dReference,
  visit: (n: number, channel: number, u: Axis, v: Axis, at: number) => void,
): void {
  const { channels } = options;
  for (let n = 0; n < x.length / 2; n++) {
    const channel = n % channels;
    const at = 2 * (n - channel) + channel;
    visit(n, channel, axisOf(x[at]!, options), axisOf(x[at + channels]!, options), at);
  }
}

function axisOf(x: number, { side, boundary, gamma }: Kaf2dReference): Axis {
  const offsets = Float64Array.from({ length: side }, (_, i) => x - (2 * boundary * i) / (side - 1) + boundary);
  const kernels = offsets.map((offset) => Math.exp(-gamma * offset * offset));
  // A kernel that is 0 has no slope, also where the offset is infinite.
  const slopes = kernels.map((kernel, i) => (kernel === 0 ? 0 : -2 * gamma * offsets[i]! * kernel));
  return { kernels, slopes };
}
