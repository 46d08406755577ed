// What every op of ours shares: how a kernel reads and makes tensors on the cpu backend, and what an op registers.
// The arrays may be views on shared memory (the wasm runtime's), so no kernel here replaces or transfers a buffer.
import type * as tf from '@tensorflow/tfjs-core';

/** A kernel for tfjs's `cpu` backend; registerOps.ts registers it, and says what it takes and gives. */
export interface CpuKernel {
  readonly kernelName: string;
  readonly kernelFunc: tf.KernelFunc;
}

export interface OpDefinition {
  readonly kernels: readonly CpuKernel[];
  readonly gradients: readonly tf.GradConfig[];
}

interface CpuStorage {
  readonly data: { get(dataId: object): { readonly values: Float32Array | Int32Array } };
  makeTensorInfo(shape: number[], dtype: 'float32' | 'int32', values: Float32Array | Int32Array): tf.TensorInfo;
}

/** The live float32 values of a kernel's input: writing to them changes the tensor. */
export function floatsOf(backend: object, tensor: tf.TensorInfo | undefined): Float32Array {
  return valuesOf(backend, tensor) as Float32Array;
}

/** The live int32 values of a kernel's input. */
export function integersOf(backend: object, tensor: tf.TensorInfo | undefined): Int32Array {
  return valuesOf(backend, tensor) as Int32Array;
}

export function makeFloats(backend: object, shape: readonly number[], values: Float32Array): tf.TensorInfo {
  return (backend as CpuStorage).makeTensorInfo([...shape], 'float32', values);
}

export function makeIntegers(backend: object, shape: readonly number[], values: Int32Array): tf.TensorInfo {
  return (backend as CpuStorage).makeTensorInfo([...shape], 'int32', values);
}

/** The input of that name; a kernel that lacks one was called past its op. */
export function inputOf(inputs: tf.NamedTensorInfoMap, name: string): tf.TensorInfo {
  const tensor = inputs[name];
  if (tensor === undefined) throw new Error(`kernel input ${name} is missing`);
  return tensor;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

function valuesOf(backend: object, tensor: tf.TensorInfo | undefined): Float32Array | Int32Array {
  if (tensor === undefined) throw new Error('a kernel input is missing');
  return (backend as CpuStorage).data.get(tensor.dataId).values;
}
