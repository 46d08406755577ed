// What methods of training work with, around a network and a batch of a test.
import { attackSpace } from '../../../server/attack/space.ts';
import type { Batch } from '../../../server/data/batches.ts';
import type { Dataset } from '../../../server/data/split.ts';
import type { Network } from '../../../server/model/network.ts';
import type { ThreatPlan } from '../../../server/protocol/plan.ts';
import { softmaxCrossEntropy } from '../../../server/tensor/ops/crossEntropy.ts';
import { AttackStep } from '../../../server/trainer/methods/attackStep.ts';
import type { MethodSurroundings } from '../../../server/trainer/methods/method.ts';

interface Around {
  readonly threat: ThreatPlan;
  readonly columns?: Dataset['columns'];
}

/** Seed 1, cross-entropy, no penalties. */
export function surroundingsOf(
  network: Network,
  { images }: Batch,
  { threat, columns = null }: Around,
): MethodSurroundings {
  return {
    ...{ network, threat, seed: 1, lossOf: softmaxCrossEntropy, attackLossOf: softmaxCrossEntropy },
    space: attackSpace(network, { columns }),
    penalties: { dense: 0, convolution: 0 },
    ...{ batchSize: images.shape[0], sampleShape: images.shape.slice(1) },
  };
}

/** By the batch's statistics. Within a tidy. */
export function attackStepOf(
  network: Network,
  batch: Batch,
  { counter, ...around }: Around & { readonly counter: number },
): AttackStep {
  return new AttackStep(surroundingsOf(network, batch, around), batch, { step: counter + 1 }, 'batch');
}
