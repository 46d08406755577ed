// A first epoch after which the network does no better than guessing.
import { datasetEnds } from '../../network/datasetEnds.ts';
import type { HealthRule } from '../healthRule.ts';

/** Fewer steps say nothing. */
const fewestSteps = 50;

export const nothingLearnt: HealthRule = {
  title: 'Nothing was learnt in the first epoch',
  severity: 'warning',
  meaning: 'In its second half the training loss is still that of guessing.',
  remedy:
    'Look at the norms: gradients of 0 or that explode say why. Otherwise raise a learning rate that is too small, or lower one that is ' +
    'too large; under adversarial training start with a smaller ε.',
  tab: 'curves',
  watch: ({ plan, prepared }) => {
    const nClasses = prepared.ends?.nClasses ?? datasetEnds(plan.dataset)?.nClasses;
    const { stepsPerEpoch } = prepared;
    // Of other losses guessing has no value that is known beforehand.
    if ((plan.training.loss ?? 'cross-entropy') !== 'cross-entropy' || !nClasses) return () => null;
    const firstCounted = Math.floor(stepsPerEpoch / 2) + 1;
    const guessing = Math.log(nClasses);
    let sum = 0;
    return (record) => {
      if (record.type !== 'step' || record.step > stepsPerEpoch || stepsPerEpoch < fewestSteps) return null;
      if (record.step >= firstCounted) sum += record.loss;
      if (record.step < stepsPerEpoch) return null;
      const mean = sum / (stepsPerEpoch - firstCounted + 1);
      if (mean < 0.999 * guessing) return null;
      return {
        step: record.step,
        evidence: `The mean loss of steps ${String(firstCounted)} to ${String(stepsPerEpoch)} is ${mean.toFixed(4)}; guessing among ${String(nClasses)} classes has ${guessing.toFixed(4)}.`,
      };
    };
  },
};
