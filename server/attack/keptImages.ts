// The images of a batch as they are kept: as they were, as they were attacked, and what the network said.
import { readFloats } from '../tensor/read.ts';
import type { AttackSpace } from './space.ts';
import type { Fooled, Trial } from './trial.ts';
import * as tf from '@tensorflow/tfjs-core';

/** Row by row, in the units of the data set. */
export interface KeptBatch {
  /** Position of the first in the test set. */
  readonly first: number;
  /** How many are kept in all batches together. */
  readonly total: number;
  /** Of a sample. */
  readonly shape: readonly number[];
  readonly classes: readonly string[];
  readonly clean: Float32Array;
  /** What fooled, at the smallest distance where that is measured; the image itself where nothing did. */
  readonly attacked: Float32Array;
  readonly labels: Int32Array;
  /** What the network says of the attacked image. */
  readonly predictions: Int32Array;
  /** ‖attacked − clean‖ in the plan's norm and the attack's units. */
  readonly distances: Float32Array;
  /** As the records have them: 0 wrong as it is, 1 fooled, 2 stands. */
  readonly outcomes: Uint8Array;
}

/** Gathers what fools while a batch is attacked. */
export class ImageKeeper {
  readonly #nKept: number;
  readonly #fooled = new Map<number, Fooled>();

  /** @param nKept of the batch, the first so many */
  constructor(nKept: number) {
    this.#nKept = nKept;
  }

  hear(fooled: Fooled): void {
    if (fooled.row < this.#nKept) this.#fooled.set(fooled.row, fooled);
  }

  /** @param images of the batch `[n, …]`, in the space */
  batch(
    trial: Pick<Trial, 'predictions'>,
    {
      images,
      labels,
      outcomes,
      norm,
      space,
      ...of
    }: {
      readonly images: tf.Tensor;
      readonly labels: Int32Array;
      readonly outcomes: Uint8Array;
      readonly first: number;
      readonly total: number;
      readonly classes: readonly string[];
      readonly norm: 'linf' | 'l2';
      readonly space: AttackSpace;
    },
  ): KeptBatch {
    const n = this.#nKept;
    const clean = tf.tidy(() => readFloats(tf.slice(images, 0, n)));
    const size = clean.length / n;
    const attacked = clean.slice();
    const predictions = trial.predictions.slice(0, n);
    const distances = new Float32Array(n);
    for (const [row, { image, prediction }] of this.#fooled) {
      attacked.set(image, row * size);
      predictions[row] = prediction;
      const offsets = image.map((value, index) => value - clean[row * size + index]!);
      distances[row] =
        norm === 'linf' ? offsets.reduce((most, d) => Math.max(most, Math.abs(d)), 0) : Math.hypot(...offsets);
    }
    const leave = (values: Float32Array) =>
      tf.tidy(() => readFloats(space.leave(tf.tensor(values, [n, ...images.shape.slice(1)]))));
    return {
      ...{ ...of, shape: images.shape.slice(1) },
      ...{ clean: leave(clean), attacked: leave(attacked), labels: labels.slice(0, n) },
      ...{ predictions, distances, outcomes: outcomes.slice(0, n) },
    };
  }
}
