// What the network alone says of its norms: which are rounding, and where each layer is written.
import { cancelledBiases } from '../../server/network/cancelledBiases.ts';
import { flatLayers } from '../../server/network/layout.ts';
import type { RunSnapshot } from '../../server/protocol/snapshot.ts';
import { layersOfRun } from '../network/runLayers.ts';

export interface NetworkFacts {
  /** The plan that they are of. */
  readonly source: unknown;
  /** Biases whose gradients are rounding. */
  readonly rounding: ReadonlySet<string>;
  /** Where each layer is written, by name. */
  readonly paths: ReadonlyMap<string, string>;
}

export function networkFacts(snapshot: RunSnapshot): NetworkFacts {
  const layers = layersOfRun(snapshot);
  const { network } = snapshot.plan.model;
  const isDeclared = typeof network !== 'string' && network.type === 'layers';
  return {
    source: snapshot.plan,
    rounding: new Set(cancelledBiases(layers)),
    paths: new Map(
      flatLayers(layers).map(({ name, path }) => [name, isDeclared ? `model.network.${path}` : 'model.network']),
    ),
  };
}
