// Transfer from another network: one restart.
import type * as tf from '@tensorflow/tfjs-core';
import type { Attack } from './attack.ts';
import { startInBall, stepInBall } from './ball.ts';
import { lossOf } from './losses.ts';
import { accumulate } from './pgd.ts';

/**
 * Liu et al. (2017), Dong et al. (2018): xₜ₊₁ = Π(xₜ + α·sign ∇ₓℓ(g(xₜ), y)) on the surrogate g, as PGD on g itself; the network f that
 * is attacked gives no gradient, and its answers move no image. As in the literature f is shown the last image of a restart alone,
 * unless the images of all steps are judged.
 */
export const transfer: Attack<'transfer'> = function* (trial, plan) {
  const { steps, stepSize, momentum, judged } = plan;
  const state = trial.hold({ x: startInBall(trial, plan) });
  const direction = trial.hold<Record<string, tf.Tensor>>({});
  for (let step = 0; step < steps; step++) {
    const { gradient } = trial.surrogate.differentiate(state.now.x, lossOf(plan.loss, trial.labels));
    direction.replace({ g: momentum === 0 ? gradient : accumulate(gradient, direction.now['g'], momentum) });
    if (judged === 'all') trial.drop(state.now.x, trial.target.logits(state.now.x));
    yield;
    state.replace({ x: stepInBall(trial, plan, { x: state.now.x, gradient: direction.now['g']!, stepSize }) });
  }
  trial.drop(state.now.x, trial.target.logits(state.now.x));
  yield;
};
