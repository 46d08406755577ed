// What a layer is, and the layers without parameters of their own.
import * as tf from '@tensorflow/tfjs-core';
import { dropout } from '../tensor/ops/dropout.ts';
import { batchNormInference } from '../tensor/ops/batchNorm.ts';
import type { RandomKey } from '../tensor/ops/random.ts';

/** One forward pass. */
export interface Pass {
  /** `training`: batch statistics and dropout; `inference`: running statistics, no dropout. */
  readonly mode: 'training' | 'inference';
  /** For dropout in training; its stream is that of the first dropout layer. */
  readonly key: RandomKey | null;
  /** What will be differentiated: all parameters and not the input, or the input and no parameter. */
  readonly gradients: 'all' | 'input';
  /** Whether the input will be differentiated beside all parameters. */
  readonly differentiatesInput?: true;
  /** Where a training pass leaves its batch statistics (kept: whoever passes it disposes); null where nobody wants them. */
  readonly batchStatistics: BatchStatistics[] | null;
  /** Who looks at what each activation layer takes and makes, in inference; the tensors are the pass's. */
  readonly seen?: (layer: string, input: tf.Tensor, output: tf.Tensor) => void;
}

/** Mean and biased variance of one batch-normalisation layer's input, over `nValues` values a channel. */
export interface BatchStatistics {
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
  readonly nValues: number;
}

export type Layer = (x: tf.Tensor, pass: Pass) => tf.Tensor;

/** One after the other; none of them: the input itself. */
export function chain(layers: readonly Layer[]): Layer {
  return (x, pass) => layers.reduce((value, layer) => layer(value, pass), x);
}

/** The `index`-th (0, 1, …) dropout layer; `rate` is the share dropped. */
export function makeDropout(rate: number, index: number): Layer {
  return (x, { mode, key }) => {
    if (mode === 'inference' || rate === 0) return x;
    if (!key) throw new Error('a training pass with dropout needs a random key');
    return dropout(x, rate, { ...key, stream: key.stream + index });
  };
}

/** (x − mean)/std per channel: a layer of the model, so that attacks stay in pixel units. */
export function makeNormalization({
  mean,
  std,
}: {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}): {
  readonly apply: Layer;
  readonly constants: readonly tf.Tensor[];
} {
  const gamma = tf.ones<tf.Rank.R1>([mean.length]);
  const beta = tf.zeros<tf.Rank.R1>([mean.length]);
  const center = tf.tensor1d([...mean]);
  const variance = tf.tensor1d(std.map((value) => value * value));
  return {
    apply: (x) => batchNormInference(x, gamma, beta, center, variance, 0),
    constants: [gamma, beta, center, variance],
  };
}
