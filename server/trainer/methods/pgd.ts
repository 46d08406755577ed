// Adversarial training by projected gradient descent.
import { perturbing } from './attackStep.ts';

/**
 * Madry et al. (2018), eq. 2.1, its inner maximum by xₜ₊₁ = Π(xₜ + α·sign ∇ₓ ℓ(f(xₜ), y)), along ∇ₓ ℓ/‖∇ₓ ℓ‖₂ under L2; then the
 * weights' step on the last x.
 */
export const pgd = perturbing<'pgd'>((step, { steps, start }) => {
  let x = step.start(start);
  for (let t = 0; t < steps; t++) x = step.ascend(x);
  return x;
});
