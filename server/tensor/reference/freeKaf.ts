// Float64 reference of the KAF with dictionary and bandwidth of its own for each channel: kaf.ts's, channel by channel.
import { kaf, kafGradients, type KafReference } from './kaf.ts';

export interface FreeKafCoefficients {
  /** `[C, D]`. */
  readonly alpha: Float64Array;
  /** `[C, D]`. */
  readonly dictionary: Float64Array;
  /** log γ, `[C]`. */
  readonly logGamma: Float64Array;
}

type Base = KafReference['base'];

/** f(x) = base(x) + Σᵢ αᵢ exp(−γ(x − dᵢ)²); x `[…, C]`. */
export function freeKaf(x: Float64Array, coefficients: FreeKafCoefficients, base: Base): Float64Array {
  const y = new Float64Array(x.length);
  forEachChannel(coefficients, base, (channel, nChannels, alpha, options) => {
    kaf(columnOf(x, channel, nChannels), alpha, options).forEach((value, row) => {
      y[row * nChannels + channel] = value;
    });
  });
  return y;
}

/** As kafGradients, and dlogGamma = γ·dgamma, `[C]`. */
export function freeKafGradients(
  dy: Float64Array,
  x: Float64Array,
  coefficients: FreeKafCoefficients,
  base: Base,
): { dx: Float64Array; dalpha: Float64Array; ddictionary: Float64Array; dlogGamma: Float64Array } {
  const dx = new Float64Array(x.length);
  const dalpha = new Float64Array(coefficients.alpha.length);
  const ddictionary = new Float64Array(coefficients.alpha.length);
  const dlogGamma = new Float64Array(coefficients.logGamma.length);
  forEachChannel(coefficients, base, (channel, nChannels, alpha, options) => {
    const slopes = columnOf(dy, channel, nChannels);
    const exact = kafGradients(slopes, columnOf(x, channel, nChannels), alpha, options);
    exact.dx.forEach((value, row) => {
      dx[row * nChannels + channel] = value;
    });
    dalpha.set(exact.dalpha, channel * alpha.length);
    ddictionary.set(exact.ddictionary, channel * alpha.length);
    dlogGamma[channel] = options.gamma * exact.dgamma[0]!;
  });
  return { dx, dalpha, ddictionary, dlogGamma };
}

function forEachChannel(
  { alpha, dictionary, logGamma }: FreeKafCoefficients,
  base: Base,
  visit: (channel: number, nChannels: number, alpha: Float64Array, options: KafReference) => void,
): void {
  const nChannels = logGamma.length;
  const size = alpha.length / nChannels;
  logGamma.forEach((rho, channel) => {
    const row = (values: Float64Array) => values.slice(channel * size, (channel + 1) * size);
    const options = { channels: 1, dictionary: row(dictionary), gamma: Math.exp(rho), base };
    visit(channel, nChannels, row(alpha), options);
  });
}

function columnOf(values: Float64Array, channel: number, nChannels: number): Float64Array {
  return values.filter((_, n) => n % nChannels === channel);
}
