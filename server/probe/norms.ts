// Norms and non-finite counts of every weight and gradient. When to look is the trainer's choice.
import * as tf from '@tensorflow/tfjs-core';
import type { NormsRecord } from '../protocol/records.ts';
import { tensorNorms, type TensorNorms } from '../tensor/ops/norms.ts';
import { beginFloats, beginIntegers, type Reading } from '../tensor/read.ts';

/** A network, as far as this folder needs it. */
export interface Weighted {
  readonly parameters: readonly { readonly name: string; readonly variable: tf.Variable }[];
}

export interface Measured {
  readonly norms: Float32Array;
  readonly nonFinite: Int32Array;
}

/** L2 norm and number of NaN and ±Inf of each tensor, of norms that were taken of them. */
export function measured({ norms, nonFinite }: TensorNorms): Reading<Measured> {
  const [readNorms, readCounts] = [beginFloats(norms), beginIntegers(nonFinite)];
  return () => ({ norms: readNorms(), nonFinite: readCounts() });
}

/** Of the weights as they are now. */
export function measureWeights({ parameters }: Weighted): Reading<Measured> {
  const taken = tensorNorms(parameters.map(({ variable }) => variable));
  const reading = measured(taken);
  tf.dispose([taken.norms, taken.nonFinite]);
  return reading;
}

/** The record of one step: weights as they are after it, gradients as measured before the update. */
export function normsRecord(weights: Measured, gradients: Measured, step: number): NormsRecord {
  return {
    type: 'norms',
    step,
    weights: weights.norms,
    gradients: gradients.norms,
    nonFiniteWeights: weights.nonFinite,
    nonFiniteGradients: gradients.nonFinite,
  };
}
