// What the plan alone tells of a data set, before anything is opened.
import { cifar100CoarseClasses, datasetDeclaration } from '../protocol/datasets.ts';
import type { DatasetPlan, LossName, Plan } from '../protocol/plan.ts';
import type { NetworkEnds } from './layout.ts';

/** What a data set's samples and classes will be, before it is opened; null where only the disk tells. */
export function datasetEnds(plan: DatasetPlan): NetworkEnds | null {
  const { ends } = datasetDeclaration(plan.name);
  if (!ends) return null;
  const isCoarse = plan.name === 'cifar100' && plan.labels === 'coarse';
  return { sampleShape: ends.sampleShape, nClasses: (isCoarse ? cifar100CoarseClasses : ends.classes).length };
}

/** The ends of a plan's network; null where only the disk tells them. */
export function networkEnds({ dataset, training }: Pick<Plan, 'dataset' | 'training'>): NetworkEnds | null {
  const ends = datasetEnds(dataset);
  return ends && endsUnder(training.loss, ends);
}

/** With one output where the loss has one for two classes. */
export function endsUnder(loss: LossName | undefined, ends: NetworkEnds): NetworkEnds {
  return loss === 'binary-cross-entropy' ? { ...ends, nOutputs: 1 } : ends;
}
