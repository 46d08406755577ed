// Zero or non-finite gradients: an attack that follows them goes nowhere, and what stands was not attacked.
import { readFloats } from '../../tensor/read.ts';
import { isMany, raisedLoss, type Check } from './suspect.ts';
import { forEachRow } from '../rows.ts';
import * as tf from '@tensorflow/tfjs-core';

/** Counts images, right as they are, at which the gradient of the attack's loss is exactly 0 or not finite. */
export const zeroGradients: Check = (suspect) => {
  const raised = raisedLoss(suspect);
  if (!raised) return null;
  const { target, images, labels, outcomes } = suspect;
  const gradient = tf.tidy(() => readFloats(target.differentiate(images, raised.loss).gradient));
  let [zero, broken, right] = [0, 0, 0];
  forEachRow(gradient, labels.length, (row, from, to) => {
    if (outcomes[row] === 0) return;
    right++;
    const own = gradient.subarray(from, to);
    if (own.some((value) => !Number.isFinite(value))) broken++;
    else if (own.every((value) => value === 0)) zero++;
  });
  if (!isMany(zero + broken, right)) return null;
  const kinds = [
    ...(zero > 0 ? [`0 at ${String(zero)}`] : []),
    ...(broken > 0 ? [`not finite at ${String(broken)}`] : []),
  ];
  return {
    flag: 'zero-gradients',
    measured: `The gradient of ${raised.name} is ${kinds.join(' and ')} of ${String(right)} images.`,
    means: 'Where there is no gradient the attack does not move: these images were hardly attacked.',
    next:
      raised.name === 'cross-entropy'
        ? 'The logits saturate the softmax: attack with loss margin, which no scale of the logits hides from.'
        : 'Attack with nes and square, which ask for answers only.',
  };
};
