// Cutting batches out of a split: which samples, and their pixels as tensors. Augmentation is cropAndFlip of
// server/tensor/ops/augment.ts, on the batch.
import * as tf from '@tensorflow/tfjs-core';
import { permutation, type RandomKey } from '../tensor/ops/random.ts';
import type { Dataset, Split } from './split.ts';

export interface Batch {
  /** float32 in [0, 1], `[batch, height, width, channels]`. The caller disposes. */
  readonly images: tf.Tensor4D;
  /** int32, `[batch]`. The caller disposes. */
  readonly labels: tf.Tensor1D;
}

/** The order in which an epoch visits a split's samples: every one once. */
export function epochOrder(nSamples: number, key: RandomKey): Uint32Array {
  return permutation(nSamples, key);
}

/** The samples `first`, `first` + 1, … of a split in its own order. */
export function consecutive(first: number, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => first + index);
}

/** The chosen samples as tensors. */
export function makeBatch(split: Split, indices: Uint32Array, sampleShape: Dataset['sampleShape']): Batch {
  const size = sampleShape.reduce((product, length) => product * length, 1);
  const pixels = new Float32Array(indices.length * size);
  const labels = new Int32Array(indices.length);
  for (let row = 0; row < indices.length; row++) {
    const from = indices[row]! * size;
    const to = row * size;
    for (let value = 0; value < size; value++) pixels[to + value] = split.images[from + value]! / 255;
    labels[row] = split.labels[indices[row]!]!;
  }
  return {
    images: tf.tensor<tf.Rank.R4>(pixels, [indices.length, ...sampleShape] as [number, number, number, number]),
    labels: tf.tensor1d(labels, 'int32'),
  };
}
