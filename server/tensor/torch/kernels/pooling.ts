// Pooling and its gradients. A NaN in a window is its maximum; of equal maxima the first gets the gradient. Where an average's window would
// hang over the edge by unequal sides, the host computes.
import * as tf from '@tensorflow/tfjs-core';
import type { Handle, Torch } from '../torch.ts';
import { filled, floats, onlyFloats, torchKernel, type TorchKernel } from './torchKernel.ts';
import { fromImage, imageOf, roundsDown, windowOf, type Window } from './window.ts';

interface Attributes {
  readonly filterSize: [number, number] | number;
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** PyTorch pads no further than half a window. */
const takesUneven: TorchKernel['takes'] = (inputs, attributes) => {
  if (!filled(onlyFloats)(inputs, {}) || !roundsDown(attributes)) return false;
  const { padding, kernel } = windowFor(inputs.at(-1)!.shape, attributes as unknown as Attributes);
  return padding.every((length, axis) => 2 * length <= kernel[axis]!);
};

const takes: TorchKernel['takes'] = (inputs, attributes) =>
  takesUneven(inputs, attributes) &&
  windowFor(inputs.at(-1)!.shape, attributes as unknown as Attributes).extra === null;

interface One {
  readonly x: tf.TensorInfo;
}

export const poolingKernels: readonly TorchKernel[] = [
  torchKernel<One, Attributes>('MaxPool', takesUneven, (torch, of, { x }, attributes) => {
    const window = windowFor(x.shape, attributes);
    const [y] = maxPooled(torch, imageOf(torch, of(x), x, window, -Infinity), window);
    return floats(torch.call('permute', y, [0, 2, 3, 1]));
  }),
  torchKernel<{ dy: tf.TensorInfo; input: tf.TensorInfo }, Attributes>(
    'MaxPoolGrad',
    (inputs, attributes) => takesUneven(inputs.slice(0, 2), attributes),
    (torch, of, { dy, input }, attributes) => {
      const window = windowFor(input.shape, attributes);
      const image = imageOf(torch, of(input), input, window, -Infinity);
      const [, places] = maxPooled(torch, image, window);
      const upstream = torch.call('permute', of(dy), [0, 3, 1, 2]);
      const { kernel, strides, padding } = window;
      const dx = torch.call('maxPoolBackward', upstream, image, kernel, strides, padding, [1, 1], false, places);
      return floats(fromImage(torch, dx, input.shape, window));
    },
  ),
  torchKernel<One, Attributes>('AvgPool', takes, (torch, of, { x }, attributes) => {
    const window = windowFor(x.shape, attributes);
    const { kernel, strides, padding } = window;
    const image = imageOf(torch, of(x), x, window);
    const y = torch.call('avgPool', image, kernel, strides, padding, false, false);
    return floats(torch.call('permute', y, [0, 2, 3, 1]));
  }),
  torchKernel<{ dy: tf.TensorInfo; input: tf.TensorInfo }, Attributes>(
    'AvgPoolGrad',
    // tfjs's gradient of a padded average is another: ARCHITECTURE.md.
    (inputs, attributes) =>
      takes(inputs, attributes) &&
      windowFor(inputs[1]!.shape, attributes as unknown as Attributes).padding.every((length) => length === 0),
    (torch, of, { dy, input }, attributes) => {
      const window = windowFor(input.shape, attributes);
      const { kernel, strides, padding } = window;
      const image = imageOf(torch, of(input), input, window);
      const upstream = torch.call('permute', of(dy), [0, 3, 1, 2]);
      const dx = torch.call('avgPoolBackward', upstream, image, kernel, strides, padding, false, false);
      return floats(fromImage(torch, dx, input.shape, window));
    },
  ),
];

function windowFor(shape: readonly number[], { filterSize, strides, pad, dimRoundingMode }: Attributes): Window {
  const input = shape as [number, number, number, number];
  return windowOf(tf.backend_util.computePool2DInfo(input, filterSize, strides, 1, pad, dimRoundingMode));
}

/** The maxima and where they are. */
function maxPooled(torch: Torch, image: Handle, { kernel, strides, padding }: Window): [Handle, Handle] {
  return torch.callAll('maxPool', image, kernel, strides, padding, [1, 1], false) as [Handle, Handle];
}
