// The layers of a run's network, as its plan lays them out.
import { endsUnder, networkEnds } from '../../server/network/datasetEnds.ts';
import { layOutNetwork, type LayerLayout, type NetworkEnds } from '../../server/network/layout.ts';
import type { RunSnapshot } from '../../server/protocol/snapshot.ts';

type Planned = Pick<RunSnapshot, 'plan' | 'prepared'>;

/** What the plan tells, or what the run found when it opened its data; null before. */
export function endsOfRun({ plan, prepared }: Planned): NetworkEnds | null {
  return prepared?.ends ? endsUnder(plan.training.loss, prepared.ends) : networkEnds(plan);
}

/** None before the shapes are known. */
export function layersOfRun(run: Planned): readonly LayerLayout[] {
  const ends = endsOfRun(run);
  return ends ? layOutNetwork(run.plan.model, ends) : [];
}
