// A plan whose data lies elsewhere than when it was made: for one piece of work, while the run keeps its plan.
import path from 'node:path';
import type { DatasetPlan, Plan } from '../protocol/plan.ts';

/**
 * The plan with its data in `folder`, an absolute path; unchanged for null. Of a data set that is a file, the folder has a file
 * of the same name.
 * @throws Error where its data is in no folder
 */
export function withDataFolder(plan: Plan, folder: string | null): Plan {
  if (folder === null) return plan;
  return { ...plan, dataset: movedTo(plan.dataset, folder) };
}

function movedTo(dataset: DatasetPlan, folder: string): DatasetPlan {
  const inside = (file: string) => path.join(folder, path.basename(file));
  switch (dataset.name) {
    case 'shapes':
      throw new Error(`The data set ${dataset.name} is made, not read from a folder. Leave the data folder out.`);
    case 'table':
      return {
        ...dataset,
        path: inside(dataset.path),
        testPath: dataset.testPath === null ? null : inside(dataset.testPath),
      };
    case 'arrays':
      return { ...dataset, path: dataset.path.endsWith('.npz') ? inside(dataset.path) : folder };
    case 'sensorless':
    case 'susy':
      return { ...dataset, path: /\.(txt|csv|gz)$/.test(dataset.path) ? inside(dataset.path) : folder };
    default:
      return { ...dataset, path: folder };
  }
}
