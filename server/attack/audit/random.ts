// A network that answers by chance.
import { predictionsOf } from '../predictions.ts';
import { largestDifference, logitScale } from './logits.ts';
import type { Check } from './suspect.ts';

/** How far two passes of the same images differ. */
export const random: Check = ({ target, images, labels }) => {
  const [first, second] = [target.logits(images), target.logits(images)];
  const difference = largestDifference(first, second);
  if (!(difference > 1e-5 * logitScale(first))) return null;
  const [before, after] = [predictionsOf(first, labels.length), predictionsOf(second, labels.length)];
  const changed = before.filter((prediction, row) => prediction !== after[row]).length;
  return {
    flag: 'random',
    measured: `Two passes of the same ${String(labels.length)} images differ by up to ${difference.toPrecision(2)} in their logits; ${String(changed)} answers change.`,
    means: 'The network has random parts: an attack that sees each image once follows its noise.',
    next: 'Run autoattack with suite rand, which averages each gradient over 20 passes.',
  };
};
