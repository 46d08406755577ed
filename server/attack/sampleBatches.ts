// What evaluations of every kind go through: a split's samples batch by batch, as tensors in the space of attacks.
import * as tf from '@tensorflow/tfjs-core';
import { consecutiveBatches, makeBatch, readAhead } from '../data/batches.ts';
import type { Dataset, Split } from '../data/split.ts';
import type { Passes } from '../protocol/records.ts';
import { readIntegers } from '../tensor/read.ts';
import type { AttackSpace } from './space.ts';
import { Target } from './target.ts';

export interface SampleBatch {
  /** `[n, …]` in the space of attacks; gone when the next batch is asked for. */
  readonly images: tf.Tensor;
  readonly labels: Int32Array;
  /** Position of the first in its split. */
  readonly first: number;
}

interface BatchesOptions {
  readonly space: AttackSpace;
  readonly sampleShape: readonly number[];
  readonly batchSize: number;
  /** Up to this position, from that one on. */
  readonly end: number;
  readonly from: number;
}

export async function* sampleBatches(
  split: Split,
  { space, sampleShape, batchSize, end, from }: BatchesOptions,
): AsyncGenerator<SampleBatch, void> {
  let first = from;
  for await (const samples of readAhead(split, consecutiveBatches(end, batchSize, from))) {
    const { images: asRead, labels: asTensor } = makeBatch(samples, sampleShape);
    const images = space.enter<tf.Tensor>(asRead);
    const labels = readIntegers(asTensor);
    tf.dispose([asRead, asTensor]);
    try {
      yield { images, labels, first };
    } finally {
      images.dispose();
    }
    first += labels.length;
  }
}

/** The network in that space, whose passes are counted on from those of before. */
export function targetIn(space: AttackSpace, dataset: Dataset, before: Passes | undefined): Target {
  const passes = before ?? { forward: 0, backward: 0 };
  return new Target(space.network, { nClasses: dataset.classes.length, shape: dataset.sampleShape, passes });
}
