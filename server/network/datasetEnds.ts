// What the plan alone tells of a data set, before anything is opened.
import type { DatasetPlan } from '../protocol/plan.ts';
import type { NetworkEnds } from './layout.ts';

/** What a data set's samples and classes will be, before it is opened; null where only the disk tells. */
export function datasetEnds(plan: DatasetPlan): NetworkEnds | null {
  switch (plan.name) {
    case 'cifar10':
    case 'shapes':
      return { sampleShape: [32, 32, 3], nClasses: 10 };
    default:
      return plan satisfies never;
  }
}
