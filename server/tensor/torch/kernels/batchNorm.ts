// KafscopeBatchNorm, its gradient, and KafscopeScaleShift, by PyTorch's batch normalisation in channels-last.
import type * as tf from '@tensorflow/tfjs-core';
import type { Handle, Torch } from '../torch.ts';
import { filled, floats, onlyFloats, torchKernel, type TorchKernel } from './torchKernel.ts';

interface NormInputs {
  readonly x: tf.TensorInfo;
  readonly gamma: tf.TensorInfo;
  readonly beta: tf.TensorInfo;
}

interface NormGradInputs {
  readonly dy: tf.TensorInfo;
  readonly x: tf.TensorInfo;
  readonly gamma: tf.TensorInfo;
  readonly mean: tf.TensorInfo;
  readonly variance: tf.TensorInfo;
}

export const batchNormKernels: readonly TorchKernel[] = [
  torchKernel<NormInputs, { epsilon: number }>(
    'KafscopeBatchNorm',
    filled(onlyFloats),
    (torch, of, { x, gamma, beta }, { epsilon }) => {
      const [nChannels] = gamma.shape as [number];
      // What PyTorch calls running statistics becomes the batch's own at a momentum of 1.
      const [mean, variance] = [torch.full([nChannels], 0), torch.full([nChannels], 0)];
      const image = asImage(torch, of(x), x.shape);
      const given = [image, of(gamma), of(beta), mean, variance] as const;
      const [y] = torch.callAll('batchNorm', ...given, true, 1, epsilon) as [Handle, Handle, Handle];
      const nRows = x.shape.slice(0, -1).reduce((product, length) => product * length, 1);
      // PyTorch's is divided by n − 1; of one row it is NaN.
      const biased = nRows === 1 ? torch.full([nChannels], 0) : torch.scale(variance, (nRows - 1) / nRows);
      return [floats(torch.call('permute', y, [0, 2, 3, 1]), x.shape), floats(mean), floats(biased)];
    },
  ),
  torchKernel<NormGradInputs, { epsilon: number }>(
    'KafscopeBatchNormGrad',
    filled(onlyFloats),
    (torch, of, { dy, x, gamma, mean, variance }, { epsilon }) => {
      const inverse = torch.call('rsqrt', torch.add(of(variance), torch.constant(epsilon)));
      const [upstream, image] = [asImage(torch, of(dy), dy.shape), asImage(torch, of(x), x.shape)];
      const [dx, dgamma, dbeta] = torch.callAll(
        'batchNormBackward',
        ...([upstream, image, of(gamma), null, null, of(mean), inverse, true, epsilon, [true, true, true]] as const),
      ) as [Handle, Handle, Handle];
      return [floats(torch.call('permute', dx, [0, 2, 3, 1]), x.shape), floats(dgamma), floats(dbeta)];
    },
  ),
  torchKernel<{ x: tf.TensorInfo; scale: tf.TensorInfo; shift: tf.TensorInfo }>(
    'KafscopeScaleShift',
    onlyFloats,
    (torch, of, { x, scale, shift }) => floats(torch.add(torch.call('mul', of(x), of(scale)), of(shift))),
  ),
];

/** `[…, C]` as an image of PyTorch's, [batch, channels, height, width] in channels-last. */
function asImage(torch: Torch, x: Handle, shape: readonly number[]): Handle {
  const [nSamples, nChannels] = [shape[0]!, shape.at(-1)!];
  const [height, width] = shape.length === 4 ? [shape[1]!, shape[2]!] : [restOf(shape), 1];
  const image = torch.view(x, shape.length === 1 ? [1, 1, 1, nChannels] : [nSamples, height, width, nChannels]);
  return torch.call('permute', image, [0, 3, 1, 2]);
}

function restOf(shape: readonly number[]): number {
  return shape.slice(1, -1).reduce((product, length) => product * length, 1);
}
