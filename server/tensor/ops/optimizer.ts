// Optimizer updates in place: the parameter's and the moments' storage is written, and every tensor that shares it
// (a clone, the live values of one of the backend `cpu`) changes with it. Learning-rate schedules live in server/trainer.
import * as tf from '@tensorflow/tfjs-core';

import { expectFloats } from './checkTensor.ts';
import { floatsOf, type OpDefinition } from './cpuKernel.ts';
import { isHalted, type AtStep, type Halted, type StepValues } from './step.ts';

export interface SgdUpdate {
  readonly parameter: tf.Variable;
  readonly gradient: tf.Tensor;
  /** Null exactly when momentum is 0 and no velocity is kept. */
  readonly velocity: tf.Variable | null;
  readonly at: Pick<StepValues, 'learningRate'>;
  readonly momentum: number;
  readonly weightDecay: number;
  /** Absent where the update is always made. */
  readonly halted?: Halted | null;
}

export interface AdamUpdate {
  readonly parameter: tf.Variable;
  readonly gradient: tf.Tensor;
  readonly firstMoment: tf.Variable;
  readonly secondMoment: tf.Variable;
  readonly at: StepValues;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly halted?: Halted | null;
}

/** What weight decay apart from the gradient changes. */
export interface WeightDecay {
  readonly parameter: tf.Variable;
  readonly at: Pick<StepValues, 'learningRate'>;
  readonly weightDecay: number;
  readonly halted?: Halted | null;
}

/** A running statistic, and how it follows those of batches. */
export interface StatisticMove {
  /** `[C]` */
  readonly statistic: tf.Variable;
  /** `[C]` */
  readonly batch: tf.Tensor;
  /** Of the batch's statistic. */
  readonly scale: number;
  readonly at: AtStep;
  /** Of update t it is (t − 1)/(t + lag), at most so much. */
  readonly maxMomentum: number;
  readonly lag: number;
  readonly halted?: Halted | null;
}

/**
 * One step of SGD with momentum as in PyTorch: g ← g + weightDecay·w, v ← momentum·v + g, w ← w − learningRate·v.
 * Parameter and velocity are changed in place; a NaN or Inf in the gradient reaches them.
 * @throws TypeError if a tensor is not float32; RangeError if shapes differ, or momentum is given without a velocity.
 */
export function sgdUpdate(update: SgdUpdate): void {
  const { parameter, gradient, velocity, at, momentum, weightDecay, halted = null } = update;
  expectFloats('sgdUpdate', 'gradient', gradient, parameter.shape);
  if (velocity !== null) expectFloats('sgdUpdate', 'velocity', velocity, parameter.shape);
  else if (momentum !== 0)
    throw new RangeError('sgdUpdate: expected a velocity with a momentum other than 0, got null');
  const inputs = { parameter, gradient, ...(velocity && { velocity }), ...(halted && { halted }) };
  runInPlace('KafscopeSgdUpdate', inputs, { at, momentum, weightDecay });
}

/**
 * One step of Adam (Kingma and Ba, 2015, algorithm 1) as in PyTorch, weight decay in its L2 form:
 * g ← g + weightDecay·w, m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g²,
 * w ← w − learningRate/(1 − β₁ᵗ) · m/(√v/√(1 − β₂ᵗ) + epsilon). In place, as sgdUpdate.
 * @throws TypeError if a tensor is not float32; RangeError if shapes differ, or the step is not a positive integer.
 */
export function adamUpdate(update: AdamUpdate): void {
  const { parameter, gradient, firstMoment, secondMoment, halted = null, ...attributes } = update;
  expectFloats('adamUpdate', 'gradient', gradient, parameter.shape);
  expectFloats('adamUpdate', 'firstMoment', firstMoment, parameter.shape);
  expectFloats('adamUpdate', 'secondMoment', secondMoment, parameter.shape);
  if (!Number.isInteger(update.at.step) || update.at.step < 1) {
    throw new RangeError(`adamUpdate: expected a step of at least 1, got ${String(update.at.step)}`);
  }
  const inputs = { parameter, gradient, firstMoment, secondMoment, ...(halted && { halted }) };
  runInPlace('KafscopeAdamUpdate', inputs, attributes);
}

/** w ← w·(1 − learningRate·weightDecay) (Loshchilov & Hutter, 2019, algorithm 2), the factor rounded to float32. In place. */
export function decay({ parameter, halted = null, ...attributes }: WeightDecay): void {
  runInPlace('KafscopeDecay', { parameter, ...(halted && { halted }) }, attributes);
}

