// Matrix products. PyTorch's `matmul` broadcasts batches as tfjs does.
import type * as tf from '@tensorflow/tfjs-core';
import type { Handle, Torch } from '../torch.ts';
import { filled, floats, onlyFloats, torchKernel, type TorchKernel } from './torchKernel.ts';

interface Operands {
  readonly a: tf.TensorInfo;
  readonly b: tf.TensorInfo;
}

interface Transposes {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

const takesMatrices: TorchKernel['takes'] = (inputs) =>
  filled(onlyFloats)(inputs, {}) && inputs.slice(0, 2).every(({ shape }) => shape.length >= 2);

export const productKernels: readonly TorchKernel[] = [
  torchKernel<Operands, Transposes>('BatchMatMul', takesMatrices, (torch, of, { a, b }, attributes) =>
    floats(product(torch, of(a), of(b), a.shape.length, attributes)),
  ),
  torchKernel<Operands & { bias?: tf.TensorInfo }, Transposes & { activation?: string }>(
    '_FusedMatMul',
    (inputs, { activation }) =>
      takesMatrices(inputs, {}) && (activation === undefined || activation === 'linear' || activation === 'relu'),
    (torch, of, { a, b, bias }, { activation, ...transposes }) => {
      const made = product(torch, of(a), of(b), a.shape.length, transposes);
      const shifted = bias ? torch.add(made, of(bias)) : made;
      return floats(activation === 'relu' ? torch.call('relu', shifted) : shifted);
    },
  ),
];

function product(torch: Torch, a: Handle, b: Handle, rank: number, { transposeA, transposeB }: Transposes): Handle {
  const transposed = (x: Handle) => torch.call('permute', x, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
  return torch.call('matmul', transposeA ? transposed(a) : a, transposeB ? transposed(b) : b);
}
