// What a training is made of, and one step of it: for the loop (train.ts), and for the sweep of learning rates. Knows no order of steps.
import * as tf from '@tensorflow/tfjs-core';
import { attackSpace } from '../attack/space.ts';
import { epochOrder, makeBatch, type Batch } from '../data/batches.ts';
import type { Dataset, Samples } from '../data/split.ts';
import type { Network } from '../model/network.ts';
import { randomStreams } from '../model/randomStreams.ts';
import { measure, type Measured } from '../probe/norms.ts';
import type { Plan } from '../protocol/plan.ts';
import { cropAndFlip } from '../tensor/ops/augment.ts';
import { smoothedCrossEntropy, trainingLosses } from '../tensor/ops/trainingLoss.ts';
import { clipped } from './clipping.ts';
import { CollapseWatch } from './collapseWatch.ts';
import { EarlyStopping } from './earlyStopping.ts';
import { penaltiesOf } from './gradients.ts';
import type { TrainingMethod } from './methods/method.ts';
import { makeMethod } from './methods/methods.ts';
import { makeOptimizer, type Optimizer } from './optimizer.ts';
import { networkOf } from './planNetwork.ts';
import { batchOf, stepsInEpoch } from './schedule.ts';
import { WeightAverage } from './weightAverage.ts';

export interface Training {
  readonly plan: Plan;
  readonly dataset: Dataset;
  readonly network: Network;
  readonly optimizer: Optimizer;
  readonly method: TrainingMethod;
  /** Null where the plan has none. */
  readonly average: WeightAverage | null;
  /** Null where the plan has none. */
  readonly watch: CollapseWatch | null;
  /** Null where the plan has none. */
  readonly stopping: EarlyStopping | null;
  dispose(): void;
}

/** With its initial weights. */
export function openTraining(plan: Plan, dataset: Dataset): Training {
  const network = networkOf(plan, dataset);
  const optimizer = makeOptimizer(plan.training.optimizer, network);
  const space = attackSpace(network, dataset);
  const { loss = 'cross-entropy', method: methodPlan, threat, batchSize } = plan.training;
  const attackLossOf = trainingLosses[loss];
  const { labelSmoothing = 0 } = plan.training;
  const lossOf = labelSmoothing > 0 ? smoothedCrossEntropy(labelSmoothing) : attackLossOf;
  const method = makeMethod(
    {
      ...{ network, space, seed: plan.seed, lossOf, attackLossOf, penalties: penaltiesOf(plan.model) },
      ...{ threat, batchSize, sampleShape: dataset.sampleShape },
    },
    methodPlan,
  );
  const { watch: watched, earlyStopping, weightAverage } = plan.training;
  const average = weightAverage ? new WeightAverage(weightAverage, network, networkOf(plan, dataset)) : null;
  const stopping = earlyStopping ? new EarlyStopping(earlyStopping) : null;
  const watch = watched && threat ? new CollapseWatch(plan, watched, threat, network, dataset) : null;
  return {
    ...{ plan, dataset, network, optimizer, method, average, watch, stopping },
    dispose: () => {
      tf.dispose([...method.kept.values()]);
      space.dispose();
      optimizer.dispose();
      average?.network.dispose();
      network.dispose();
    },
  };
}

/** Which samples each batch takes, from the one after `stepsDone` others on. */
export function* batchOrders(
  { plan, dataset }: Pick<Training, 'plan' | 'dataset'>,
  stepsDone: number,
  steps: number,
): Generator<Uint32Array> {
  const { batchSize } = plan.training;
  const { nSamples } = dataset.train;
  const stepsPerEpoch = stepsInEpoch(plan.training, nSamples);
  let order: Uint32Array | null = null;
  for (let step = stepsDone; step < steps; step++) {
    const first = batchOf(plan.training, step % stepsPerEpoch) * batchSize;
    if (first === 0) order = null;
    order ??= epochOrder(nSamples, {
      seed: plan.seed,
      stream: randomStreams.epochOrder,
      counter: Math.floor(step / stepsPerEpoch),
    });
    yield order.slice(first, first + batchSize);
  }
}

export interface Updated {
  /** Of the batch, before the update. */
  readonly loss: number;
  readonly accuracy: number;
  /** Of the gradients as they were before any clipping. */
  readonly measured: Measured;
  /** False where the loss or a gradient is not finite: then nothing was changed. */
  readonly isMade: boolean;
}

/** The update after `stepsDone` others, with this learning rate. */
export function updateOnce(training: Training, samples: Samples, stepsDone: number, rate: number): Updated {
  const { plan, network, optimizer, method, average } = training;
  const step = stepsDone + 1;
  const computed = method.update(makeTrainingBatch(training, samples, stepsDone), stepsDone);
  const measured = measure(computed.gradients);
  const { loss, accuracy } = computed;
  const isMade = Number.isFinite(loss) && measured.nonFinite.every((count) => count === 0);
  if (isMade) {
    const { clipping } = plan.training;
    const gradients = clipping
      ? clipped(computed.gradients, clipping, { parameters: network.parameters, norms: measured.norms })
      : computed.gradients;
    optimizer.update(gradients, { learningRate: rate, step });
    if (clipping) tf.dispose([...gradients]);
    network.followWeights();
    for (const pass of computed.batchStatistics) network.updateStatistics(pass, step);
    average?.update(step);
  }
  computed.dispose();
  return { loss, accuracy, measured, isMade };
}

/** The samples, augmented: the same again where a batch comes again. */
function makeTrainingBatch({ plan, dataset }: Training, samples: Samples, stepsDone: number): Batch {
  const { augmentation } = plan.training;
  const { images: read, labels } = makeBatch(samples, dataset.sampleShape);
  let images = read;
  if (augmentation.crop > 0 || augmentation.flip) {
    const { crop: pad, flip } = augmentation;
    const key = { seed: plan.seed, stream: randomStreams.augmentation, counter: batchOf(plan.training, stepsDone) };
    images = cropAndFlip(read, { pad, flip }, key);
    read.dispose();
  }
  return { images, labels };
}
