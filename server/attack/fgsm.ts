// The fast gradient sign method: one step from the image itself.
import type { Attack } from './attack.ts';
import { stepInBall } from './ball.ts';
import { lossOf } from './losses.ts';

/** x + ε·sign ∇ₓℓ(f(x), y), clipped (Goodfellow et al., 2015; Peconi, 2020, eq. 3.8); under L2 x + ε·∇ₓℓ/‖∇ₓℓ‖₂. */
export const fgsm: Attack<'fgsm'> = function* (trial, plan) {
  const { norm, epsilon, loss } = plan;
  const { gradient } = trial.target.differentiate(trial.clean, lossOf(loss, trial.labels));
  const { now } = trial.hold({ gradient });
  yield;
  const { x } = trial.hold({
    x: stepInBall(trial, { norm, epsilon }, { x: trial.clean, gradient: now.gradient, stepSize: epsilon }),
  }).now;
  trial.drop(x, trial.target.logits(x));
  yield;
};