/**
 * s ← m·s + (1 − m)·scale·batch with m = min(maxMomentum, (t − 1)/(t + lag)), each product and the sum rounded to float32. In place.
 * @throws TypeError if a tensor is not float32; RangeError if shapes differ.
 */
export function moveStatistic({ statistic, batch, halted = null, ...attributes }: StatisticMove): void {
  expectFloats('moveStatistic', 'batch', batch, statistic.shape);
  runInPlace('KafscopeMoveStatistic', { statistic, batch, ...(halted && { halted }) }, attributes);
}

/** m of `moveStatistic`. */
export function momentumAt({ at, maxMomentum, lag }: Pick<StatisticMove, 'at' | 'maxMomentum' | 'lag'>): number {
  return Math.min(maxMomentum, (at.step - 1) / (at.step + lag));
}

/** tfjs keeps attributes as they are, records among them. */
function runInPlace(kernelName: string, inputs: tf.NamedTensorMap, attributes: object): void {
  tf.engine().runKernel(kernelName, inputs, attributes as tf.NamedAttrMap);
}

export const optimizerOps: OpDefinition = {
  kernels: [
    {
      kernelName: 'KafscopeSgdUpdate',
      kernelFunc: ({ inputs, attrs, backend }) => {
        if (isHalted(backend, inputs['halted'])) return [];
        const { at, momentum, weightDecay } = attrs as unknown as SgdUpdate;
        const { learningRate } = at;
        const weights = floatsOf(backend, inputs['parameter']);
        const gradient = floatsOf(backend, inputs['gradient']);
        if (inputs['velocity'] === undefined) {
          for (let i = 0; i < weights.length; i++) {
            weights[i] = weights[i]! - learningRate * (gradient[i]! + weightDecay * weights[i]!);
          }
          return [];
        }
        const velocity = floatsOf(backend, inputs['velocity']);
        for (let i = 0; i < weights.length; i++) {
          velocity[i] = momentum * velocity[i]! + (gradient[i]! + weightDecay * weights[i]!);
          weights[i] = weights[i]! - learningRate * velocity[i]!;
        }
        return [];
      },
    },
    {
      kernelName: 'KafscopeAdamUpdate',
      kernelFunc: ({ inputs, attrs, backend }) => {
        if (isHalted(backend, inputs['halted'])) return [];
        const { at, beta1, beta2, epsilon, weightDecay } = attrs as unknown as AdamUpdate;
        const { step, learningRate } = at;
        const weights = floatsOf(backend, inputs['parameter']);
        const gradient = floatsOf(backend, inputs['gradient']);
        const first = floatsOf(backend, inputs['firstMoment']);
        const second = floatsOf(backend, inputs['secondMoment']);
        const stepSize = learningRate / (1 - beta1 ** step);
        const correction = Math.sqrt(1 - beta2 ** step);
        for (let i = 0; i < weights.length; i++) {
          const slope = gradient[i]! + weightDecay * weights[i]!;
          first[i] = beta1 * first[i]! + (1 - beta1) * slope;
          second[i] = beta2 * second[i]! + (1 - beta2) * slope * slope;
          weights[i] = weights[i]! - (stepSize * first[i]!) / (Math.sqrt(second[i]!) / correction + epsilon);
        }
        return [];
      },
    },
    {
      kernelName: 'KafscopeDecay',
      kernelFunc: ({ inputs, attrs, backend }) => {
        if (isHalted(backend, inputs['halted'])) return [];
        const { at, weightDecay } = attrs as unknown as WeightDecay;
        const weights = floatsOf(backend, inputs['parameter']);
        const factor = Math.fround(1 - at.learningRate * weightDecay);
        for (let i = 0; i < weights.length; i++) weights[i] = weights[i]! * factor;
        return [];
      },
    },
    {
      kernelName: 'KafscopeMoveStatistic',
      kernelFunc: ({ inputs, attrs, backend }) => {
        if (isHalted(backend, inputs['halted'])) return [];
        const move = attrs as unknown as StatisticMove;
        const statistic = floatsOf(backend, inputs['statistic']);
        const batch = floatsOf(backend, inputs['batch']);
        const momentum = momentumAt(move);
        const [kept, taken] = [Math.fround(momentum), Math.fround((1 - momentum) * move.scale)];
        for (let i = 0; i < statistic.length; i++) {
          statistic[i] = Math.fround(statistic[i]! * kept) + Math.fround(batch[i]! * taken);
        }
        return [];
      },
    },
  ],
  gradients: [],
};
