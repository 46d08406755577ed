// Reading predictions off logits.
import type * as tf from '@tensorflow/tfjs-core';

/** Whether the largest logit of each row is the label's; a row with NaN is wrong, of equal logits the first counts. */
export function readCorrect(logits: tf.Tensor2D, labels: Int32Array | Uint8Array): boolean[] {
  return areCorrect(logits.dataSync<'float32'>(), labels);
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

export function countTrue(flags: readonly boolean[]): number {
  return flags.reduce((count, flag) => count + (flag ? 1 : 0), 0);
}
