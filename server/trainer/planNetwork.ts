// A plan's network over an opened data set, with its initial weights.
import type { Dataset } from '../data/split.ts';
import { buildNetwork, type Network } from '../model/network.ts';
import { endsUnder } from '../network/datasetEnds.ts';
import type { NetworkEnds } from '../network/layout.ts';
import type { Plan } from '../protocol/plan.ts';

export function endsOf({ training }: Plan, { sampleShape, classes }: Dataset): NetworkEnds {
  return endsUnder(training.loss, { sampleShape, nClasses: classes.length });
}

/** @throws NetworkError where its layers don't fit the samples */
export function networkOf(plan: Plan, dataset: Dataset): Network {
  return buildNetwork(plan.model, { ...endsOf(plan, dataset), columns: dataset.columns, seed: plan.seed });
}
