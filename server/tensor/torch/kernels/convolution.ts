// Convolutions and their gradients, by PyTorch's in channels-last. Filters are [height, width, inputs, outputs] for tfjs and [outputs,
// inputs, height, width] for PyTorch.
import * as tf from '@tensorflow/tfjs-core';
import type { Handle, Torch } from '../torch.ts';
import { filled, floats, onlyFloats, torchKernel, type Of, type TorchKernel } from './torchKernel.ts';
import { fromImage, imageOf, laidShape, roundsDown, windowOf, type Window } from './window.ts';

interface Attributes {
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dilations?: [number, number] | number;
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

interface InputAttributes extends Attributes {
  readonly inputShape: [number, number, number, number];
}

interface Fused extends Attributes {
  readonly activation?: string;
}

const takes: TorchKernel['takes'] = (inputs, attributes) =>
  filled(onlyFloats)(inputs, {}) && (attributes['dataFormat'] ?? 'NHWC') === 'NHWC' && roundsDown(attributes);

/** tfjs does not ask whether dy is what such a convolution gives. */
const takesResult: TorchKernel['takes'] = (inputs, attributes) => {
  if (!takes(inputs, attributes)) return false;
  const { inputShape, ...others } = attributes as unknown as InputAttributes;
  const [dy, filter] = inputs as [tf.TensorInfo, tf.TensorInfo];
  return String(infoOf(inputShape, filter.shape, others).outShape) === String(dy.shape);
};

export const convolutionKernels: readonly TorchKernel[] = [
  torchKernel<{ x: tf.TensorInfo; filter: tf.TensorInfo }, Attributes>(
    'Conv2D',
    takes,
    (torch, of, inputs, attributes) => floats(convolved(torch, of, inputs, attributes)),
  ),
  torchKernel<{ x: tf.TensorInfo; filter: tf.TensorInfo; bias?: tf.TensorInfo }, Fused>(
    'FusedConv2D',
    (inputs, attributes) =>
      takes(inputs, attributes) &&
      ['linear', 'relu', undefined].includes(attributes['activation'] as string | undefined),
    (torch, of, { bias, ...inputs }, { activation, ...attributes }) => {
      const made = convolved(torch, of, inputs, attributes);
      const shifted = bias ? torch.add(made, of(bias)) : made;
      return floats(activation === 'relu' ? torch.call('relu', shifted) : shifted);
    },
  ),
  torchKernel<{ dy: tf.TensorInfo; filter: tf.TensorInfo }, InputAttributes>(
    'Conv2DBackpropInput',
    takesResult,
    (torch, of, { dy, filter }, { inputShape, ...attributes }) => {
      const window = windowFor(inputShape, filter.shape, attributes);
      // Only its shape and its order of memory are looked at.
      const image = torch.call('permute', torch.empty(laidShape(inputShape, window)), [0, 3, 1, 2]);
      const [dx] = backward(torch, of(dy), image, filterOf(torch, of(filter)), window, [true, false, false]);
      return floats(fromImage(torch, dx!, inputShape, window));
    },
  ),
  torchKernel<{ x: tf.TensorInfo; dy: tf.TensorInfo }, Attributes & { filterShape: [number, number, number, number] }>(
    'Conv2DBackpropFilter',
    takes,
    (torch, of, { x, dy }, { filterShape, ...attributes }) => {
      const whole = windowFor(x.shape, filterShape, attributes);
      const [height, width, nInputs, nOutputs] = filterShape;
      const filter = torch.call('permute', torch.empty([nOutputs, height, width, nInputs]), [0, 3, 1, 2]);
      const { image, window } = withoutGaps(torch, imageOf(torch, of(x), x, whole), whole);
      const [, dfilter] = backward(torch, of(dy), image, filter, window, [false, true, false]);
      return floats(torch.call('permute', dfilter!, [2, 3, 1, 0]));
    },
  ),
];

/**
 * A window of one pixel sees nothing of what its stride passes over. That is left out here: PyTorch's library for the CPU (oneDNN) gives
 * wrong gradients, or ends the process, where such a window passes over images of fewer channels than a block of its has.
 */
function withoutGaps(torch: Torch, image: Handle, window: Window): { readonly image: Handle; readonly window: Window } {
  const { kernel, strides, padding } = window;
  if (![...kernel, ...padding].every((n, i) => n === (i < 2 ? 1 : 0))) return { image, window };
  const seen = strides.reduce((rest, stride, i) => torch.call('slice', rest, 2 + i, 0, endOfAxis, stride), image);
  return { image: seen, window: { ...window, strides: [1, 1] } };
}

/** A slice to here is one to the last. */
const endOfAxis = 2 ** 31;

function windowFor(inputShape: readonly number[], filterShape: readonly number[], attributes: Attributes): Window {
  return windowOf(infoOf(inputShape, filterShape, attributes));
}

function infoOf(
  inputShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad, dilations = 1, dimRoundingMode }: Attributes,
): tf.backend_util.Conv2DInfo {
  return tf.backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    dilations,
    pad as 'valid',
    dimRoundingMode,
  );
}

function filterOf(torch: Torch, filter: Handle): Handle {
  return torch.call('permute', filter, [3, 2, 0, 1]);
}

function convolved(
  torch: Torch,
  of: Of,
  { x, filter }: { x: tf.TensorInfo; filter: tf.TensorInfo },
  attributes: Attributes,
): Handle {
  const window = windowFor(x.shape, filter.shape, attributes);
  const { strides, padding, dilations } = window;
  const image = imageOf(torch, of(x), x, window);
  const y = torch.call(
    'convolution',
    ...([image, filterOf(torch, of(filter)), strides, padding, dilations, false, [0, 0], 1] as const),
  );
  return torch.call('permute', y, [0, 2, 3, 1]);
}

function backward(
  torch: Torch,
  dy: Handle,
  image: Handle,
  filter: Handle,
  { strides, padding, dilations }: Window,
  wanted: readonly boolean[],
): (Handle | null)[] {
  const upstream = torch.call('permute', dy, [0, 3, 1, 2]);
  return torch.callAll(
    'convolutionBackward',
    ...([upstream, image, filter, strides, padding, dilations, false, [0, 0], 1, wanted] as const),
  );
}
