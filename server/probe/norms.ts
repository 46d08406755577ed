// Norms and non-finite counts of every weight and gradient. When to look is the trainer's choice.
import type * as tf from '@tensorflow/tfjs-core';
import type { NormsRecord } from '../protocol/records.ts';
import { tensorNorms } from '../tensor/ops/norms.ts';

/** A network, as far as this folder needs it. */
export interface Weighted {
  readonly parameters: readonly { readonly name: string; readonly variable: tf.Variable }[];
}

export interface Measured {
  readonly norms: Float32Array;
  readonly nonFinite: Int32Array;
}

/** L2 norm and number of NaN and ±Inf of each tensor, read back at once. */
export function measure(tensors: readonly tf.Tensor[]): Measured {
  return tensorNorms(tensors);
}

/** The record of one step: weights as they are now, gradients as measured before the update. */
export function normsRecord({ parameters }: Weighted, gradients: Measured, step: number): NormsRecord {
  const weights = measure(parameters.map(({ variable }) => variable));
  return {
    type: 'norms',
    step,
    weights: weights.norms,
    gradients: gradients.norms,
    nonFiniteWeights: weights.nonFinite,
    nonFiniteGradients: gradients.nonFinite,
  };
}
