// Reading predictions off logits.
import type * as tf from '@tensorflow/tfjs-core';
import { readFloats } from '../tensor/read.ts';

/** Whether the largest logit of each row is the label's; a row with NaN is wrong, of equal logits the first counts. */
export function readCorrect(logits: tf.Tensor2D, labels: Int32Array | Uint8Array): boolean[] {
  return areCorrect(readFloats(logits), labels);
}

/** Of logits `[rows · classes]`, row by row. */
export function areCorrect(logits: Float32Array, labels: Int32Array | Uint8Array): boolean[] {
  const nClasses = logits.length / labels.length;
  return Array.from(labels, (label, row) => {
    let best = 0;
    for (let k = 0; k < nClasses; k++) {
      const value = logits[row * nClasses + k]!;
      if (Number.isNaN(value)) return false;
      if (value > logits[row * nClasses + best]!) best = k;
    }
    return best === label;
  });
}

/** The class with the largest logit of each row; of equal logits the first. */
export function predictionsOf(logits: Float32Array, nRows: number): Int32Array {
  const nClasses = logits.length / Math.max(1, nRows);
  return Int32Array.from({ length: nRows }, (_, row) => {
    const z = logits.subarray(row * nClasses, (row + 1) * nClasses);
    return z.reduce((best, value, k) => (value > z[best]! ? k : best), 0);
  });
}

export function countTrue(flags: readonly boolean[]): number {
  return flags.reduce((count, flag) => count + (flag ? 1 : 0), 0);
}

/** z_y − max_{i≠y} zᵢ of each row: below 0 where the network is wrong. */
export function marginsOf(logits: Float32Array, labels: Int32Array): Float32Array {
  const nClasses = logits.length / labels.length;
  return Float32Array.from(labels, (label, row) => {
    const z = logits.subarray(row * nClasses, (row + 1) * nClasses);
    return z[label]! - z.reduce((largest, value, k) => (k === label ? largest : Math.max(largest, value)), -Infinity);
  });
}
