// What a run must remember to go on exactly where it was: everything random is drawn from the seed and the step, so that
// weights, running statistics, optimizer moments and the position are enough. Writing it to disk is elsewhere.
import * as tf from '@tensorflow/tfjs-core';
import type { Network } from '../model/network.ts';
import { readFloats } from '../tensor/read.ts';
import type { TrainingMethod } from './methods/method.ts';
import type { Optimizer } from './optimizer.ts';
import type { WeightAverage } from './weightAverage.ts';

export interface TrainingState {
  /** Updates done. */
  readonly step: number;
  /** Epochs done, the test at their end included: after an abort during that test it is one less than the steps say. */
  readonly epoch: number;
  /** `model/conv1.kernel`, `model/bn1.mean`, `average/conv1.kernel`, `optimizer/conv1.kernel.velocity`, `method/delta`, … */
  readonly tensors: ReadonlyMap<string, SavedTensor>;
}

export interface SavedTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A state that belongs to another network or optimizer. */
export class StateMismatchError extends Error {
  override readonly name = 'StateMismatchError';
}

/** What a training remembers. */
export interface Remembering {
  readonly network: Network;
  readonly optimizer: Optimizer;
  readonly method: TrainingMethod;
  readonly average: WeightAverage | null;
  readonly watch: Saving | null;
  readonly stopping: Saving | null;
}

/** What saves itself beside the tensors of network, optimizer and method. */
export interface Saving {
  saved(): ReadonlyMap<string, SavedTensor>;
  restore(tensors: ReadonlyMap<string, SavedTensor>): void;
}

/** A copy, independent of what training does next. */
export function captureState(training: Remembering, { step, epoch }: { step: number; epoch: number }): TrainingState {
  return {
    step,
    epoch,
    tensors: new Map([...captureTensors(training), ...savings(training).flatMap((one) => [...one.saved()])]),
  };
}

/** Weights, statistics and all that moves them, without what the watch remembers. */
export function captureTensors(training: Remembering): Map<string, SavedTensor> {
  const tensors = new Map<string, SavedTensor>();
  for (const [name, variable] of [...variablesOf(training.network, 'model'), ...otherVariables(training)]) {
    tensors.set(name, { shape: [...variable.shape], values: readFloats(variable) });
  }
  return tensors;
}

/** Under which its tensors stand: as they were trained, and their moving average. */
export type WeightsName = 'model' | 'average';

/**
 * Writes the state's weights and statistics, or their average, into the network.
 * @throws StateMismatchError where a tensor is missing or has another shape.
 */
export function restoreNetwork(network: Network, state: TrainingState, of: WeightsName = 'model'): void {
  restore(variablesOf(network, of), state);
  for (const { spectrum } of network.parameters) spectrum?.divide();
}

/** All that a training remembers. @throws StateMismatchError where a tensor is missing or has another shape. */
export function restoreState(training: Remembering, state: TrainingState): void {
  restoreTensors(training, state.tensors);
  for (const one of savings(training)) one.restore(state.tensors);
}

function savings({ watch, stopping }: Remembering): Saving[] {
  return [watch, stopping].filter((one) => one !== null);
}

/** The same without what the watch remembers. */
export function restoreTensors(training: Remembering, tensors: TrainingState['tensors']): void {
  restore([...variablesOf(training.network, 'model'), ...otherVariables(training)], { tensors });
  const averaged = training.average?.network.parameters ?? [];
  for (const { spectrum } of [...training.network.parameters, ...averaged]) spectrum?.divide();
}

function variablesOf(network: Network, of: WeightsName): [string, tf.Variable][] {
  const singular = network.parameters.flatMap(({ layer, spectrum }) =>
    spectrum
      ? [
          { name: `${layer}.leftSingular`, variable: spectrum.left },
          { name: `${layer}.rightSingular`, variable: spectrum.right },
        ]
      : [],
  );
  const all = [...network.parameters, ...network.statistics, ...singular];
  return all.map(({ name, variable }) => [`${of}/${name}`, variable]);
}

function otherVariables({ optimizer, method, average }: Remembering): [string, tf.Variable][] {
  return [
    ...(average ? variablesOf(average.network, 'average') : []),
    ...[...optimizer.moments].map(([name, variable]): [string, tf.Variable] => [`optimizer/${name}`, variable]),
    ...[...method.kept].map(([name, variable]): [string, tf.Variable] => [`method/${name}`, variable]),
  ];
}

function restore(variables: readonly [string, tf.Variable][], { tensors }: Pick<TrainingState, 'tensors'>): void {
  for (const [name, variable] of variables) {
    const saved = tensors.get(name);
    if (!saved) throw new StateMismatchError(`the checkpoint has no ${name}: it belongs to another experiment`);
    if (saved.shape.join() !== variable.shape.join()) {
      throw new StateMismatchError(
        `${name} is [${saved.shape.join(', ')}] in the checkpoint, but [${variable.shape.join(', ')}] in the network: the checkpoint belongs to another experiment`,
      );
    }
    tf.tidy(() => {
      variable.assign(tf.tensor(saved.values.slice(), [...saved.shape], 'float32'));
    });
  }
}
