// Images that fall at the last restart: another would have taken more.
import { evaluationEntry } from '../../protocol/evaluationTable.ts';
import { stagesOf } from '../../protocol/evaluationPlan.ts';
import { isMany, type Check } from './suspect.ts';

/** How many images the last of several restarts took. */
export const restarts: Check = ({ plan, robust, samples }) => {
  const stages = stagesOf(plan);
  const last = stages.findLastIndex(({ called, run }) => called === 'restart' && run > 0);
  if (last < 0) return null;
  const taken = (robust[last - 1]?.at(-1) ?? 0) - (robust[last]?.at(-1) ?? 0);
  const { attack, run, epsilon } = stages[last]!;
  if (stages[last - 1]?.epsilon !== epsilon || !isMany(taken, samples)) return null;
  return {
    flag: 'restarts',
    measured: `The last of ${String(run + 1)} restarts of ${evaluationEntry(attack).name} fooled ${String(taken)} of ${String(samples)} images more.`,
    means: 'Where each start finds others, the loss is rough, or the network answers by chance.',
    next: 'Take more restarts; of a network with random parts autoattack with suite rand.',
  };
};
