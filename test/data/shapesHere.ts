import { datasetHere } from '../../server/data/dataset.ts';
import { makeShapes } from '../../server/data/shapes.ts';
import type { Dataset } from '../../server/data/split.ts';
import type { Plan } from '../../server/protocol/plan.ts';

/** The built-in data set of a plan, read on this thread. */
export function shapesHere({ dataset }: Plan): Dataset {
  if (dataset.name !== 'shapes') throw new Error(`${dataset.name} is not made`);
  return datasetHere(dataset, makeShapes(dataset));
}
