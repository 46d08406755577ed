// Adversarial training against perturbations of both norms.
import * as tf from '@tensorflow/tfjs-core';
import type { BatchStatistics } from '../../model/layer.ts';
import type { PlanOfMethod } from '../../protocol/methodTable.ts';
import { AttackStep, likeImages, perturbing } from './attackStep.ts';
import { disposeStatistics, gradientsOn, type MakeMethod } from './method.ts';

type Plan = PlanOfMethod<'ensemble'>;

/** PGD in the ball of each norm, L∞ first. */
function attackEach(step: AttackStep, { steps, start, l2Epsilon, l2StepSize }: Plan): tf.Tensor[] {
  const balls = [step.threat, { norm: 'l2', epsilon: l2Epsilon, stepSize: l2StepSize } as const];
  return balls.map((ball, draw) => {
    let x = step.start(start, ball, draw);
    for (let t = 0; t < steps; t++) x = step.ascend(x, ball);
    return x;
  });
}

/** Of each image the one whose loss is the larger, the first of equal ones; disposes neither. */
function worse(step: AttackStep, first: tf.Tensor, second: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const isSecond = tf.greater(step.losses(second), step.losses(first));
    return tf.where(tf.broadcastTo(likeImages(isSecond, first), first.shape), second, first);
  });
}

/** Tramèr & Boneh (2019), "max": min_θ E max_k ℓ(f(x + δ_k), y). */
const byWorst = perturbing<'ensemble'>((step, plan) => {
  const [first, second] = attackEach(step, plan);
  return worse(step, first!, second!);
});

/** Maini, Wong & Kolter (2020), algorithm 1: of the steepest steps of both norms, each into its ball, the one that raises the loss the most. */
const bySteepest = perturbing<'ensemble'>((step, { steps, start, l2Epsilon, l2StepSize }) => {
  let x = step.start(start);
  for (let t = 0; t < steps; t++) {
    const gradient = step.gradient(x);
    const inLinf = step.step(x, gradient, step.threat);
    const inL2 = step.step(x, gradient, { norm: 'l2', epsilon: l2Epsilon, stepSize: l2StepSize });
    const next = worse(step, inLinf, inL2);
    tf.dispose([x, gradient, inLinf, inL2]);
    x = next;
  }
  return x;
});

/** Tramèr & Boneh (2019), "avg": min_θ E ½ Σ_k ℓ(f(x + δ_k), y), both perturbations of the batch in one pass. */
const byAverage: MakeMethod<'ensemble'> = (around, plan) => ({
  kept: new Map(),
  update: (batch, at) => {
    let moving: BatchStatistics[][] = [];
    const images = tf.tidy(() => {
      const step = new AttackStep(around, batch, at, plan.statistics);
      moving = step.moving;
      return around.space.leave(tf.concat(attackEach(step, plan), 0)) as tf.Tensor4D;
    });
    const labels = tf.concat1d([batch.labels, batch.labels]);
    tf.dispose([batch.images, batch.labels]);
    const computed = gradientsOn(around, { images, labels }, at);
    tf.dispose([images, labels]);
    return {
      ...computed,
      batchStatistics: [...moving, computed.batchStatistics],
      dispose: () => {
        disposeStatistics(moving);
        computed.dispose();
      },
    };
  },
});

export const ensemble: MakeMethod<'ensemble'> = (around, plan) => {
  const methods = { max: byWorst, msd: bySteepest, average: byAverage };
  return methods[plan.combine](around, plan);
};
