// Cast between numbers: tfjs's own kernel gives integers the label float32 and leaves them integers, which no WebAssembly
// kernel could read.
import * as tf from '@tensorflow/tfjs-core';
import { callCpuKernel, wasmKernel, type WasmKernel } from './wasmKernel.ts';

export const castKernels: readonly WasmKernel[] = [
  wasmKernel<{ x: tf.TensorInfo }, { dtype: tf.DataType }>(tf.Cast, (call) => {
    const { x } = call.inputs;
    const { dtype } = call.attrs;
    const stored = call.backend.storedType(x);
    const isWidening =
      (stored === 'bool' && dtype === 'int32') || ((stored === 'bool' || stored === 'int32') && dtype === 'float32');
    if (!isWidening) return callCpuKernel(tf.Cast, call);
    return call.backend.makeTensorInfo([...x.shape], dtype, call.backend.readSync(x.dataId));
  }),
];
