// KafscopeActivation and its gradient over assembly/activation.ts.
import type * as tf from '@tensorflow/tfjs-core';
import type { ActivationAttributes } from '../../ops/activation.ts';
import { sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

/** As assembly/activation.ts calls them. */
const names = {
  relu: 'relu',
  elu: 'elu',
  swish: 'swish',
  step: 'step',
  sigmoid: 'sigmoid',
  tanh: 'tanh',
  'leaky-relu': 'leakyRelu',
  gelu: 'gelu',
  softplus: 'softplus',
  'smooth-relu': 'smoothRelu',
} as const satisfies Record<ActivationAttributes['type'], string>;

/** Elements of one range, a multiple of the lanes. */
const grain = 8192;

export const activationKernels: readonly WasmKernel[] = [
  wasmKernel<{ x: tf.TensorInfo }, ActivationAttributes>('KafscopeActivation', ({ inputs, attrs, backend }) => {
    const y = backend.place(inputs.x.shape);
    const fixed = [backend.addressOf(inputs.x), y.address, attrs.alpha];
    backend.runOver(sizeOf(inputs.x), grain, `${names[attrs.type]}Values`, (...range) => [...fixed, ...range]);
    return y.info;
  }),
  wasmKernel<{ dy: tf.TensorInfo; x: tf.TensorInfo }, ActivationAttributes>(
    'KafscopeActivationGrad',
    ({ inputs: { dy, x }, attrs, backend }) => {
      const dx = backend.place(x.shape);
      const fixed = [backend.addressOf(dy), backend.addressOf(x), dx.address, attrs.alpha];
      backend.runOver(sizeOf(x), grain, `${names[attrs.type]}Gradients`, (...range) => [...fixed, ...range]);
      return dx.info;
    },
  ),
];
