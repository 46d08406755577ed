// Adversarial training by the fast gradient sign method, from the image itself.
import { perturbing } from './attackStep.ts';

/** x + α·sign ∇ₓ ℓ(f(x), y) within the ball and [0, 1] (Goodfellow et al., 2015); then the weights' step on it. */
export const fgsm = perturbing<'fgsm'>((step) => step.ascend(step.start('zero')));
