// Adversarial training by one step from noise.
import { perturbing } from './attackStep.ts';

/**
 * De Jorge et al. (2022): η ~ U(−kε, kε), then x + η + α·sign ∇ₓ ℓ(f(x + η), y), which nothing brings back into the ball; both within
 * [0, 1], as in their code.
 */
export const nFgsm = perturbing<'n-fgsm'>((step, { noise, start }) => {
  const { epsilon, stepSize } = step.threat;
  const noisy = step.start(start, { norm: 'linf', epsilon: noise * epsilon });
  return step.ascend(noisy, { norm: 'linf', stepSize, epsilon: Infinity });
});
