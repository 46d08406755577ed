// tfjs's kernels for the backend `cpu`, on copies of the tensors in the host's memory: for the ops and types that no training step needs,
// and that PyTorch has not, or not as tfjs means them.
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type * as tf from '@tensorflow/tfjs-core';
import type { TorchBackend } from './torchBackend.ts';

/** `kernelFunc` is of the backend `cpu`; what it is given and gives are tensors of the backend `torch`. */
export function onHost(kernelFunc: tf.KernelFunc): tf.KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const ours = backend as TorchBackend;
    const host = openHost();
    const given = eachTensor(inputs, (info) => toHost(info, ours, host));
    const call = { inputs: given as tf.NamedTensorInfoMap, backend: host, ...(attrs ? { attrs } : {}) };
    const results = kernelFunc(call);
    return Array.isArray(results) ? results.map((info) => fromHost(info, ours, host)) : fromHost(results, ours, host);
  };
}

type Inputs = tf.TensorInfo | readonly Inputs[] | { readonly [name: string]: Inputs | undefined };

/** Kernels have tensors by name or in lists, and lists by name; one that is not given is left out. */
function eachTensor(inputs: Inputs, change: (info: tf.TensorInfo) => tf.TensorInfo): Inputs {
  if (Array.isArray(inputs)) return inputs.map((input: Inputs) => eachTensor(input, change));
  if ('dataId' in inputs) return change(inputs as tf.TensorInfo);
  const entries = Object.entries(inputs as Readonly<Record<string, Inputs | undefined>>);
  return Object.fromEntries(entries.flatMap(([name, input]) => (input ? [[name, eachTensor(input, change)]] : [])));
}

/** It recommends tfjs-node on standard error at its first tensor, unless that is said to have been. */
function openHost(): MathBackendCPU {
  const host = new MathBackendCPU();
  (host as unknown as { firstUse: boolean }).firstUse = false;
  return host;
}

function toHost(info: tf.TensorInfo, ours: TorchBackend, host: MathBackendCPU): tf.TensorInfo {
  if (info.dtype === 'complex64') {
    const { real, imag } = ours.partsOf(info);
    const made = host.makeTensorInfo(info.shape, 'complex64');
    host.data.get(made.dataId).complexTensorInfos = { real: toHost(real, ours, host), imag: toHost(imag, ours, host) };
    return made;
  }
  const made = host.makeTensorInfo(info.shape, info.dtype, ours.readSync(info.dataId) as Float32Array);
  // Some kernels ask for it, as tensors have it.
  return Object.assign(made, { rank: info.shape.length });
}

function fromHost(info: tf.TensorInfo, ours: TorchBackend, host: MathBackendCPU): tf.TensorInfo {
  const { values, complexTensorInfos } = host.data.get(info.dataId);
  if (complexTensorInfos) {
    const { real, imag } = complexTensorInfos;
    return ours.makeComplex(fromHost(real, ours, host), fromHost(imag, ours, host));
  }
  return ours.make(values as tf.backend_util.BackendValues, info.shape, info.dtype);
}
