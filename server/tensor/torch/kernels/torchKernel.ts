// What every kernel of this folder is made of: a name, the types that it takes, and operators of PyTorch. What it does not take is computed
// in the host's memory (../hostKernels.ts).
import type * as tf from '@tensorflow/tfjs-core';
import type { Handle, Torch } from '../torch.ts';
import type { Made, TorchBackend } from '../torchBackend.ts';

export interface TorchKernel {
  readonly kernelName: string;
  readonly kernelFunc: tf.KernelFunc;
  /** Whether this computes it; else the host does. */
  readonly takes: (inputs: readonly tf.TensorInfo[], attributes: tf.NamedAttrMap) => boolean;
}

/** The inputs' values, under the shapes that they have for the kernel. */
export type Of = (info: tf.TensorInfo) => Handle;

export function torchKernel<Inputs, Attributes = undefined>(
  kernelName: string,
  takes: TorchKernel['takes'],
  compute: (torch: Torch, of: Of, inputs: Inputs, attributes: Attributes) => Made | readonly Made[],
): TorchKernel {
  return {
    kernelName,
    takes,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const ours = backend as TorchBackend;
      const of: Of = (info) => ours.of(info);
      return ours.compute(() => compute(ours.torch, of, inputs as Inputs, attrs as Attributes));
    },
  };
}

/** A kernel that gives tensors that are there other values: in their place, also for their clones. */
export function updateKernel<Inputs, Attributes>(
  kernelName: string,
  update: (torch: Torch, of: Of, inputs: Inputs, attributes: Attributes) => readonly [tf.TensorInfo, Handle][],
): TorchKernel {
  return {
    kernelName,
    takes: () => true,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const ours = backend as TorchBackend;
      const of: Of = (info) => ours.of(info);
      ours.replace(() => update(ours.torch, of, inputs as Inputs, attrs as Attributes));
      return [];
    },
  };
}

/** A kernel that makes no values: a tensor over those of its input. */
export function sharingKernel(
  kernelName: string,
  shapeOf: (input: tf.TensorInfo, attributes: tf.NamedAttrMap) => readonly number[],
): TorchKernel {
  return {
    kernelName,
    takes: () => true,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const x = (inputs['x'] ?? inputs['input']) as tf.TensorInfo;
      return (backend as TorchBackend).reshaped(x, shapeOf(x, attrs ?? {}));
    },
  };
}

export function floats(handle: Handle, shape?: readonly number[]): Made {
  return shape ? { handle, dtype: 'float32', shape } : { handle, dtype: 'float32' };
}

export function booleans(handle: Handle): Made {
  return { handle, dtype: 'bool' };
}

/** As a kernel's input is, where PyTorch keeps the type. */
export function like(info: tf.TensorInfo, handle: Handle): Made {
  return { handle, dtype: info.dtype as Made['dtype'] };
}

type Takes = TorchKernel['takes'];

export const anyNumbers: Takes = (inputs) => inputs.every(({ dtype }) => dtype !== 'string' && dtype !== 'complex64');
export const onlyFloats: Takes = (inputs) => inputs.every(({ dtype }) => dtype === 'float32');
export const floatsOrIntegers: Takes = (inputs) =>
  inputs.every(({ dtype }) => dtype === 'float32' || dtype === 'int32');

/** Where PyTorch has nothing to reduce or to slide a window over, it refuses. */
export function filled(takes: Takes): Takes {
  return (inputs, attributes) => takes(inputs, attributes) && inputs.every(({ shape }) => !shape.includes(0));
}
