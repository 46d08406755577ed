// A plan whose data lies elsewhere than when it was made: for one piece of work, while the run keeps its plan.
import type { Plan } from '../protocol/plan.ts';

/** The plan with its data in `folder`, an absolute path; unchanged for null. @throws Error where its data is in no folder. */
export function withDataFolder(plan: Plan, folder: string | null): Plan {
  if (folder === null) return plan;
  const { dataset } = plan;
  if (!('path' in dataset)) {
    throw new Error(`The data set ${dataset.name} is made, not read from a folder. Leave the data folder out.`);
  }
  return { ...plan, dataset: { ...dataset, path: folder } };
}
