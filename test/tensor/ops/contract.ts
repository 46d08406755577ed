// What every op's contract suite shares: running it on every runtime, and evaluating values and gradients while checking
// that inputs stay untouched and nothing leaks.
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';

import { contractRuntimes, openContractVariant, type ContractRuntime } from './runtimes.ts';

export interface Input {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

export interface Evaluation {
  /** The op's output (its first, if it has several). */
  readonly y: Float32Array;
  readonly shape: readonly number[];
  /** With respect to each float32 input, in order; of the sum of dy·y. */
  readonly gradients: readonly Float32Array[];
}

/** Declares a suite once for each runtime and way to cut its work; its tests run with that runtime as tfjs's backend. */
export function describeOnEveryRuntime(title: string, declare: (runtime: ContractRuntime) => void): void {
  describe.each(contractRuntimes)(`${title} on %s`, (runtime) => {
    let checkThreads: (() => void) | undefined;
    beforeAll(async () => {
      checkThreads = await openContractVariant(runtime);
    });
    afterAll(() => {
      checkThreads?.(); // absent where the runtime could not be opened, which has been told then
    });
    declare(runtime);
  });
}

/** float32 values from numbers, with the shape they are to have (a vector if none is given). */
export function input(values: ArrayLike<number>, shape: readonly number[] = [values.length]): Input {
  return { shape, values: Float32Array.from(values) };
}

export function integers(values: ArrayLike<number>): Input {
  return { shape: [values.length], values: Int32Array.from(values) };
}

/** Makes an input's tensor, of a copy of its values. */
export function tensorOf<T extends tf.Tensor>({ shape, values }: Input): T {
  return tf.tensor(values.slice(), [...shape], values instanceof Int32Array ? 'int32' : 'float32') as T;
}

/** Runs the op, without gradients. */
export function evaluate(op: (...inputs: never[]) => tf.Tensor, inputs: readonly Input[]): Evaluation {
  return withoutTrace(inputs, (tensors) => {
    const y = op(...(tensors as never[]));
    return { y: y.dataSync<'float32'>().slice(), shape: y.shape, gradients: [] };
  });
}

/** Runs the op and its gradients for the upstream gradient dy, which has y's shape. */
export function evaluateGradients(
  op: (...inputs: never[]) => tf.Tensor,
  inputs: readonly Input[],
  dy: Float32Array,
): Evaluation {
  return withoutTrace(inputs, (tensors) => {
    const trainable = tensors.filter((tensor) => tensor.dtype === 'float32');
    const call = (...given: tf.Tensor[]): tf.Tensor => {
      const rest = [...given];
      return op(...(tensors.map((tensor) => (tensor.dtype === 'float32' ? rest.shift() : tensor)) as never[]));
    };
    const y = call(...trainable);
    const upstream = tf.tensor(dy, y.shape);
    const gradients = tf.grads(call)(trainable, upstream);
    return {
      y: y.dataSync<'float32'>().slice(),
      shape: y.shape,
      gradients: gradients.map((gradient) => gradient.dataSync<'float32'>().slice()),
    };
  });
}

/** Calls the function with the inputs' tensors, then checks that they are unchanged and that no tensor is left over. */
export function withoutTrace<R>(inputs: readonly Input[], run: (tensors: tf.Tensor[]) => R): R {
  const before = { nTensors: tf.memory().numTensors, nBuffers: tf.memory().numDataBuffers };
  const engine = tf.engine();
  let result: R;
  engine.startScope();
  try {
    const tensors = inputs.map((one) => tensorOf(one));
    result = run(tensors);
    tensors.forEach((tensor, index) => {
      expect(tensor.dataSync(), `input ${String(index)} after the op`).toEqual(inputs[index]!.values);
    });
  } finally {
    engine.endScope();
  }
  expect({ nTensors: tf.memory().numTensors, nBuffers: tf.memory().numDataBuffers }, 'leaked').toEqual(before);
  return result;
}

/** Numbers in [−scale, scale] that look random and are the same in every run (a sine's lower digits). */
export function scatter(n: number, scale: number, offset = 0): Float32Array {
  return Float32Array.from({ length: n }, (_, i) => {
    const wave = Math.sin((i + 1) * 12.9898 + offset * 78.233) * 43758.5453;
    return scale * (2 * (wave - Math.floor(wave)) - 1);
  });
}

export function float64(values: Float32Array): Float64Array {
  return Float64Array.from(values);
}

/** A reference's result, rounded to float32 to be compared. */
export function rounded(values: Float64Array): Float32Array {
  return Float32Array.from(values);
}
