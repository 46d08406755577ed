// Fast adversarial training: one step from a random start.
import { perturbing } from './attackStep.ts';

/**
 * Wong, Rice & Kolter (2020), algorithm 3: δ ~ U(−ε, ε); δ ← δ + α·sign ∇_δ ℓ(f(x + δ), y); δ ← max(min(δ, ε), −ε); then the weights'
 * step on x + δ, here within [0, 1]. Their code clips x + δ to [0, 1] before the gradient as well (`start: image`).
 */
export const fgsmRs = perturbing<'fgsm-rs'>((step, { start }) => step.ascend(step.start(start)));
