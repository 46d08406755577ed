// What a training method is: of a batch, what the weights are moved by. How they are moved is the optimizer's business.
import * as tf from '@tensorflow/tfjs-core';
import type { AttackSpace } from '../../attack/space.ts';
import type { Batch } from '../../data/batches.ts';
import type { BatchStatistics } from '../../model/layer.ts';
import type { Network } from '../../model/network.ts';
import { randomStreams } from '../../model/randomStreams.ts';
import type { AttackGradients } from '../../probe/updates.ts';
import type { MethodName, PlanOfMethod } from '../../protocol/methodTable.ts';
import type { ThreatPlan } from '../../protocol/plan.ts';
import type { RandomKey } from '../../tensor/ops/random.ts';
import type { AtStep } from '../../tensor/ops/step.ts';
import type { TrainingLoss } from '../../tensor/ops/trainingLoss.ts';
import { computeGradients, type BatchGradients, type Penalties } from '../gradients.ts';

/** What a method works with, the same in every step. */
export interface MethodSurroundings {
  readonly network: Network;
  /** In which attacks move. */
  readonly space: AttackSpace;
  /** Of the run: everything random is drawn from it and the step. */
  readonly seed: number;
  /** What training minimises. */
  readonly lossOf: TrainingLoss;
  /** What attacks raise. */
  readonly attackLossOf: TrainingLoss;
  readonly penalties: Penalties;
  /** Null for methods without an attack. */
  readonly threat: ThreatPlan | null;
  /** Of every batch but a smaller last one. */
  readonly batchSize: number;
  readonly sampleShape: readonly number[];
  /** Who looks at the gradients that attacks take. */
  readonly attackGradients?: AttackGradients;
}

/** As BatchGradients, with the statistics of every pass that shall move the running ones, in order. */
export interface Update extends Omit<BatchGradients, 'batchStatistics'> {
  readonly batchStatistics: readonly (readonly BatchStatistics[])[];
  /** What the method remembers of this step, with the variable that shall hold it. */
  readonly kept?: readonly (readonly [variable: tf.Variable, next: tf.Tensor])[];
}

export interface TrainingMethod {
  /** What it remembers from step to step, by name: part of a run's state. */
  readonly kept: ReadonlyMap<string, tf.Variable>;
  /**
   * What the batch says of the weights. The batch is the method's: it disposes it.
   * @param at the update; the same record in every step of a training
   */
  update(batch: Batch, at: AtStep): Update;
}

export type MakeMethod<M extends MethodName> = (around: MethodSurroundings, plan: PlanOfMethod<M>) => TrainingMethod;

/** The key of what an update draws from a stream. */
export function keyOf({ seed }: Pick<MethodSurroundings, 'seed'>, stream: number, at: AtStep): RandomKey {
  return { seed, stream, counter: { at, every: 1 } };
}

/** Gradients of the loss on a batch, as in standard training. Leaves the batch to its owner. */
export function gradientsOn(around: MethodSurroundings, batch: Batch, at: AtStep): BatchGradients {
  const { network, penalties, lossOf } = around;
  return computeGradients(network, batch, { key: keyOf(around, randomStreams.dropout, at), penalties, lossOf });
}

export function disposeStatistics(passes: readonly (readonly BatchStatistics[])[]): void {
  tf.dispose(passes.flat().flatMap(({ mean, variance }) => [mean, variance]));
}
