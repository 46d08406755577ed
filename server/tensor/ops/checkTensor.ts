// The checks at an op's door, so that a wrong shape is named before a kernel reads past an end.
import type * as tf from '@tensorflow/tfjs-core';

/** @throws TypeError if the tensor's dtype is another. */
export function expectDtype(op: string, name: string, tensor: tf.Tensor, dtype: 'float32' | 'int32'): void {
  if (tensor.dtype !== dtype) throw new TypeError(`${op}: expected ${name} of dtype ${dtype}, got ${tensor.dtype}`);
}

/** @throws RangeError if the shape is another; TypeError if the tensor is not float32. */
export function expectFloats(op: string, name: string, tensor: tf.Tensor, shape: readonly number[]): void {
  expectDtype(op, name, tensor, 'float32');
  expectShape(op, name, tensor, shape);
}

/** @throws RangeError if the shape is another. */
export function expectShape(op: string, name: string, tensor: tf.Tensor, shape: readonly number[]): void {
  if (!isSameShape(tensor.shape, shape)) {
    throw new RangeError(`${op}: expected ${name} of shape ${show(shape)}, got ${show(tensor.shape)}`);
  }
}

/** @throws RangeError if the tensor has fewer or more axes. */
export function expectRank(op: string, name: string, tensor: tf.Tensor, rank: number): void {
  if (tensor.rank !== rank) {
    throw new RangeError(`${op}: expected ${name} of rank ${String(rank)}, got shape ${show(tensor.shape)}`);
  }
}

/** The length of the last axis. @throws RangeError for a scalar. */
export function lastAxis(op: string, name: string, tensor: tf.Tensor): number {
  const length = tensor.shape.at(-1);
  if (length === undefined) throw new RangeError(`${op}: expected ${name} with at least one axis, got a scalar`);
  return length;
}

function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

function show(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
