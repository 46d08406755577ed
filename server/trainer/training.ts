// What a training is made of, and one step of it: for the loop (train.ts), and for the sweep of learning rates. Knows no order of steps.
import * as tf from '@tensorflow/tfjs-core';
import { attackSpace } from '../attack/space.ts';
import { epochOrder, makeBatch, type Batch } from '../data/batches.ts';
import type { Dataset, Samples } from '../data/split.ts';
import type { Network } from '../model/network.ts';
import { randomStreams } from '../model/randomStreams.ts';
import { measured, type Measured } from '../probe/norms.ts';
import { beginHistograms } from '../probe/histograms.ts';
import { AttackGradients, beforeUpdate } from '../probe/updates.ts';
import { updatesPerBatch } from '../protocol/methodTable.ts';
import type { Plan } from '../protocol/plan.ts';
import type { TensorHistograms, UpdatesRecord } from '../protocol/records.ts';
import { cropAndFlip } from '../tensor/ops/augment.ts';
import { tensorNorms } from '../tensor/ops/norms.ts';
import { haltAtNonFinite, makeHalted, overwrite, type Halted, type StepValues } from '../tensor/ops/step.ts';
import { smoothedCrossEntropy, trainingLosses } from '../tensor/ops/trainingLoss.ts';
import type { Reading } from '../tensor/read.ts';
import { clipped } from './clipping.ts';
import { CollapseWatch } from './collapseWatch.ts';
import { EarlyStopping } from './earlyStopping.ts';
import { beginFigures, penaltiesOf, type BatchFigures } from './gradients.ts';
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
  readonly attackGradients: AttackGradients;
  /** Set by the first step that is not made. */
  readonly halted: Halted;
  /** The step at hand: one record, which every kernel that differs from step to step is given. */
  readonly at: StepValues;
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
  const attackGradients = new AttackGradients();
  const method = makeMethod(
    {
      ...{ network, space, seed: plan.seed, lossOf, attackLossOf, penalties: penaltiesOf(plan.model) },
      ...{ threat, batchSize, sampleShape: dataset.sampleShape, attackGradients },
    },
    methodPlan,
  );
  const { watch: watched, earlyStopping, weightAverage, chooseBy } = plan.training;
  const average = weightAverage ? new WeightAverage(weightAverage, network, networkOf(plan, dataset)) : null;
  const stopping = earlyStopping ? new EarlyStopping(earlyStopping, chooseBy) : null;
  const halted = makeHalted();
  const watch = watched && threat ? new CollapseWatch(plan, watched, threat, network, dataset) : null;
  return {
    ...{ plan, dataset, network, optimizer, method, average, watch, stopping, attackGradients, halted },
    at: { step: 0, learningRate: 0 },
    dispose: () => {
      tf.dispose([halted, ...method.kept.values()]);
      attackGradients.dispose();
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

/** What a step says. */
export interface Updated extends BatchFigures {
  /** Of the gradients as they were before any clipping. */
  readonly measured: Measured;
  /** False where the loss or a gradient is not finite: then nothing was changed, nor in any step after it. */
  readonly isMade: boolean;
  /** Where it was asked for. */
  readonly moved: Omit<UpdatesRecord, 'type' | 'step'> | null;
  /** Of the gradients, where they were asked for. */
  readonly histograms: TensorHistograms | null;
}

export interface UpdateOptions {
  readonly learningRate: number;
  /** Whether it says how far it moved the weights, and what the attack's gradients are. */
  readonly isObserved?: boolean;
  readonly hasHistograms?: boolean;
}

/**
 * The update after `stepsDone` others. Where a step before it was not made, this changes nothing either.
 * @returns what will be known of it: asking waits for the device
 */
export function updateOnce(
  training: Training,
  samples: Samples,
  stepsDone: number,
  { learningRate, isObserved = false, hasHistograms = false }: UpdateOptions,
): Reading<Updated> {
  const { plan, network, optimizer, method, average, attackGradients, halted, at } = training;
  Object.assign(at, { step: stepsDone + 1, learningRate });
  attackGradients.isWanted = isObserved;
  const computed = method.update(makeTrainingBatch(training, samples), at);
  const taken = tensorNorms([...computed.gradients, computed.said.losses]);
  const spreads = hasHistograms ? beginHistograms(computed.gradients) : null;
  haltAtNonFinite(halted, taken.nonFinite, at);
  const { clipping } = plan.training;
  const gradients = clipping
    ? clipped(computed.gradients, clipping, { parameters: network.parameters, norms: taken.norms })
    : computed.gradients;
  const after = isObserved ? beforeUpdate(network) : null;
  optimizer.update(gradients, at, halted);
  const readMoved = after?.() ?? null;
  const readAttack = attackGradients.take();
  if (clipping) tf.dispose([...gradients]);
  network.followWeights(halted);
  for (const pass of computed.batchStatistics) network.updateStatistics(pass, at, halted);
  for (const [variable, next] of computed.kept ?? []) overwrite(variable, next, halted);
  average?.update(at.step, halted);
  const [figures, all] = [beginFigures(computed.said), measured(taken)];
  tf.dispose([taken.norms, taken.nonFinite]);
  computed.dispose();
  return () => {
    const { loss, accuracy } = figures();
    const { norms, nonFinite } = all();
    const ofGradients = { norms: norms.slice(0, -1), nonFinite: nonFinite.slice(0, -1) };
    const attack = readAttack?.();
    const moved = readMoved && { ...readMoved(), ...(attack && { attack }) };
    const isMade = nonFinite.every((count) => count === 0);
    return { loss, accuracy, measured: ofGradients, isMade, moved, histograms: spreads?.() ?? null };
  };
}

/** The samples, augmented: the same again where a batch comes again. */
function makeTrainingBatch({ plan, dataset, at }: Training, samples: Samples): Batch {
  const { augmentation } = plan.training;
  const { images: read, labels } = makeBatch(samples, dataset.sampleShape);
  let images = read;
  if (augmentation.crop > 0 || augmentation.flip) {
    const { crop: pad, flip } = augmentation;
    const key = {
      seed: plan.seed,
      stream: randomStreams.augmentation,
      counter: { at, every: updatesPerBatch(plan.training.method) },
    };
    images = cropAndFlip(read, { pad, flip }, key);
    read.dispose();
  }
  return { images, labels };
}
