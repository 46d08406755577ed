// Cutting batches out of a split: in which order, the next ones read while one is used, and their samples as tensors.
// Augmentation is cropAndFlip of server/tensor/ops/augment.ts, on the batch.
import * as tf from '@tensorflow/tfjs-core';
import { permutation, type RandomKey } from '../tensor/ops/random.ts';
import type { Dataset, Samples, Split } from './split.ts';

export interface Batch {
  /** float32, `[batch, …sampleShape]`; pictures in [0, 1]. The caller disposes. */
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

/** A split in its own order, from one of its samples on. */
export function* consecutiveBatches(nSamples: number, batchSize: number, from = 0): Generator<Uint32Array> {
  for (let first = from; first < nSamples; first += batchSize) {
    yield consecutive(first, Math.min(batchSize, nSamples - first));
  }
}

/** How many batches are asked for before they are needed: more of small ones, whose steps are over before a thread has its turn. */
const nAhead = { least: 2, most: 16, bytes: 1 << 20 };

export interface ReadAheadOptions {
  /** Called with true where a batch is needed that is not there yet, and with false when it has come. */
  readonly onWait?: ((isWaiting: boolean) => void) | undefined;
}

/** The batches that `orders` choose, one after the other; the next are being read while the caller uses one. */
export async function* readAhead(
  split: Split,
  orders: Iterable<Uint32Array>,
  { onWait }: ReadAheadOptions = {},
): AsyncGenerator<Samples, void> {
  const chosen = orders[Symbol.iterator]();
  const asked: Asked[] = [];
  let ahead = nAhead.least;
  try {
    for (;;) {
      while (asked.length < ahead + 1) {
        const next = chosen.next();
        if (next.done) break;
        asked.push(ask(split, next.value));
      }
      const first = asked.shift();
      if (!first) return;
      const { isThere } = first;
      if (!isThere) onWait?.(true);
      const samples = await first.samples;
      if (!isThere) onWait?.(false);
      const fitting = Math.floor(nAhead.bytes / Math.max(1, samples.values.byteLength));
      ahead = Math.min(nAhead.most, Math.max(nAhead.least, fitting));
      yield samples;
    }
  } finally {
    chosen.return?.();
  }
}

interface Asked {
  readonly samples: Promise<Samples>;
  isThere: boolean;
}

function ask(split: Split, indices: Uint32Array): Asked {
  const samples = split.read(indices);
  const asked: Asked = { samples, isThere: false };
  const note = (): void => {
    asked.isThere = true;
  };
  // What fails is told when its turn comes; nobody may be left to hear it.
  samples.then(note, note);
  return asked;
}

/** Samples as tensors. */
export function makeBatch({ values, labels }: Samples, sampleShape: Dataset['sampleShape']): Batch {
  return {
    // Networks say what they take by the data set's sampleShape; the type is that of pictures.
    images: tf.tensor<tf.Rank>(values, [labels.length, ...sampleShape]) as tf.Tensor4D,
    labels: tf.tensor1d(labels, 'int32'),
  };
}
