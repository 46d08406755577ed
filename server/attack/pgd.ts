// Projected gradient descent from a random start: one restart.
import * as tf from '@tensorflow/tfjs-core';
import type { PlanOfAttack } from '../protocol/attackTable.ts';
import { uniformValues } from '../tensor/ops/random.ts';
import type { Attack } from './attack.ts';
import { startInBall, stepInBall } from './ball.ts';
import { lossOf, order, targetedDifferenceOfLogitsRatio, towards, type Loss } from './losses.ts';
import type { Trial } from './trial.ts';

/**
 * Madry et al. (2018); Peconi (2020), eqs. 3.6 and 3.7: a start drawn uniformly in the ball, then xₜ₊₁ = Π(xₜ + α·sign ∇ₓℓ), Π onto
 * the ball and [0, 1]; under L2 along g/‖g‖₂. With momentum (Dong et al., 2018) the direction is gₜ₊₁ = μ·gₜ + ∇ₓℓ/‖∇ₓℓ‖₁; with a
 * target ℓ is ℓ(y) − ℓ(y_t) (Peconi, 2020, eq. 3.5). An image falls at its start or at any step.
 */
export const pgd: Attack<'pgd'> = function* (trial, plan) {
  const { steps, stepSize, momentum } = plan;
  const targets = trial.hold({ classes: targetsOf(trial, plan) });
  const state = trial.hold({ x: startInBall(trial, plan) });
  const direction = trial.hold<Record<string, tf.Tensor>>({});
  for (let step = 0; step < steps; step++) {
    const loss = raised(plan, trial.labels, targets.now.classes);
    const { gradient, logits } = trial.target.differentiate(state.now.x, loss);
    direction.replace({ g: momentum === 0 ? gradient : accumulate(gradient, direction.now['g'], momentum) });
    trial.drop(state.now.x, logits);
    yield;
    state.replace({ x: stepInBall(trial, plan, { x: state.now.x, gradient: direction.now['g']!, stepSize }) });
  }
  trial.drop(state.now.x, trial.target.logits(state.now.x));
  yield;
};

/** gₜ₊₁ of momentum μ. Disposes the gradient. */
export function accumulate(gradient: tf.Tensor, last: tf.Tensor | undefined, momentum: number): tf.Tensor {
  return tf.tidy(() => {
    const axes = gradient.shape.slice(1).map((_, axis) => axis + 1);
    // Where the gradient is 0 so is the direction; 1.2e-38 is the smallest normal float32.
    const own = tf.div(gradient, tf.maximum(tf.sum(tf.abs(gradient), axes, true), 1.2e-38));
    gradient.dispose();
    return last ? tf.add(tf.mul(last, momentum), own) : own;
  });
}

/** The class that each image shall be taken for; its true class where there is no target. */
function targetsOf(trial: Trial, { target }: PlanOfAttack<'pgd'>): Int32Array {
  if (target === 'none') return trial.labels.slice();
  const { nClasses } = trial.target;
  if (target === 'random') {
    // One of the others, by restart and image.
    const draws = uniformValues(trial.nRows, 0, nClasses - 1, trial.key(2));
    return trial.labels.map((label, index) => {
      const further = Math.min(nClasses - 2, Math.floor(draws[trial.rows[index]!]!));
      return (label + 1 + further) % nClasses;
    });
  }
  const logits = trial.target.logits(trial.clean);
  return trial.labels.map((label, row) => {
    const others = order(logits.subarray(row * nClasses, (row + 1) * nClasses), nClasses).filter((k) => k !== label);
    return (target === 'next' ? others[0] : others.at(-1)) ?? label;
  });
}

function raised({ loss, target }: PlanOfAttack<'pgd'>, labels: Int32Array, targets: Int32Array): Loss {
  if (target === 'none') return lossOf(loss, labels);
  return loss === 'dlr' ? targetedDifferenceOfLogitsRatio(labels, targets) : towards(labels, targets);
}
