// What activation functions are given and answer, on images as they are and attacked: densities of inputs by channel, and how far outputs shift.
import * as tf from '@tensorflow/tfjs-core';
import {
  densityBins,
  shiftBins,
  type InputDensities,
  type LayerResponse,
  type ShapeInfo,
} from '../protocol/records.ts';
import { beginFloats, beginTidy, type Reading } from '../tensor/read.ts';
import { beginChannelCounts, beginSpread, inBytes, joinBins, ksDistance } from './spread.ts';

type Seen = (layer: string, input: tf.Tensor, output: tf.Tensor) => void;

/** A network, as far as this file needs it. */
export interface Observed {
  forward(
    samples: tf.Tensor,
    pass: {
      readonly mode: 'inference';
      readonly key: null;
      readonly gradients: 'input';
      readonly batchStatistics: null;
      readonly seen: Seen;
    },
  ): tf.Tensor2D;
  readonly activations: readonly ShapeInfo[];
}

/** Bins by which two distributions are told apart; a multiple of those that are drawn. */
const comparedBins = 16 * shiftBins;

/**
 * Of every activation layer in the order of the forward pass, and of the logits.
 * @param pair the images `[n, …]` as they are, then the same attacked, as the network takes them; in inference mode
 */
export function beginResponses(network: Observed, pair: readonly [tf.Tensor, tf.Tensor]): Reading<LayerResponse[]> {
  const readings: Reading<LayerResponse>[] = [];
  const infos = new Map(network.activations.map((info) => [info.layer, info]));
  tf.tidy(() => {
    const seen: Seen = (layer, input, output) => {
      const inputs = beginDensities(infos.get(layer), input);
      const shift = beginShift(output);
      readings.push(() => ({ layer, ...shift(), ...withInputs(inputs) }));
    };
    const logits = network.forward(tf.concat([...pair], 0), {
      ...{ mode: 'inference', key: null, gradients: 'input', batchStatistics: null, seen },
    });
    const shift = beginShift(logits);
    readings.push(() => ({ layer: 'logits', ...shift() }));
  });
  return () => readings.map((read) => read());
}

/** @param h of both halves, `[2n, …]` */
function beginShift(h: tf.Tensor): Reading<Omit<LayerResponse, 'layer' | 'inputs'>> {
  return beginTidy(() => {
    const [clean, attacked] = halves(h);
    const spread = beginSpread([clean, attacked], comparedBins);
    const lengths = [tf.sub(attacked, clean), clean].map((each) => beginFloats(tf.sqrt(sumOfSquares(each))));
    const [cleanMeans, attackedMeans] = [clean, attacked].map((each) =>
      each.rank === 4 ? tf.mean(each, [1, 2]) : each,
    );
    const thesis = beginFloats(sumOfSquares(tf.sub(attackedMeans!, cleanMeans!)));
    return () => {
      const [moved, base] = lengths.map((read) => read());
      const { low, high, counts } = spread();
      const [before, after] = counts.map((each) => joinBins(each, shiftBins));
      const largest = Math.max(...before!, ...after!);
      return {
        ...{ l2: mean(moved!), relative: mean(moved!.map((length, image) => length / base![image]!)) },
        ...{ thesis: mean(thesis()), ks: ksDistance(counts[0]!, counts[1]!) },
        outputs: { low, high, clean: inBytes(before!, largest), attacked: inBytes(after!, largest) },
      };
    };
  });
}

/** Null where its curves are not observed, or are surfaces. */
function beginDensities(info: ShapeInfo | undefined, x: tf.Tensor): Reading<InputDensities> | null {
  if (!info || 'axis' in info) return null;
  const [low, high] = rangeOf(info);
  return beginTidy(() => {
    const readings = halves(x).map((half) => beginChannelCounts(half, { low, high, nBins: densityBins }));
    return () => {
      const [clean, attacked] = readings.map((read) => read());
      const size = densityBins + 2;
      const result = { low, high, clean: new Uint8Array(clean!.length), attacked: new Uint8Array(clean!.length) };
      for (let start = 0; start < clean!.length; start += size) {
        const rows = [clean!, attacked!].map((counts) => counts.subarray(start, start + size));
        const largest = Math.max(1, ...rows.flatMap((row) => [...row]));
        result.clean.set(inBytes(rows[0]!, largest), start);
        result.attacked.set(inBytes(rows[1]!, largest), start);
      }
      return result;
    };
  });
}

/** What curves are drawn over: the functions' places and 1 beyond; a formula stands nowhere, and is drawn where a normalisation leaves values. */
function rangeOf(info: Exclude<ShapeInfo, { axis: unknown }>): readonly [low: number, high: number] {
  if ('formula' in info) return [-5, 5];
  return [Math.min(...info.dictionary) - 1, Math.max(...info.dictionary) + 1];
}

function withInputs(inputs: Reading<InputDensities> | null): Pick<LayerResponse, 'inputs'> {
  return inputs ? { inputs: inputs() } : {};
}

function halves(x: tf.Tensor): [tf.Tensor, tf.Tensor] {
  return tf.split(x, 2, 0) as [tf.Tensor, tf.Tensor];
}

/** By image. */
function sumOfSquares(x: tf.Tensor): tf.Tensor {
  const rows = tf.reshape(x, [x.shape[0]!, -1]);
  return tf.sum(tf.mul(rows, rows), 1);
}

/** Of the values that are numbers: an image whose answer was 0 has no relative shift. */
function mean(values: Float32Array): number {
  const numbers = values.filter((value) => !Number.isNaN(value));
  return numbers.length === 0 ? Number.NaN : numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}
