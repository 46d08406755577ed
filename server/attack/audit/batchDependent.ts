// A network whose answer to an image depends on the images beside it, as with batch normalisation in training mode.
import * as tf from '@tensorflow/tfjs-core';
import { largestDifference, logitScale } from './logits.ts';
import type { Check } from './suspect.ts';

/** How far the logits of the first half of the images change when the other half is not there. */
export const batchDependent: Check = ({ target, images, labels }) => {
  const half = Math.floor(labels.length / 2);
  if (half === 0) return null;
  const together = target.logits(images).subarray(0, half * target.nClasses);
  const apart = tf.tidy(() => target.logits(tf.slice(images, 0, half)));
  const difference = largestDifference(together, apart);
  if (!(difference > 1e-3 * logitScale(together))) return null;
  return {
    flag: 'batch-dependent',
    measured: `Logits of ${String(half)} images change by up to ${difference.toPrecision(2)} when others beside them are taken away.`,
    means: 'What an image is taken for depends on its neighbours: batch normalisation in training mode, for one.',
    next: 'Use running statistics when the network is attacked; figures of such a network mean little.',
  };
};
