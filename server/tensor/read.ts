// Reading tensors: whoever asks waits for the device, so nobody else in the trainer, attacks, probes, models and ops does (a lint rule holds
// it). Kernels, which are of one backend, reach its memory in their own way.
import * as tf from '@tensorflow/tfjs-core';

/** A copy of the values of a float32 tensor; waits for them. */
export function readFloats(tensor: tf.Tensor): Float32Array {
  return tensor.dataSync<'float32'>().slice();
}

/** A copy of the values of an int32 tensor; waits for them. */
export function readIntegers(tensor: tf.Tensor): Int32Array {
  return tensor.dataSync<'int32'>().slice();
}

/** Of values that were asked for: gives them, and waits only where they are not there yet. To be called once. */
export type Reading<T> = () => T;

/** A backend whose device computes beside the host. */
export interface LateBackend {
  /** Begins a copy of the values as they are now, behind the work that was given to the device so far. Null where a copy is made at once. */
  beginRead(dataId: object): Reading<tf.backend_util.BackendValues> | null;
}

/** Asks for float32 values as they are now: what is written to the tensor later is not seen, and it may be disposed. */
export function beginFloats(tensor: tf.Tensor): Reading<Float32Array> {
  return begin(tensor, readFloats);
}

/** The same of int32 values. */
export function beginIntegers(tensor: tf.Tensor): Reading<Int32Array> {
  return begin(tensor, readIntegers);
}

/** What `make` asks for, without the tensors that it makes. */
export function beginTidy<T>(make: () => Reading<T>): Reading<T> {
  let reading: Reading<T> | null = null;
  tf.tidy(() => {
    reading = make();
  });
  return reading!;
}

function begin<T extends Float32Array | Int32Array>(tensor: tf.Tensor, read: (tensor: tf.Tensor) => T): Reading<T> {
  const late = (tf.backend() as Partial<LateBackend>).beginRead?.(tensor.dataId) ?? null;
  if (late) return late as Reading<T>;
  const values = read(tensor);
  return () => values;
}
