// What the plan alone tells of a data set, before anything is opened.
import type { DatasetPlan } from '../protocol/plan.ts';

/** What a data set's samples and classes will be, before it is opened. */
export function datasetEnds(plan: DatasetPlan): { readonly sampleShape: readonly number[]; readonly nClasses: number } {
  switch (plan.name) {
    case 'cifar10':
    case 'shapes':
      return { sampleShape: [32, 32, 3], nClasses: 10 };
    default:
      return plan satisfies never;
  }
}
