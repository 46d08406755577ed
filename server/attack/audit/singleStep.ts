// One step beats many: a sign that the gradient is masked, or that the attack's steps are too small.
import { isMany, fooledBy, type Check } from './suspect.ts';

/** Images that stood and that FGSM fools (Athalye et al., 2018: one-step attacks perform better than iterative ones). */
export const singleStep: Check = (suspect) => {
  const { plan, outcomes } = suspect;
  // Attacks that see no gradient may well be beaten by one.
  if (['fgsm', 'noise', 'nes', 'square', 'transfer'].includes(plan.attack)) return null;
  const fooled = fooledBy(suspect, 'fgsm', {});
  const beaten = fooled.filter((isFooled, row) => isFooled && outcomes[row] === 2).length;
  if (!isMany(beaten, outcomes.length)) return null;
  return {
    flag: 'single-step',
    measured: `FGSM fools ${String(beaten)} of ${String(outcomes.length)} images that stood.`,
    means: 'A single step should never beat many: the steps were too small or too few, or the gradient misleads.',
    next: 'Take larger steps (stepSize about ε/4), then autoattack.',
  };
};
