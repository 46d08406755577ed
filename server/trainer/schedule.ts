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
 * and T steps before the cooldown, min + (max − min)·(1 − |2i/T − 1|), its peak at another share of T where the plan says so; in the
 * cooldown, min. One-cycle (Smith & Topin, 2019) as PyTorch's OneCycleLR, cosine annealed, from max/25.
 */
export function learningRate(plan: SchedulePlan, step: number, { epochs, stepsPerEpoch }: TrainingLength): number {
  switch (plan.type) {
    case 'constant':
      return plan.learningRate;
    case 'triangular': {
      const triangleSteps = Math.max(0, epochs - plan.cooldownEpochs) * stepsPerEpoch;
      if (step > triangleSteps) return plan.min;
      const { peak = 0.5 } = plan;
      const part = (step - 1) / triangleSteps;
      const height =
        peak === 0.5
          ? 1 - Math.abs((2 * (step - 1)) / triangleSteps - 1)
          : part < peak
            ? part / peak
            : (1 - part) / (1 - peak);
      return plan.min + (plan.max - plan.min) * height;
    }
    case 'step':
      return plan.learningRate * plan.factor ** Math.floor(epochsBefore(step, stepsPerEpoch) / plan.everyEpochs);
    case 'cosine': {
      const { min, max, warmupEpochs } = plan;
      const warmup = Math.min(warmupEpochs, epochs - 1) * stepsPerEpoch;
      if (step <= warmup) return min + ((max - min) * (step - 1)) / warmup;
      return halfCosine(max, min, (step - 1 - warmup) / (epochs * stepsPerEpoch - warmup));
    }
    case 'one-cycle': {
      const { min, max, peak, cooldownEpochs } = plan;
      const cycle = Math.max(0, epochs - cooldownEpochs) * stepsPerEpoch;
      if (step > cycle) return min;
      const rise = peak * cycle - 1;
      const i = step - 1;
      if (i <= rise) return halfCosine(max / 25, max, rise > 0 ? i / rise : 1);
      return halfCosine(max, min, (i - rise) / (cycle - 1 - rise));
    }
    default:
      return plan satisfies never;
  }
}

/** From one rate to another, `part` of the way: to + (from − to)·(1 + cos(π·part))/2 (Loshchilov & Hutter, 2017, eq. 5). */
function halfCosine(from: number, to: number, part: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * part))) / 2;
}
