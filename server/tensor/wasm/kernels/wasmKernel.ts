// What every kernel of this folder is made of: a name, a function on the backend, and the way back to tfjs's own kernel.
import * as tf from '@tensorflow/tfjs-core';
import type { WasmBackend } from '../wasmBackend.ts';

/** What tfjs hands to a kernel, with the backend and the attributes typed. */
export interface KernelCall<Inputs, Attributes> {
  readonly inputs: Inputs;
  readonly attrs: Attributes;
  readonly backend: WasmBackend;
}

export interface WasmKernel {
  readonly kernelName: string;
  readonly kernelFunc: tf.KernelFunc;
}

export function wasmKernel<Inputs, Attributes>(
  kernelName: string,
  kernelFunc: (call: KernelCall<Inputs, Attributes>) => tf.TensorInfo | tf.TensorInfo[],
): WasmKernel {
  return { kernelName, kernelFunc: kernelFunc as unknown as tf.KernelFunc };
}

/** The same call on tfjs's (or the ops') TypeScript kernel, for shapes and types that the fast one doesn't take. */
export function callCpuKernel(
  kernelName: string,
  call: { readonly inputs: unknown; readonly attrs: unknown; readonly backend: WasmBackend },
): tf.TensorInfo | tf.TensorInfo[] {
  const kernel = tf.getKernel(kernelName, 'cpu');
  return kernel.kernelFunc(call as unknown as Parameters<tf.KernelFunc>[0]);
}

export function sizeOf(tensor: tf.TensorInfo): number {
  return tf.util.sizeFromShape(tensor.shape);
}

/** Whether all are stored as float32, whatever they are labelled: kernels of tfjs's relabel integers without converting them. */
export function isFloat(backend: WasmBackend, ...tensors: readonly tf.TensorInfo[]): boolean {
  return tensors.every((tensor) => tensor.dtype === 'float32' && backend.storedType(tensor) === 'float32');
}

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
