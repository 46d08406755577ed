// What the makers of activation layers take and give.
import type * as tf from '@tensorflow/tfjs-core';
import type { ShapeInfo } from '../protocol/records.ts';
import type { BatchNormResult } from '../tensor/ops/batchNorm.ts';
import type { Layer, Pass } from './layer.ts';
import type { ParameterMaker } from './parameters.ts';

export interface ActivationLayer {
  readonly apply: Layer;
  /** The same behind a batch normalisation in training, where both can be one op. */
  readonly applyNormalized?: NormalizedLayer;
  /** Null where nothing of it is trained. */
  readonly info: ShapeInfo | null;
}

export type NormalizedLayer = (
  x: tf.Tensor,
  normalization: { readonly gamma: tf.Tensor1D; readonly beta: tf.Tensor1D; readonly epsilon: number },
  pass: Pass,
) => BatchNormResult<tf.Tensor>;

export interface Place {
  /** Of the layer, for example `block2.kaf1`. */
  readonly name: string;
  /** The length of the last axis of what it makes. */
  readonly channels: number;
  readonly maker: ParameterMaker;
  readonly progress: Progress;
}

/** How far training has come, for layers that change by it; the network keeps it up to date. */
export interface Progress {
  /** Epochs done before the one at hand. */
  epoch: number;
}
