// Projected gradient descent under L∞ on batches of images, worst case: true labels, logits, inference mode; an image is out as
// soon as one restart has fooled the network. The whole evaluation over a data set is in evaluation.ts.
import * as tf from '@tensorflow/tfjs-core';
import type { Network } from '../model/network.ts';
import { uniform, type RandomKey } from '../tensor/ops/random.ts';
import { inputGradient } from './inputGradient.ts';
import { countTrue, readCorrect } from './predictions.ts';
import { inBox, inUnits, stepInBall, type ColumnUnits } from './threatBall.ts';

export interface PgdSettings {
  /** Radius of the ball and length of a step, in pixel units of [0, 1]; of a table's columns, in standard deviations. */
  readonly epsilon: number;
  readonly stepSize: number;
  readonly steps: number;
}

/** Images that still stand, with their true labels and their rows in the batch. Owned: dispose when done. */
export type Survivors = {
  readonly images: tf.Tensor4D;
  readonly labels: Int32Array;
  readonly rows: Int32Array;
};

/** The images that the network gets right as they are. The given images stay the caller's. */
export function selectCorrect(network: Network, images: tf.Tensor4D, labels: Int32Array): Survivors {
  const correct = tf.tidy(() => readCorrect(forward(network, images), labels));
  const rows = Int32Array.from(labels.keys());
  return tf.tidy(() => keepRows({ images: images.clone(), labels, rows }, correct));
}

/**
 * One restart (Madry et al. 2018, eq. 3.2 there with projection onto the ball and [0, 1]): a start drawn uniformly in the ball
 * and clipped, then x ← clip(x + stepSize·sign ∇ₓ loss). Yields after each step, the start being step 0, how many of the images
 * are still right at this and every earlier step. Fooled images are dropped at once.
 * @param clean disposed by this generator
 * @param units of a table's columns; the caller's
 * @param key for the start; drawn for all `nRows` of the batch, so that an image's start does not depend on who survived
 * @returns the images that stand after all steps, as they were clean
 */
export function* attackOnce(
  network: Network,
  clean: Survivors,
  { epsilon, stepSize, steps }: PgdSettings,
  { key, nRows, units = null }: { readonly key: RandomKey; readonly nRows: number; readonly units?: ColumnUnits },
): Generator<number, Survivors> {
  let standing = clean;
  let attacked = tf.tidy(() => drawStart(clean, epsilon, { key, nRows, units }));
  let isDone = false;
  try {
    for (let step = 0; step <= steps; step++) {
      if (standing.rows.length > 0) {
        const isLast = step === steps;
        const { correct, gradient } = look(network, attacked, standing.labels, isLast);
        const next = tf.tidy(() => {
          const kept = keepRows(standing, correct);
          const moved = gradient
            ? stepInBall(keep(attacked, correct), kept.images, keep(gradient, correct), { stepSize, epsilon }, units)
            : keep(attacked, correct);
          return { kept, moved };
        });
        tf.dispose([standing.images, attacked, ...(gradient ? [gradient] : [])]);
        standing = next.kept;
        attacked = next.moved;
      }
      yield standing.rows.length;
    }
    isDone = true;
    return standing;
  } finally {
    attacked.dispose();
    if (!isDone) standing.images.dispose();
  }
}

function drawStart(
  clean: Survivors,
  epsilon: number,
  { key, nRows, units }: { readonly key: RandomKey; readonly nRows: number; readonly units: ColumnUnits },
): tf.Tensor4D {
  const [, ...sampleShape] = clean.images.shape;
  const noise = uniform([nRows, ...sampleShape], -epsilon, epsilon, key);
  const own = clean.rows.length === nRows ? noise : tf.gather(noise, tf.tensor1d(clean.rows, 'int32'));
  return inBox(tf.add<tf.Tensor4D>(clean.images, inUnits(own, units)), units);
}

/** Who is still right, and (but for the last look) which way to go. */
function look(
  network: Network,
  images: tf.Tensor4D,
  labels: Int32Array,
  isLast: boolean,
): { correct: boolean[]; gradient: tf.Tensor4D | null } {
  if (isLast) return { correct: tf.tidy(() => readCorrect(forward(network, images), labels)), gradient: null };
  const labelTensor = tf.tensor1d(labels, 'int32');
  const { gradient, logits } = inputGradient(network, images, labelTensor, { mode: 'inference', key: null });
  const correct = readCorrect(logits, labels);
  tf.dispose([labelTensor, logits]);
  return { correct, gradient };
}

function forward(network: Network, images: tf.Tensor4D): tf.Tensor2D {
  return network.forward(images, { mode: 'inference', key: null, gradients: 'input', batchStatistics: null });
}

function keepRows({ images, labels, rows }: Survivors, flags: readonly boolean[]): Survivors {
  return {
    images: keep(images, flags),
    labels: labels.filter((_, index) => flags[index]),
    rows: rows.filter((_, index) => flags[index]),
  };
}

function keep(images: tf.Tensor4D, flags: readonly boolean[]): tf.Tensor4D {
  const nKept = countTrue(flags);
  if (nKept === flags.length) return images.clone();
  const kept = Int32Array.from(flags.keys()).filter((index) => flags[index]);
  return tf.gather(images, tf.tensor1d(kept, 'int32'));
}
