// Learning rate, epoch and batch by step.
import { updatesPerBatch } from '../protocol/methodTable.ts';
import type { SchedulePlan, TrainingPlan } from '../protocol/plan.ts';

export interface TrainingLength {
  readonly epochs: number;
  readonly stepsPerEpoch: number;
}

/** Updates of an epoch: as many as it has batches, or several on each. */
export function stepsInEpoch(
  { method, batchSize }: Pick<TrainingPlan, 'method' | 'batchSize'>,
  nSamples: number,
): number {
  return updatesPerBatch(method) * Math.ceil(nSamples / batchSize);
}

/** Of an epoch or a training, the batch (0, 1, …) of its `step`-th update (0, 1, …). */
export function batchOf({ method }: Pick<TrainingPlan, 'method'>, step: number): number {
  return Math.floor(step / updatesPerBatch(method));
}

/** The epochs done before the one of the update `step`; 0 before the first update. */
export function epochsBefore(step: number, stepsPerEpoch: number): number {
  return Math.floor(Math.max(0, step - 1) / stepsPerEpoch);
}

/**
 * The learning rate of the update `step` (1, 2, …). Triangular (Smith 2017, as in the thesis's figure 7.1): with i = step − 1
 * and T steps before the cooldown, min + (max − min)·(1 − |2i/T − 1|); in the cooldown, min.
 */
export function learningRate(plan: SchedulePlan, step: number, { epochs, stepsPerEpoch }: TrainingLength): number {
  switch (plan.type) {
    case 'constant':
      return plan.learningRate;
    case 'triangular': {
      const triangleSteps = Math.max(0, epochs - plan.cooldownEpochs) * stepsPerEpoch;
      if (step > triangleSteps) return plan.min;
      const height = 1 - Math.abs((2 * (step - 1)) / triangleSteps - 1);
      return plan.min + (plan.max - plan.min) * height;
    }
    default:
      return plan satisfies never;
  }
}
