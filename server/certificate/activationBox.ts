// Bounds of activation layers on a box.
import type { ActivationLayout } from '../network/layout.ts';
import { winnersRatio } from '../model/activation.ts';
import { dictionaryElements } from '../formula/ridge.ts';
import type { ActivationPlan } from '../protocol/plan.ts';
import { winnerCount } from '../tensor/ops/kWinners.ts';
import { boundCurve, rangeOf, type BoundedCurve } from './curve.ts';
import { curvesOf, type ValuesOf } from './curves.ts';

/** What an activation layer makes of a box, the layer's own values at its two corners being known. */
export type BoundActivation = (box: Corners, at: Corners, nSamples: number) => Corners;

export interface Corners {
  readonly low: Float32Array;
  readonly high: Float32Array;
}

/** @param epoch of the weights, for layers that change in training */
export function makeActivationBound(
  { activation, output }: ActivationLayout,
  valuesOf: ValuesOf,
  epoch: number,
): BoundActivation {
  const channels = output.at(-1)!;
  const curves = curvesOf(activation, channels, valuesOf)?.map(boundCurve);
  if (curves) return (box, at) => curveBox(curves, box, at);
  switch (activation.type) {
    case 'maxout':
      // It rises with each of its inputs.
      return (_, at) => at;
    case 'k-wta':
      return (box, _, nSamples) => winnersBox(box, nSamples, channels, activation, epoch);
    case 'kaf-2d':
      return (box) => surfaceBox(box, channels, valuesOf('alpha')!, activation);
    default:
      throw new Error(`no bounds of ${activation.type}`);
  }
}

/** By channel; one curve where all are alike. */
function curveBox(curves: readonly BoundedCurve[], box: Corners, at: Corners): Corners {
  const [low, high] = [new Float32Array(box.low.length), new Float32Array(box.low.length)];
  for (let n = 0; n < low.length; n++) {
    const [first, last] = [at.low[n]!, at.high[n]!];
    const ends = first <= last ? { low: first, high: last } : { low: last, high: first };
    const range = rangeOf(curves[n % curves.length]!, { low: box.low[n]!, high: box.high[n]! }, ends);
    low[n] = range.low;
    high[n] = range.high;
  }
  return { low, high };
}

/**
 * k-winners-take-all: a value stays where it is surely among the k largest, is 0 where it surely is not, and may be either elsewhere.
 */
function winnersBox(
  { low, high }: Corners,
  nSamples: number,
  channels: number,
  { ratio, rounding, over, lowering }: Extract<ActivationPlan, { type: 'k-wta' }>,
  epoch: number,
): Corners {
  const size = low.length / nSamples;
  const nLanes = over === 'channel' && size > channels ? channels : 1;
  const count = winnerCount(size / nLanes, winnersRatio(ratio, lowering, epoch), rounding);
  const made = { low: new Float32Array(low.length), high: new Float32Array(low.length) };
  for (let sample = 0; sample < nSamples; sample++) {
    for (let lane = 0; lane < nLanes; lane++) {
      const places = Array.from({ length: size / nLanes }, (_, i) => sample * size + i * nLanes + lane);
      const kth = (values: Float32Array) => {
        const sorted = Float32Array.from(places, (at) => values[at]!).sort();
        return (rank: number) => sorted[sorted.length - rank] ?? -Infinity;
      };
      const [fromLow, fromHigh] = [kth(low), kth(high)];
      for (const at of places) {
        // Beside itself, at least k others surely larger, or fewer than k that may be as large.
        const surelyLoses = fromLow(count) > high[at]!;
        const surelyWins = fromHigh(count + 1) < low[at]!;
        made.low[at] = surelyLoses ? 0 : surelyWins ? low[at]! : Math.min(0, low[at]!);
        made.high[at] = surelyLoses ? 0 : surelyWins ? high[at]! : Math.max(0, high[at]!);
      }
    }
  }
  return made;
}

/** Σᵢ Σⱼ αᵢⱼ·κᵢ(u)·κⱼ(v), each kernel between its least and its most on the box. */
function surfaceBox(
  { low, high }: Corners,
  channels: number,
  alpha: Float32Array,
  { dictionary: size, boundary, gamma }: Extract<ActivationPlan, { type: 'kaf-2d' }>,
): Corners {
  const elements = dictionaryElements({ size, boundary, gamma });
  const made = { low: new Float32Array(low.length / 2), high: new Float32Array(low.length / 2) };
  const kernelsOn = (from: number, to: number) =>
    Array.from(elements, (d) => {
      const ends = [from, to].map((x) => Math.exp(-gamma * (x - d) ** 2));
      return { low: Math.min(...ends), high: from <= d && to >= d ? 1 : Math.max(...ends) };
    });
  for (let n = 0; n < made.low.length; n++) {
    const channel = n % channels;
    const at = 2 * (n - channel) + channel;
    const first = kernelsOn(low[at]!, high[at]!);
    const second = kernelsOn(low[at + channels]!, high[at + channels]!);
    let [least, most] = [0, 0];
    first.forEach((u, i) => {
      second.forEach((v, j) => {
        const weight = alpha[(channel * size + i) * size + j]!;
        const [small, large] = [weight * u.low * v.low, weight * u.high * v.high];
        least += Math.min(small, large);
        most += Math.max(small, large);
      });
    });
    made.low[n] = least;
    made.high[n] = most;
  }
  return made;
}
