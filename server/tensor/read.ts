// Reading tensors: whoever asks waits for the device, so nobody else in the trainer, attacks, probes, models and ops does (a lint rule holds
// it). Kernels, which are of one backend, reach its memory in their own way.
import type * as tf from '@tensorflow/tfjs-core';

/** A copy of the values of a float32 tensor; waits for them. */
export function readFloats(tensor: tf.Tensor): Float32Array {
  return tensor.dataSync<'float32'>().slice();
}

/** A copy of the values of an int32 tensor; waits for them. */
export function readIntegers(tensor: tf.Tensor): Int32Array {
  return tensor.dataSync<'int32'>().slice();
}
