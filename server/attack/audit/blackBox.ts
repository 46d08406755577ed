// Answers alone beat gradients: the gradient is masked.
import { isMany, fooledBy, type Check } from './suspect.ts';

/** Queries of the short Square attack; draws of noise for samples that are no pictures. */
const queries = 100;

/** Images that stood and that an attack without gradients fools (Athalye et al., 2018). */
export const blackBox: Check = (suspect) => {
  const { plan, outcomes, target } = suspect;
  if (['square', 'noise', 'transfer'].includes(plan.attack) || !outcomes.includes(2)) return null;
  const isPicture = target.shape.length === 3;
  const fooled = isPicture ? fooledBy(suspect, 'square', { queries }) : fooledBy(suspect, 'noise', { draws: queries });
  const beaten = fooled.filter((isFooled, row) => isFooled && outcomes[row] === 2).length;
  if (!isMany(beaten, outcomes.length)) return null;
  return {
    flag: 'black-box',
    measured: `${isPicture ? `Square, with ${String(queries)} queries,` : `Noise, of ${String(queries)} draws,`} fools ${String(beaten)} of ${String(outcomes.length)} images that stood.`,
    means: 'An attack that sees answers only should never beat one that sees gradients: these are masked.',
    next: 'Run square with 5000 queries and nes, and take the least of all figures.',
  };
};
