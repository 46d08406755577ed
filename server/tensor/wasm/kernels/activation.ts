// KafscopeActivation and its gradient over assembly/activation.ts.
import type * as tf from '@tensorflow/tfjs-core';
import type { ActivationAttributes } from '../../ops/activation.ts';
import { sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

/** As assembly/activation.ts numbers them. */
const codes = {
  relu: 0,
  elu: 1,
  swish: 2,
  step: 3,
  sigmoid: 4,
  tanh: 5,
  'leaky-relu': 6,
  gelu: 7,
  softplus: 8,
  'smooth-relu': 9,
} as const satisfies Record<ActivationAttributes['type'], number>;

/** Elements of one range, a multiple of the lanes. */
const grain = 8192;

export const activationKernels: readonly WasmKernel[] = [
  wasmKernel<{ x: tf.TensorInfo }, ActivationAttributes>('KafscopeActivation', ({ inputs, attrs, backend }) => {
    const y = backend.place(inputs.x.shape);
    const fixed = [codes[attrs.type], backend.addressOf(inputs.x), y.address, attrs.alpha];
    backend.runOver(sizeOf(inputs.x), grain, 'activate', (...range) => [...fixed, ...range]);
    return y.info;
  }),
  wasmKernel<{ dy: tf.TensorInfo; x: tf.TensorInfo }, ActivationAttributes>(
    'KafscopeActivationGrad',
    ({ inputs: { dy, x }, attrs, backend }) => {
      const dx = backend.place(x.shape);
      const fixed = [codes[attrs.type], backend.addressOf(dy), backend.addressOf(x), dx.address, attrs.alpha];
      backend.runOver(sizeOf(x), grain, 'activateGradient', (...range) => [...fixed, ...range]);
      return dx.info;
    },
  ),
];
