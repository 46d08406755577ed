// Accuracy under a single step above the clean one: the perturbation tells the label.
import * as tf from '@tensorflow/tfjs-core';
import { stepInBall } from '../ball.ts';
import { margin } from '../losses.ts';
import { areCorrect, countTrue } from '../predictions.ts';
import { isMany, type Check } from './suspect.ts';

/** Images right after a step of FGSM from the true label, against those right as they are (Kurakin et al., 2017, label leaking). */
export const labelLeak: Check = ({ plan, target, images, labels, bounds }) => {
  const clean = countTrue(areCorrect(target.logits(images), labels));
  const attacked = tf.tidy(() => {
    const { gradient } = target.differentiate(images, margin(labels));
    const { norm, epsilon } = plan;
    return target.logits(
      stepInBall({ clean: images, bounds }, { norm, epsilon }, { x: images, gradient, stepSize: epsilon }),
    );
  });
  const right = countTrue(areCorrect(attacked, labels));
  if (!isMany(right - clean, labels.length)) return null;
  return {
    flag: 'label-leak',
    measured: `Under FGSM the network is right about ${String(right)} of ${String(labels.length)} images, more than the ${String(clean)} as they are.`,
    means:
      'The attack, which knows the label, tells it: a network trained with single steps may have learnt to read them.',
    next: 'Run pgd with a random start and autoattack; train with a random start (fgsm-rs, n-fgsm).',
  };
};
