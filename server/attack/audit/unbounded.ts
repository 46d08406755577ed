// Without a bound every network falls: one that does not was not attacked.
import { isMany, fooledBy, type Check } from './suspect.ts';

/** Images that stand against PGD though any image is allowed (Athalye et al., 2018: unbounded attacks reach 100 %). */
export const unbounded: Check = (suspect) => {
  const { plan, bounds, target, outcomes } = suspect;
  if (plan.attack === 'noise') return null;
  const size = target.shape.reduce((product, length) => product * length, 1);
  const side = bounds ? bounds[1] - bounds[0] : 10;
  const epsilon = plan.norm === 'linf' ? side : side * Math.sqrt(size);
  const loss = plan.attack === 'pgd' || plan.attack === 'fgsm' ? plan.loss : 'margin';
  const fooled = fooledBy(suspect, 'pgd', { epsilon, stepSize: epsilon / 8, steps: 20, restarts: 1, loss });
  const right = outcomes.filter((outcome) => outcome > 0).length;
  const standing = right - fooled.filter(Boolean).length;
  if (!isMany(standing, outcomes.length) || standing < 0.1 * right) return null;
  return {
    flag: 'unbounded',
    measured: `With ${plan.norm === 'linf' ? 'ε = 1' : 'ε as long as any image'}, where every image is allowed, ${String(standing)} of ${String(right)} images stand against ${loss}.`,
    means: 'Where any change is allowed nothing can stand: the attack does not find its way.',
    next: 'Attack with nes and square; look for layers that let no gradient through.',
  };
};
