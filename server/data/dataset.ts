// Opening a data set by its plan. Batches are cut from the splits in batches.ts.
import type { DatasetPlan } from '../protocol/plan.ts';
import { openCifar10 } from './cifar10.ts';
import { makeShapes } from './shapes.ts';
import type { Dataset } from './split.ts';

/**
 * Reads or makes the first `trainSamples` and `testSamples` images of the plan's data set.
 * @throws DataError where the files are missing, short or not what they should be.
 */
export async function openDataset(plan: DatasetPlan): Promise<Dataset> {
  switch (plan.name) {
    case 'cifar10':
      return openCifar10(plan.path, plan);
    case 'shapes':
      return makeShapes(plan);
    default:
      return plan satisfies never;
  }
}
