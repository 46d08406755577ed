// Images that fall in the last steps: the attack was ended before it was done.
import { evaluationEntry } from '../../protocol/evaluationTable.ts';
import { stagesOf } from '../../protocol/evaluationPlan.ts';
import { isMany, type Check } from './suspect.ts';

/** Of the first run of each attack, how many images its last fifth of points took. */
export const steps: Check = ({ plan, robust, samples }) => {
  if (evaluationEntry(plan.attack).strength === 'floor' || evaluationEntry(plan.attack).isNearest) return null;
  const stages = stagesOf(plan);
  for (const [index, stage] of stages.entries()) {
    const counts = robust[index];
    if (stage.run > 0 || stage.axis === 'query' || !counts || stage.nPoints < 5) continue;
    const from = Math.floor(0.8 * (stage.nPoints - 1));
    const late = counts[from]! - counts.at(-1)!;
    if (!isMany(late, samples)) continue;
    const { name } = evaluationEntry(stage.attack);
    return {
      flag: 'not-converged',
      measured: `The last fifth of the ${String(stage.nPoints - 1)} ${stage.axis}s of ${name} fooled ${String(late)} of ${String(samples)} images more.`,
      means: 'It was ended while images still fell: more would have.',
      next: `Take more steps, or apgd-ce and apgd-t, which choose their step sizes themselves.`,
    };
  }
  return null;
};
