// What an attack raises, each a function of the logits alone. z are logits, y the true class, t a target class, π the order of the
// logits from the largest. Equations stand beside the names in protocol/attackKey.ts.
import * as tf from '@tensorflow/tfjs-core';
import type { LossName } from '../protocol/attackKey.ts';
import { softmaxCrossEntropy } from '../tensor/ops/crossEntropy.ts';
import { readFloats } from '../tensor/read.ts';

/** Losses `[batch]` of logits `[batch, classes]`, differentiable. */
export type Loss = (logits: tf.Tensor2D) => tf.Tensor1D;

/** For a row of logits: the loss, and its slope added to `slopes`, which begins as zeros. */
type RowLoss = (logits: Float32Array, slopes: Float32Array, row: number) => number;

/** The loss of a name. */
export function lossOf(name: LossName, labels: Int32Array): Loss {
  switch (name) {
    case 'cross-entropy':
      return crossEntropy(labels);
    case 'margin':
      return margin(labels);
    case 'dlr':
      return differenceOfLogitsRatio(labels);
    default:
      return name satisfies never;
  }
}

/** Softmax cross-entropy (Peconi, 2020, §2.2.1). */
export function crossEntropy(labels: Int32Array): Loss {
  return (logits) => softmaxCrossEntropy(logits, tf.tensor1d(labels, 'int32'));
}

/** max_{i≠y} zᵢ − z_y (Carlini & Wagner, 2017, f₆). Of equal logits the first counts. */
export function margin(labels: Int32Array): Loss {
  return rowLoss((z, slopes, row) => {
    const y = labels[row]!;
    const other = largestOther(z, y);
    slopes[other]! += 1;
    slopes[y]! -= 1;
    return z[other]! - z[y]!;
  });
}

/**
 * z_t − z_y. With cross-entropy it is what ℓ(y) − ℓ(y_t) comes to (Peconi, 2020, eq. 3.5): the sum over all classes is in both.
 */
export function towards(labels: Int32Array, targets: Int32Array): Loss {
  return rowLoss((z, slopes, row) => {
    const [y, t] = [labels[row]!, targets[row]!];
    slopes[t]! += 1;
    slopes[y]! -= 1;
    return z[t]! - z[y]!;
  });
}

/** −(z_y − max_{i≠y} zᵢ)/(z_π₁ − z_π₃) (difference of logits ratio; Croce & Hein, 2020). Needs three classes. */
export function differenceOfLogitsRatio(labels: Int32Array): Loss {
  return rowLoss((z, slopes, row) => {
    const y = labels[row]!;
    const [first, , third] = order(z, 3);
    return ratio(slopes, { z, y, other: largestOther(z, y) }, [
      [first!, 1],
      [third!, -1],
    ]);
  });
}

/** −(z_y − z_t)/(z_π₁ − (z_π₃ + z_π₄)/2) (its targeted form; Croce & Hein, 2020). Needs four classes. */
export function targetedDifferenceOfLogitsRatio(labels: Int32Array, targets: Int32Array): Loss {
  return rowLoss((z, slopes, row) => {
    const [first, , third, fourth] = order(z, 4);
    const sides = { z, y: labels[row]!, other: targets[row]! };
    return ratio(slopes, sides, [
      [first!, 1],
      [third!, -0.5],
      [fourth!, -0.5],
    ]);
  });
}

/** −(z_y − z_other)/(Σ weight·z + 10⁻¹²), as the public code of AutoAttack keeps it finite. */
function ratio(
  slopes: Float32Array,
  { z, y, other }: { readonly z: Float32Array; readonly y: number; readonly other: number },
  below: readonly (readonly [index: number, weight: number])[],
): number {
  const width = below.reduce((sum, [index, weight]) => sum + weight * z[index]!, 1e-12);
  const gap = z[y]! - z[other]!;
  slopes[y]! -= 1 / width;
  slopes[other]! += 1 / width;
  for (const [index, weight] of below) slopes[index]! += (gap / width ** 2) * weight;
  return -gap / width;
}

function largestOther(z: Float32Array, y: number): number {
  let best = y === 0 ? 1 : 0;
  for (let k = best + 1; k < z.length; k++) if (k !== y && z[k]! > z[best]!) best = k;
  return best;
}

/** The classes of the `count` largest logits, from the largest; of equal ones the first comes first. @throws where there are fewer */
export function order(z: Float32Array, count: number): number[] {
  if (z.length < count)
    throw new Error(`The loss dlr compares ${count} logits, and this network has ${z.length}. Choose the loss margin.`);
  return Array.from(z.keys())
    .sort((a, b) => z[b]! - z[a]! || a - b)
    .slice(0, count);
}

function rowLoss(lossOf: RowLoss): Loss {
  const differentiable = tf.customGrad((logits) => {
    const [nRows, nClasses] = (logits as tf.Tensor2D).shape;
    const z = readFloats(logits as tf.Tensor2D);
    const slopes = new Float32Array(nRows * nClasses);
    const losses = new Float32Array(nRows);
    for (let row = 0; row < nRows; row++) {
      const [from, to] = [row * nClasses, (row + 1) * nClasses];
      losses[row] = lossOf(z.subarray(from, to), slopes.subarray(from, to), row);
    }
    const gradFunc = (dy: tf.Tensor): tf.Tensor => {
      const weights = readFloats(dy);
      return tf.tensor2d(
        slopes.map((slope, index) => slope * weights[Math.floor(index / nClasses)]!),
        [nRows, nClasses],
      );
    };
    return { value: tf.tensor1d(losses), gradFunc };
  });
  return (logits) => differentiable(logits) as tf.Tensor1D;
}
