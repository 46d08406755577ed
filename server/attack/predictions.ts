// Reading predictions off logits.
import type * as tf from '@tensorflow/tfjs-core';

/** Whether the largest logit of each row is the label's; a row with NaN is wrong, of equal logits the first counts. */
export function readCorrect(logits: tf.Tensor2D, labels: Int32Array | Uint8Array): boolean[] {
  const [nRows, nClasses] = logits.shape;
  const values = logits.dataSync();
  return Array.from({ length: nRows }, (_, row) => {
    let best = 0;
    for (let k = 0; k < nClasses; k++) {
      const value = values[row * nClasses + k]!;
      if (Number.isNaN(value)) return false;
      if (value > values[row * nClasses + best]!) best = k;
    }
    return best === labels[row];
  });
}

export function countTrue(flags: readonly boolean[]): number {
  return flags.reduce((count, flag) => count + (flag ? 1 : 0), 0);
}
