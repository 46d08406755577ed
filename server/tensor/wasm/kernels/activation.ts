// KafscopeActivation and its gradient over assembly/activation.ts.
import type * as tf from '@tensorflow/tfjs-core';
import { sizeOf, wasmKernel, type WasmKernel } from './wasmKernel.ts';

interface ActivationAttributes {
  readonly type: 'relu' | 'elu' | 'swish';
  readonly alpha: number;
}

/** As assembly/activation.ts numbers them. */
const codes = { relu: 0, elu: 1, swish: 2 } as const satisfies Record<ActivationAttributes['type'], number>;

export const activationKernels: readonly WasmKernel[] = [
  wasmKernel<{ x: tf.TensorInfo }, ActivationAttributes>('KafscopeActivation', ({ inputs, attrs, backend }) => {
    const y = backend.place(inputs.x.shape);
    backend.kernels.activate(
      codes[attrs.type],
      backend.addressOf(inputs.x),
      y.address,
      attrs.alpha,
      0,
      sizeOf(inputs.x),
    );
    return y.info;
  }),
  wasmKernel<{ dy: tf.TensorInfo; x: tf.TensorInfo }, ActivationAttributes>(
    'KafscopeActivationGrad',
    ({ inputs: { dy, x }, attrs, backend }) => {
      const dx = backend.place(x.shape);
      backend.kernels.activateGradient(
        ...[codes[attrs.type], backend.addressOf(dy), backend.addressOf(x), dx.address, attrs.alpha, 0, sizeOf(x)],
      );
      return dx.info;
    },
  ),
];
